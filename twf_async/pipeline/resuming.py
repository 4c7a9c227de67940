"""What becomes of runs that say they are coming in when nobody works on them.

A start follows the newest again. What else was interrupted, and was not asked for, is closed with
its reason: a manifest that says "running" for ever would promise what nobody brings.
"""

from collections.abc import Callable, Collection
from datetime import datetime

import structlog

from render_farm.domain.models import Model
from twf_async.ledger.entries import FrameEntry
from twf_async.pipeline.ending import end
from twf_async.pipeline.owed import Fault
from twf_async.pipeline.ports import Workshop
from twf_async.plan.runs import candidates, deadline
from twf_async.publish.document import FrameChange
from twf_async.publish.manifest import FrameState, RunState
from twf_async.publish.reading import PublishedRuns, UnknownRun

UNFINISHED = "unfinished"
_log = structlog.get_logger(component="pipeline")


def is_running(tree: PublishedRuns, model: str, cycle: str) -> bool:
    """Whether a run of the tree says that more of it is to come."""
    return bool(tree.summary(model, cycle)["state"] == RunState.RUNNING.value)


def to_follow(model: Model, tree: PublishedRuns, now: datetime) -> tuple[str, ...]:
    """Runs of the tree that had not ended and may still get on.

    The newest one; and the one before it, where that is finished too and not yet out of time.
    """
    newest, *older = [*tree.runs(model.key)[:2], ""]
    may = candidates(model, now)
    if model.when_superseded == "abandon":
        older = []
    return tuple(
        cycle
        for cycle in (newest, *older)
        if cycle in may
        and (cycle == newest or now < deadline(model, cycle))
        and is_running(tree, model.key, cycle)
    )


async def close_others(model: str, shop: Workshop, attended: Callable[[], Collection[str]]) -> None:
    """Close what of a model says that it is coming in, but what is *attended* to."""
    for cycle in shop.tree.runs(model):
        if cycle in attended() or cycle not in shop.tree.runs(model):
            continue
        if is_running(shop.tree, model, cycle):
            await close(model, cycle, shop, Fault(UNFINISHED, "the work on it was interrupted"))


async def close(model: str, cycle: str, shop: Workshop, fault: Fault) -> None:
    """End a run as it is: what was still to come of it has failed. Raises nothing."""
    log = _log.bind(model=model, cycle=cycle)
    try:
        names = shop.tree.unsettled(model, cycle)
        failed, facts = FrameState.FAILED, (fault.reason, fault.detail)
        shop.tree.mark(model, cycle, [FrameChange(*name, failed, *facts) for name in names])
        await shop.ledger.record_frames(
            FrameEntry(model, cycle, hour, region, product, failed.value, *facts)
            for region, product, hour in sorted(names)
        )
        state = await end(model, cycle, shop)
    except UnknownRun:  # it was never opened, or was taken off meanwhile
        return
    except Exception:  # whoever closes must go on
        log.exception("pipeline.run_not_closed")
        return
    log.warning("pipeline.run_closed", state=state.value, frames=len(names), reason=fault.reason)
