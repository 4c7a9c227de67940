"""`twf-async gallery`: every product of every model, to be looked at."""

import json
from pathlib import Path

import click

from render_farm.worker.scratch import scratch
from twf_async.app.gallery import make_gallery
from twf_async.app.showcase import DrawAll, all_jobs
from twf_async.cli.options import (
    config_option,
    drawn_regions_option,
    json_option,
    local_files,
    parse_size,
    products_option,
    require_known,
    restyled,
    style_options,
)
from twf_async.cli.quiet import prepare_quietly
from twf_async.errors import INCOMPLETE
from twf_async.farm.boot import boot


@click.command(
    "gallery",
    short_help="Every product of every model, with contact sheets.",
)
@local_files
@click.option(
    "--out",
    required=True,
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Directory for pictures, contact sheets and index.html.",
)
@products_option
@drawn_regions_option
@click.option("--size", callback=parse_size, metavar="WxH", help="Size [default: the region's].")
@click.option("--model", metavar="KEY", help="Model of files whose name does not tell it.")
@style_options
@config_option
@json_option
def command(
    files: tuple[Path, ...],
    out: Path,
    products: tuple[str, ...] | None,
    regions: tuple[str, ...],
    size: tuple[int, int] | None,
    model: str | None,
    config_dir: str | None,
    *,
    as_json: bool,
    **style: str | None,
) -> int:
    """Draw every product of FILE.. (GRIB2), else of the demo atmosphere of all three models.

    3 when any of them cannot be drawn.
    """
    settings = restyled(prepare_quietly(config_dir), style)
    require_known(settings.catalog, products, regions, model)
    context = boot()
    with scratch(prefix="twf-gallery-") as directory:
        order = DrawAll(files, regions, products, model, size)
        runs = all_jobs(settings, order, context, directory)
        gallery = make_gallery(
            settings, runs, out, context, lambda text: click.echo(text, err=True)
        )
    if as_json:
        found = {
            "pictures": [str(shown.path) for shown in gallery.pictures],
            "contact_sheet": str(gallery.sheet),
            "small_contact_sheet": str(gallery.small_sheet),
            "index": str(gallery.index),
            "missing": list(gallery.missing),
        }
        click.echo(json.dumps(found, indent=2))
    else:
        for sentence in gallery.missing:
            click.echo(f"not drawn: {sentence}", err=True)
        click.echo(f"{len(gallery.pictures)} pictures: {gallery.index}, {gallery.sheet}")
    return INCOMPLETE if gallery.missing else 0
