"""What is done with the workers when memory stays short, and when it is ample again. Pure.

In order: the largest idle worker is replaced while memory is low; slots are given up while it is
critical; when that has done nothing either and jobs run side by side, the newest is handed back.
Slots come back one by one when memory has been ample for long. One step at a time, and then a while
to see what it gave.
"""

from dataclasses import dataclass, replace
from enum import StrEnum

from twf_async.settings.service import WatchdogSettings
from twf_async.upkeep.verdict import memory_fault, memory_is_calm
from twf_async.upkeep.vitals import Vitals


class Step(StrEnum):
    """One change of the farm."""

    RECYCLE = "recycle"
    SHRINK = "shrink"
    HAND_BACK = "hand back"
    GROW = "grow"


@dataclass(frozen=True, slots=True)
class Staff:
    """The workers at a look.

    size   slots there are now; full: as many as configured, never exceeded
    idle   of them without a job
    busy   jobs in work, those of slots that end after them included
    each_mb   what one more is counted with
    """

    size: int
    full: int
    idle: int
    busy: int
    each_mb: float


@dataclass(frozen=True, slots=True)
class Relief:
    """Where we are. Times are of a clock that only rises; None: not so now.

    step       what is to be done now
    recycled   workers replaced since memory became low: more than there are would give nothing
    """

    step: Step | None = None
    low_since_s: float | None = None
    critical_since_s: float | None = None
    ample_since_s: float | None = None
    stepped_at_s: float | None = None
    recycled: int = 0


def relieve(
    before: Relief,
    now: Vitals,
    limits: WatchdogSettings,
    at_s: float,
    staff: Staff,
    *,
    favoured: bool = False,
) -> Relief:
    """The next state after a look.

    favoured   a job was let through although memory is low: its worker may be recycled anew
    """
    low = _lasts(before.low_since_s, _is_low(before, now, limits), at_s)
    after = replace(
        before,
        step=None,
        low_since_s=low,
        critical_since_s=_lasts(before.critical_since_s, _is_critical(before, now, limits), at_s),
        ample_since_s=_lasts(
            before.ample_since_s, low is None and _is_ample(now, limits, staff), at_s
        ),
        recycled=0 if low is None or favoured else before.recycled,
    )
    step = _due(after, limits, at_s, staff)
    if step is None:
        return after
    return replace(
        after, step=step, stepped_at_s=at_s, recycled=after.recycled + (step is Step.RECYCLE)
    )


def _due(state: Relief, limits: WatchdogSettings, at_s: float, staff: Staff) -> Step | None:
    def after(since_s: float | None, wait_s: float) -> bool:
        if since_s is None:
            return False
        since_s = since_s if state.stepped_at_s is None else max(since_s, state.stepped_at_s)
        return at_s - since_s >= wait_s

    may_recycle = staff.idle > 0 and state.recycled < staff.size
    if may_recycle and after(state.low_since_s, limits.recycle_after_s):
        return Step.RECYCLE
    if staff.size > 1 and after(state.critical_since_s, limits.shrink_after_s):
        return Step.SHRINK
    if staff.busy > 1 and after(state.critical_since_s, limits.hand_back_after_s):
        return Step.HAND_BACK
    if staff.size < staff.full and after(state.ample_since_s, limits.grow_after_s):
        return Step.GROW
    return None


def _lasts(since_s: float | None, holds: bool, at_s: float) -> float | None:  # noqa: FBT001
    if not holds:
        return None
    return at_s if since_s is None else since_s


def _is_low(before: Relief, now: Vitals, limits: WatchdogSettings) -> bool:
    """Low from the first fault until it is clearly over."""
    if before.low_since_s is None:
        return bool(memory_fault(now, limits))
    return not memory_is_calm(now, limits)


def _is_critical(before: Relief, now: Vitals, limits: WatchdogSettings) -> bool:
    bar = limits.critical_below if before.critical_since_s is None else limits.pause_below
    return now.available_share < bar


def _is_ample(now: Vitals, limits: WatchdogSettings, staff: Staff) -> bool:
    """Whether it would still be calm with one worker more."""
    left_mb = now.memory_available_mb - staff.each_mb
    return left_mb > limits.resume_above * now.memory_limit_mb and memory_is_calm(now, limits)
