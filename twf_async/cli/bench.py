"""`twf-async bench`: the figures that docs/benchmarks.md keeps, on this machine, now."""

import json
import tempfile
from pathlib import Path

import click

from twf_async.app.bench.measure import Bench
from twf_async.app.bench.report import document, table
from twf_async.app.showcase import DrawAll, all_jobs
from twf_async.cli.options import (
    chosen,
    config_option,
    drawn_regions_option,
    json_option,
    local_files,
    parse_size,
    prepare,
    products_option,
    tidy_when_told_to_end,
)
from twf_async.farm.boot import boot

SIZE = "1700x1300"


@click.group("bench", short_help="Measure what rendering costs on this machine.")
def command() -> None:
    """Measure what the service does on this machine."""


@command.command("render", short_help="CPU, bytes and memory of every product.")
@local_files
@products_option
@drawn_regions_option
@click.option(
    "--size", default=SIZE, show_default=True, callback=parse_size, metavar="WxH", help="In pixels."
)
@click.option(
    "--repeat",
    default=7,
    show_default=True,
    type=click.IntRange(1, 1000),
    help="How often every frame is drawn.",
)
@click.option(
    "--frames",
    type=click.IntRange(4, 1_000_000),
    help="Also draw this many frames in one worker and watch its memory.",
)
@click.option("--model", metavar="KEY", help="Model of FILE.. [default: by the name of the file].")
@config_option
@json_option
def render(
    files: tuple[Path, ...],
    products: tuple[str, ...] | None,
    regions: tuple[str, ...],
    size: tuple[int, int],
    repeat: int,
    frames: int | None,
    model: str | None,
    config_dir: str | None,
    *,
    as_json: bool,
) -> None:
    """Measure rendering: of FILE.. (GRIB2), else of the demo atmosphere of all three models.

    CPU time of warm frames from sampling to the written PNG, of whole hours with decoding, of a
    fresh worker's first frame, of a region's caches; sizes and memory. Medians.
    """
    tidy_when_told_to_end()
    settings = prepare(config_dir)
    catalog = settings.catalog
    if products is not None:
        chosen("product", products, catalog.products)
    chosen("region", regions, catalog.regions)
    chosen("model", (model,) if model else None, catalog.models)
    context = boot()
    order = DrawAll(files, regions, products, model, size)
    with tempfile.TemporaryDirectory(prefix="twf-bench-") as directory:
        runs = all_jobs(settings, order, context, Path(directory))
        bench = Bench(settings, context, repeat)
        figures = bench.measure(runs, _say)
        memory = bench.soak(runs, frames) if frames else None
    missing = [sentence for found in runs for sentence in found.missing]
    if as_json:
        found = document(figures, memory) | {"missing": missing}
        click.echo(json.dumps(found, indent=2))
        return
    for line in (*table(figures, memory), *(f"not measured: {text}" for text in missing)):
        click.echo(line)


def _say(text: str) -> None:
    click.echo(text, err=True)
