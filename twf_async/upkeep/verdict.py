"""Whether work may start, given how the machine is. Pure: a state and a look give the next state.

Closing is quick, opening is slow: the thresholds to open lie apart from those to close, and the
calm must last. Pausing cannot help when the memory is somebody else's, so after a while with
nothing in flight single jobs are let through.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from twf_async.settings.service import WatchdogSettings
from twf_async.upkeep.vitals import Vitals

STALL_PAUSE_PCT, STALL_RESUME_PCT = 10.0, 5.0  # memory PSI
IO_PAUSE_PCT, IO_RESUME_PCT = 60.0, 30.0  # disk PSI, or iowait where there is no PSI
SWAP_PAUSE_PCT, SWAP_RESUME_PCT = 90.0, 80.0
CALM_S = 15.0
STARVED_S = 60.0
DISK_FLOOR_SHARE = 0.05
DISK_MARGIN = 1.2  # free again only well above the floor


@dataclass(frozen=True, slots=True)
class Verdict:
    """What holds now. Empty reasons: nothing is held.

    paused        why no work may start
    fetch_held    why no download may start
    disk_low      less free than an operator should be told of
    calm_since_s  since when every figure allows to resume, while paused
    favour        let a single job through now
    """

    paused: str = ""
    fetch_held: str = ""
    disk_low: bool = False
    paused_since_s: float = 0.0
    calm_since_s: float | None = None
    favoured_at_s: float = 0.0
    favour: bool = False


def judge(
    before: Verdict, now: Vitals, limits: WatchdogSettings, at_s: float, *, running: int
) -> Verdict:
    """The verdict after a look.

    at_s      any clock that only rises, seconds
    running   renders in flight
    """
    floor_gb = max(limits.disk_floor_gb, DISK_FLOOR_SHARE * min(now.disk_total_gb, 1e6))
    after = replace(
        before,
        favour=False,
        disk_low=now.disk_free_gb < limits.disk_warn_gb,
        fetch_held=_disk(before, now, floor_gb),
    )
    if not before.paused:
        why = next(_reasons(now, limits), "")
        return replace(
            after, paused=why, paused_since_s=at_s, calm_since_s=None, favoured_at_s=at_s
        )
    if not _calm(now, limits):
        after = replace(after, calm_since_s=None)
    elif before.calm_since_s is None:
        after = replace(after, calm_since_s=at_s)
    elif at_s - before.calm_since_s >= CALM_S:
        return replace(after, paused="", calm_since_s=None)
    starved = at_s - max(before.paused_since_s, before.favoured_at_s) >= STARVED_S
    if starved and running == 0:
        return replace(after, favour=True, favoured_at_s=at_s)
    return after


def _reasons(now: Vitals, limits: WatchdogSettings) -> Iterator[str]:
    if now.available_share < limits.pause_below:
        yield "memory low"
    if (now.memory_stall_pct or 0.0) > STALL_PAUSE_PCT:
        yield "memory stalls"
    if now.swap_used_pct > SWAP_PAUSE_PCT and now.available_share < limits.resume_above:
        yield "swap full"
    if _io(now) > IO_PAUSE_PCT:
        yield "disk stalls"


def _calm(now: Vitals, limits: WatchdogSettings) -> bool:
    swap_ok = now.swap_used_pct < SWAP_RESUME_PCT or now.available_share > limits.resume_above
    return (
        now.available_share > limits.resume_above
        and (now.memory_stall_pct or 0.0) < STALL_RESUME_PCT
        and swap_ok
        and _io(now) < IO_RESUME_PCT
    )


def _io(now: Vitals) -> float:
    return now.iowait_pct if now.io_stall_pct is None else now.io_stall_pct


def _disk(before: Verdict, now: Vitals, floor_gb: float) -> str:
    bar = floor_gb * DISK_MARGIN if before.fetch_held else floor_gb
    return "disk nearly full" if now.disk_free_gb < bar else ""
