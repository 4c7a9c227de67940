"""`twf-async render`: maps straight from local GRIB files."""

import json
from pathlib import Path

import click

from twf_async.app.oneoff import OneOff, draw
from twf_async.cli.options import (
    config_option,
    json_option,
    parse_keys,
    parse_size,
    require_known,
    restyled,
    style_options,
)
from twf_async.cli.quiet import prepare_quietly
from twf_async.errors import INCOMPLETE
from twf_async.farm.boot import boot


@click.command("render", short_help="Maps straight from local GRIB2 files.")
@click.argument(
    "files",
    nargs=-1,
    required=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE..",
)
@click.option(
    "--product",
    "--products",
    "products",
    required=True,
    callback=parse_keys,
    metavar="KEY,..",
    help="Products to draw.",
)
@click.option(
    "--region",
    "--regions",
    "regions",
    required=True,
    callback=parse_keys,
    metavar="KEY,..",
    help="Regions to draw.",
)
@click.option(
    "--out",
    required=True,
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Directory for the pictures.",
)
@click.option("--model", metavar="KEY", help="Model [default: by the name of the file].")
@click.option("--size", callback=parse_size, metavar="WxH", help="Size in pixels.")
@click.option("--values", is_flag=True, help="Write the value grids too, beside the pictures.")
@style_options
@config_option
@json_option
def command(
    files: tuple[Path, ...],
    products: tuple[str, ...],
    regions: tuple[str, ...],
    out: Path,
    model: str | None,
    size: tuple[int, int] | None,
    config_dir: str | None,
    *,
    values: bool,
    as_json: bool,
    **style: str | None,
) -> int:
    """Draw products for every forecast hour that FILE.. hold; 3 when any cannot be drawn."""
    settings = restyled(prepare_quietly(config_dir), style)
    require_known(settings.catalog, products, regions, model)
    order = OneOff(files, products, regions, out, model, size, values=values)
    outcome = draw(settings, order, boot())
    if as_json:
        click.echo(
            json.dumps(
                {
                    "written": [str(path) for path in outcome.written],
                    "missing": outcome.missing,
                    "not_applicable": outcome.not_applicable,
                },
                indent=2,
            )
        )
    else:
        for path in outcome.written:
            click.echo(path)
        for sentence in (*outcome.not_applicable, *outcome.missing):
            click.echo(sentence, err=True)
    return INCOMPLETE if outcome.missing else 0
