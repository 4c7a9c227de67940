"""Whether work may start, given how the machine is. Pure: a state and a look give the next state.

Closing is quick, opening is slow: the thresholds to open lie apart from those to close, and the
calm must last. Pausing cannot help when the memory is somebody else's, so after a while with
nothing in flight single jobs are let through.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from twf_async.settings.service import WatchdogSettings
from twf_async.upkeep.vitals import Vitals

CALMER = 0.5  # a stall is over at this share of what it paused at
AMPLER = 1.25  # memory is enough in spite of a full swap at so much more than otherwise
MOST_ASKED = 0.95  # nothing in use at all would be asked too much
UNSEEN = "the machine cannot be seen"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What holds now. No reason: nothing is held.

    paused         why no work may start
    calm_since_s   since when every figure allows to resume, while paused
    favour         let a single job through now
    """

    paused: str = ""
    paused_since_s: float = 0.0
    calm_since_s: float | None = None
    favoured_at_s: float = 0.0
    favour: bool = False


def judge(
    before: Verdict, now: Vitals | None, limits: WatchdogSettings, at_s: float, *, running: int
) -> Verdict:
    """The verdict after a look.

    now       None: there has been none for long, which a machine that is well does not do
    at_s      any clock that only rises, seconds
    running   renders in flight
    """
    after = replace(before, favour=False)
    if not before.paused:
        why = UNSEEN if now is None else next(_reasons(now, limits), "")
        return replace(
            after, paused=why, paused_since_s=at_s, calm_since_s=None, favoured_at_s=at_s
        )
    if now is None or not _is_calm(now, limits):
        after = replace(after, calm_since_s=None)
    elif before.calm_since_s is None:
        after = replace(after, calm_since_s=at_s)
    elif at_s - before.calm_since_s >= limits.calm_s:
        return replace(after, paused="", calm_since_s=None)
    starved = at_s - max(before.paused_since_s, before.favoured_at_s) >= limits.starved_s
    if starved and running == 0:
        return replace(after, favour=True, favoured_at_s=at_s)
    return after


def memory_fault(now: Vitals, limits: WatchdogSettings) -> str:
    """Why memory is too short to start anything; "" while it is not."""
    if now.available_share < limits.pause_below:
        return "memory low"
    if (now.memory_stall_pct or 0.0) > limits.memory_stall_pct:
        return "memory stalls"
    if now.swap_used_pct > limits.swap_used_pct and now.available_share < limits.resume_above:
        return "swap full"
    return ""


def memory_is_calm(now: Vitals, limits: WatchdogSettings) -> bool:
    """Whether memory is clearly enough again. Swap in use is no fault while memory is free.

    A full swap pauses below the very share that resumes otherwise, so that more is asked for then.
    """
    swap_is_full = now.swap_used_pct > limits.swap_used_pct
    bar = limits.resume_above * (AMPLER if swap_is_full else 1.0)
    return (
        now.available_share > min(bar, MOST_ASKED)
        and (now.memory_stall_pct or 0.0) < CALMER * limits.memory_stall_pct
    )


def _is_calm(now: Vitals, limits: WatchdogSettings) -> bool:
    return memory_is_calm(now, limits) and _io(now) < CALMER * limits.io_stall_pct


def _reasons(now: Vitals, limits: WatchdogSettings) -> Iterator[str]:
    if fault := memory_fault(now, limits):
        yield fault
    if _io(now) > limits.io_stall_pct:
        yield "disk stalls"


def _io(now: Vitals) -> float:
    return now.iowait_pct if now.io_stall_pct is None else now.io_stall_pct
