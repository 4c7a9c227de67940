"""One run and then the end: what `twf-async run` does."""

from collections.abc import Callable
from dataclasses import replace

from twf_async.errors import BadInput
from twf_async.pipeline.attempts import Attempts
from twf_async.pipeline.giving_up import ImpatientFetcher
from twf_async.pipeline.owed import Fault
from twf_async.pipeline.ports import Workshop
from twf_async.pipeline.recalling import note_forgotten
from twf_async.pipeline.report import RunCount, RunReport, RunRequest
from twf_async.pipeline.resuming import UNFINISHED, close
from twf_async.pipeline.run import RunPipeline
from twf_async.pipeline.standstill import WatchedRenderer, ended_at_standstill
from twf_async.publish.manifest import RunState

LATEST = "latest"
PATIENCE_S = 600.0  # a source is throttled, or fails over, for some minutes at most
HELD = "held"


async def run_once(
    request: RunRequest,
    shop: Workshop,
    *,
    patience_s: float = PATIENCE_S,
    on_progress: Callable[[RunCount], None] | None = None,
) -> RunReport:
    """Work through one run; cycle "latest" is the newest that has data.

    patience_s  the run ends, with frames missing, where the source gives nothing for so long, or
                nothing may start, or no worker takes a job, for so long
    raises   BadInput for what the model does not have, or when no run can be found;
             FetchError when the other side cannot be asked which run is newest
    """
    await note_forgotten(shop)
    renderer = WatchedRenderer(shop.renderer)
    fetcher = ImpatientFetcher(shop.fetcher, Attempts(patience_s))
    shop = replace(shop, fetcher=fetcher, renderer=renderer)
    if request.cycle == LATEST:
        request = await _with_newest(request, shop)
    run = RunPipeline(request, shop, on_progress=on_progress)
    async with ended_at_standstill(run, shop.gate, renderer, patience_s) as still:
        report = await run.run()
    if report.state is not RunState.RUNNING:
        return report
    return await _closed(report, shop, Fault(HELD, still.reason))


async def _closed(report: RunReport, shop: Workshop, fault: Fault) -> RunReport:
    """The end of a run that was drained: nobody goes on with it."""
    await close(report.model, report.cycle, shop, fault)
    missing = tuple(
        replace(frame, reason=fault.reason, detail=fault.detail)
        if frame.reason == UNFINISHED
        else frame
        for frame in report.missing
    )
    return replace(report, state=RunState.PARTIAL, missing=missing)


async def _with_newest(request: RunRequest, shop: Workshop) -> RunRequest:
    models = shop.settings().catalog.models
    if request.model not in models:
        raise BadInput(f"there is no model {request.model!r}; there are {', '.join(models)}")
    cycle = await shop.fetcher.newest_cycle(models[request.model])
    if cycle is None:
        raise BadInput(f"no run of {request.model} is to be found; name one with --cycle")
    return replace(request, cycle=cycle)
