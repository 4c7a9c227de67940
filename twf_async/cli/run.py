"""`twf-async run`: one run, then the end."""

import asyncio
import sys
from multiprocessing.context import BaseContext
from pathlib import Path

import click
import uvloop

from twf_async import stops
from twf_async.app.assembly import Parts, assembled
from twf_async.app.control.handed_over import hand_over
from twf_async.app.upkeep import make_housekeeping, unfinished, watched
from twf_async.cli.cycles import require_begun
from twf_async.cli.holds import hold_told
from twf_async.cli.hours import HoursAsked, hours_option
from twf_async.cli.options import (
    chosen,
    config_option,
    json_option,
    products_option,
    regions_option,
    service_state,
)
from twf_async.cli.progress import bar, tell
from twf_async.cli.quiet import holds_told, prepare_quietly
from twf_async.cli.trouble import say
from twf_async.cli.waiting import wait_for
from twf_async.clock import Clock
from twf_async.errors import INCOMPLETE, BadInput, FarmError
from twf_async.farm.boot import boot
from twf_async.pipeline.once import LATEST, PATIENCE_S, run_once
from twf_async.pipeline.report import RunReport, RunRequest
from twf_async.plan.runs import cycle_time
from twf_async.settings.load import Settings

LONGEST_PATIENCE_S = 7 * 86_400


@click.command("run", short_help="Fetch, render and publish one run; 3 when frames are missing.")
@click.option("--model", required=True, metavar="KEY", help="Model.")
@click.option("--cycle", default=LATEST, metavar="YYYYMMDDHH", help="Cycle [default: latest].")
@hours_option
@regions_option
@products_option
@click.option(
    "--patience",
    "patience_s",
    default=int(PATIENCE_S),
    show_default=True,
    type=click.IntRange(1, LONGEST_PATIENCE_S),
    metavar="SECONDS",
    help="End with what is there once nothing has come for so long.",
)
@config_option
@json_option
def command(
    model: str,
    cycle: str,
    hours: HoursAsked | None,
    regions: tuple[str, ...] | None,
    products: tuple[str, ...] | None,
    patience_s: int,
    config_dir: str | None,
    *,
    as_json: bool,
) -> int:
    """Fetch, render and publish one run of a model; 3 when frames are missing.

    Hours that are not there yet are not waited for; a source that does not answer, or work that is
    held, for as long as --patience says. Where a service runs on the same state, it does the work,
    and this command shows how far it is; Ctrl-C then ends the command, not the work.
    """
    settings = prepare_quietly(config_dir)
    models = settings.catalog.models
    chosen("model", (model,), models)
    if cycle != LATEST and not _is_cycle(cycle):
        raise BadInput(f"cycle {cycle!r} is neither YYYYMMDDHH nor 'latest'")
    request = RunRequest(
        model,
        cycle,
        hours.of(models[model], cycle) if hours else None,
        chosen("region", regions, models[model].regions) if regions is not None else None,
        chosen("product", products, models[model].products) if products is not None else None,
        wait=False,
    )
    state_dir, publish_dir = _service_places(settings, config_dir)
    if (run := hand_over(state_dir, publish_dir, request)) is not None:
        report = wait_for(run, patience_s)
        goes = run.goes
    else:
        if cycle != LATEST:
            require_begun(cycle, Clock(settings.service.clock.start, settings.service.clock.speed))
        context = boot()
        stops.note()  # until there is a loop to heed one
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            report, goes = runner.run(_run(settings, request, context, patience_s))
    if report is None:
        return stops.FORCED
    tell(report, as_json=as_json)
    if goes:
        name = f"{model} {report.cycle}"
        click.echo(
            f"{name} is older than the runs that are kept, and goes when a service starts or its"
            f" next run comes; to keep it: twf-async pin {name} REASON",
            err=True,
        )
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


async def _run(
    settings: Settings, request: RunRequest, context: BaseContext, patience_s: float
) -> tuple[RunReport | None, bool]:
    """The report, None where it was told to stop; and whether the run is too old to stay."""
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    end = task.cancel if task else sys.exit
    try:
        async with (
            assembled(lambda: settings, context) as parts,
            watched(lambda: settings, parts),
            holds_told(parts.gate, lambda reason: say(hold_told(reason, settings.service))),
        ):
            with stops.heeded(lambda _: loop.call_soon_threadsafe(end)):
                report = await run_once(
                    request, parts.workshop, patience_s=patience_s, on_progress=bar()
                )
                return report, _goes_soon(settings, parts, report)
    except asyncio.CancelledError:
        return None, False
    except FarmError:
        if stops.asked() is None:
            raise
        return None, False  # the workers were told to stop as well


def _goes_soon(settings: Settings, parts: Parts, report: RunReport) -> bool:
    keeping = make_housekeeping(
        lambda: settings,
        parts.tree,
        parts.ledger,
        parts.clock,
        active=lambda: unfinished(parts.tree),
    )
    return report.cycle in keeping.retention.due(report.model)
