"""The end of a run: its state for readers, listeners and the ledger, and what is to be reported."""

from collections import Counter

import structlog

from twf_async.pipeline.frames import RunFrames
from twf_async.pipeline.ports import Workshop
from twf_async.pipeline.report import RunReport, RunRequest
from twf_async.publish.events import RUN_COMPLETE
from twf_async.publish.manifest import FrameState, RunState

_log = structlog.get_logger(component="pipeline")
_SETTLED_WELL = {FrameState.PUBLISHED.value, FrameState.NOT_APPLICABLE.value}


async def closed(
    request: RunRequest, shop: Workshop, frames: RunFrames, *, finished: bool, took_s: float
) -> RunReport:
    """Tell everyone that a run has ended. finished: else it goes on later, and stays running."""
    model, cycle = request.model, request.cycle
    log = _log.bind(model=model, cycle=cycle)
    count, missing, state = frames.count, frames.missing, RunState.RUNNING
    if finished:
        state = await end(model, cycle, shop, missing=bool(missing))
    if finished and frames.old:
        reasons = dict(Counter(frames.old.values()))
        log.warning("pipeline.old_style_kept", frames=len(frames.old), reasons=reasons)
    log.info(
        "pipeline.run_ended",
        state=state.value,
        frames=count.expected,
        published=count.published,
        missing=len(missing),
        took_s=round(took_s, 2),
    )
    return RunReport(
        model,
        cycle,
        state,
        count.expected,
        count.published,
        frames.drawn,
        count.not_applicable,
        missing,
        took_s,
    )


async def end(model: str, cycle: str, shop: Workshop, *, missing: bool = False) -> RunState:
    """Note that nothing more of a run is to come; missing: something that was asked for is."""
    # Others may have begun the run and asked for more of it than this request did.
    whole = _SETTLED_WELL.issuperset(shop.tree.summary(model, cycle)["counts"])
    state = RunState.COMPLETE if whole and not missing else RunState.PARTIAL
    try:
        await shop.tree.finish_run(model, cycle, state)
    except OSError as error:  # a full disk
        _log.error("pipeline.publish_failed", model=model, cycle=cycle, reason=str(error))
    await shop.ledger.run_ended(model, cycle, state.value)
    shop.events.emit(RUN_COMPLETE, {"model": model, "cycle": cycle, "state": state.value})
    return state
