"""`twf-async bench`: the figures that docs/benchmarks.md keeps, on this machine, now."""

import json
import os
from contextlib import ExitStack
from pathlib import Path

import click

from render_farm.logs import lines
from render_farm.worker.scratch import scratch
from twf_async.app.bench.measure import Bench
from twf_async.app.bench.report import document, table
from twf_async.app.bench.run_report import run_document, run_table
from twf_async.app.bench.stage import CYCLE, Stage
from twf_async.app.bench.whole_run import measure_run
from twf_async.app.showcase import DrawAll, all_jobs
from twf_async.cli.hours import HoursAsked, hours_option
from twf_async.cli.options import (
    chosen,
    config_option,
    drawn_regions_option,
    json_option,
    local_files,
    parse_keys,
    parse_size,
    products_option,
    require_known,
)
from twf_async.cli.quiet import prepare_quietly
from twf_async.errors import INCOMPLETE
from twf_async.farm.boot import boot
from twf_async.pipeline.report import RunRequest
from twf_async.settings.files import find_config_dir

SIZE = "1700x1300"
RUN_REGIONS = "pnw,west,conus"


@click.group("bench", short_help="Measure what drawing and whole runs cost on this machine.")
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
    settings = prepare_quietly(config_dir)
    require_known(settings.catalog, products, regions, model)
    context = boot()
    order = DrawAll(files, regions, products, model, size)
    with scratch(prefix="twf-bench-") as directory:
        runs = all_jobs(settings, order, context, directory)
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


@command.command("run", short_help="Memory, time and disk of a whole run of the service.")
@click.option("--model", default="gfs", show_default=True, metavar="KEY", help="Model.")
@hours_option
@click.option(
    "--regions",
    default=RUN_REGIONS,
    show_default=True,
    callback=parse_keys,
    metavar="KEY,..",
    help="Regions to draw.",
)
@products_option
@click.option(
    "--workers", default=2, show_default=True, type=click.IntRange(1, 64), help="Slots, and cores."
)
@click.option(
    "--keep",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Keep the run's GRIB there, and use what is there [default: made anew, then deleted].",
)
@config_option
@json_option
def run(
    model: str,
    hours: HoursAsked | None,
    regions: tuple[str, ...],
    products: tuple[str, ...] | None,
    workers: int,
    keep: Path | None,
    config_dir: str | None,
    *,
    as_json: bool,
) -> int:
    """Measure a whole run of the service, its GRIB in the cache: of synthetic weather.

    PSS of all its processes, wall and CPU time, I/O wait, bytes. What is downloaded before, from a
    loopback NOMADS, is outside the figures; a whole run of GFS takes some minutes the first time.
    3 when frames are missing.
    """
    settings = prepare_quietly(config_dir)
    catalog = settings.catalog
    chosen("model", (model,), catalog.models)
    chosen("region", regions, catalog.regions)
    if products is not None:
        chosen("product", products, catalog.models[model].products)
    lines.set_level("warning")  # the service's own log is in the figures
    wanted = hours.of(catalog.models[model], CYCLE) if hours else None
    request = RunRequest(model, CYCLE, wanted, regions, products)
    stage = Stage.of(settings, request, workers)
    config = find_config_dir(config_dir, os.environ)
    with ExitStack() as undo:
        place = keep or undo.enter_context(scratch(prefix="twf-bench-"))
        figures = measure_run(config, stage, boot(), place.resolve(), _say)
    if as_json:
        click.echo(json.dumps(run_document(figures), indent=2))
    else:
        click.echo("\n".join(run_table(figures)))
    return INCOMPLETE if figures.missing else 0


def _say(text: str) -> None:
    click.echo(text, err=True)
