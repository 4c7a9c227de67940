"""`twf-async run`: one run, then the end."""

import asyncio
import json
import signal
import sys
from dataclasses import asdict
from multiprocessing.context import BaseContext
from pathlib import Path

import click
import uvloop

from twf_async.app.assembly import assembled
from twf_async.app.control.handed_over import HandedOver, hand_over
from twf_async.app.upkeep import watched
from twf_async.cli.hours import HoursAsked, hours_option
from twf_async.cli.options import (
    chosen,
    config_option,
    json_option,
    prepare,
    products_option,
    regions_option,
    service_state,
    tidy_when_told_to_end,
)
from twf_async.errors import BadInput
from twf_async.farm.boot import boot
from twf_async.pipeline.once import LATEST, run_once
from twf_async.pipeline.report import RunCount, RunReport, RunRequest
from twf_async.plan.runs import cycle_time
from twf_async.settings.load import Settings

INCOMPLETE = 3
FORCED_STOP = 130


@click.command("run", short_help="Fetch, render and publish one run; 3 when frames are missing.")
@click.option("--model", required=True, metavar="KEY", help="Model.")
@click.option("--cycle", default=LATEST, metavar="YYYYMMDDHH", help="Cycle [default: latest].")
@hours_option
@regions_option
@products_option
@config_option
@json_option
def command(
    model: str,
    cycle: str,
    hours: HoursAsked | None,
    regions: tuple[str, ...] | None,
    products: tuple[str, ...] | None,
    config_dir: str | None,
    *,
    as_json: bool,
) -> int:
    """Fetch, render and publish one run of a model; 3 when frames are missing.

    Hours that are not there yet are not waited for. Where a service runs on the same state, it does
    the work, and this command shows how far it is; Ctrl-C then ends the command, not the work.
    """
    settings = prepare(config_dir)
    models = settings.catalog.models
    chosen("model", (model,), models)
    if cycle != LATEST and not _is_cycle(cycle):
        raise BadInput(f"cycle {cycle!r} is neither YYYYMMDDHH nor 'latest'")
    request = RunRequest(
        model,
        cycle,
        hours.of(models[model], cycle) if hours else None,
        chosen("region", regions, models[model].regions) if regions else None,
        chosen("product", products, models[model].products) if products else None,
        wait=False,
    )
    if (run := hand_over(*_service_places(settings, config_dir), request)) is not None:
        report = _watch(run)
    else:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            report = runner.run(_run(settings, request, boot()))
    if report is None:
        return FORCED_STOP
    _tell(report, as_json=as_json)
    return INCOMPLETE if report.missing else 0


def _service_places(settings: Settings, config_dir: str | None) -> tuple[Path, Path | None]:
    """State of the service that may be running, and where its maps are to be, if we know."""
    state_dir, service = service_state(config_dir, None), settings.service
    return state_dir, service.publish_dir if state_dir == service.state_dir else None


def _is_cycle(text: str) -> bool:
    try:
        cycle_time(text)
    except ValueError:
        return False
    return True


async def _run(settings: Settings, request: RunRequest, context: BaseContext) -> RunReport | None:
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, task.cancel if task else sys.exit)
    try:
        async with (
            assembled(lambda: settings, context) as parts,
            watched(lambda: settings, parts),
        ):
            return await run_once(request, parts.workshop, on_progress=_progress())
    except asyncio.CancelledError:
        return None


def _watch(run: HandedOver) -> RunReport | None:
    """Show how the service gets on with a run; None when told to end before it has."""
    name = f"{run.model} {run.cycle}"
    doing = "works through" if run.begun else "is working on"
    click.echo(f"the running service (process {run.pid}) {doing} {name}", err=True)
    tidy_when_told_to_end()
    try:
        return run.followed(_progress(), _tell_hold)
    except KeyboardInterrupt:
        click.echo(
            f"{name} goes on in the service; `twf-async status` shows how far it is", err=True
        )
        return None


def _tell_hold(reason: str) -> None:
    click.echo(f"the service waits: {reason}" if reason else "the service goes on", err=True)


def _progress() -> "_Bar | None":
    return _Bar() if sys.stderr.isatty() else None


class _Bar:
    """A bar on the terminal's last line."""

    def __call__(self, count: RunCount) -> None:
        """Redraw it."""
        width = 30
        filled = width * count.settled // max(1, count.expected)
        bar = "#" * filled + "." * (width - filled)
        failed = f", {count.failed} failed" if count.failed else ""
        click.echo(
            f"\r[{bar}] {count.published}/{count.expected} frames{failed} ", nl=False, err=True
        )


def _tell(report: RunReport, *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(asdict(report), indent=2, default=str))
        return
    click.echo(
        f"{report.model} {report.cycle}: {report.published} of {report.expected} frames published"
        f" ({report.drawn} drawn now, {report.not_applicable} not applicable)"
        f" in {report.took_s:.1f} s"
    )
    for frame in report.missing:
        click.echo(f"missing {frame}", err=True)
