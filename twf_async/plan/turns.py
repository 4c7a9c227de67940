"""Which hours of a run to ask for next. Pure: time is handed in.

Files come in order, mostly. The lowest hour that is not there is asked for again and again; only
when it stays away are later ones tried too, for hours do come out of order. Fetching runs ahead of
drawing by a bounded number of hours.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta

from twf_async.plan.progress import FileStatus, RunProgress

PATIENCE = 3  # absences of an hour before the next one is asked for as well
OVERDUE = timedelta(seconds=60)  # and it must be this late, where it is known when it was due


def to_fetch(run: RunProgress, now: datetime) -> tuple[int, ...]:
    """Hours to ask for now, lowest first."""
    if run.hold_until is not None and now < run.hold_until:
        return ()
    due = [hour for hour, when in _askable(run) if when is None or when <= now]
    return tuple(due[: _places(run)])


def next_look(run: RunProgress, now: datetime) -> datetime | None:
    """When `to_fetch` may say more than now, if nothing else happens; None: never."""
    times = [when or now for _, when in _askable(run)]
    if not times or not _places(run):
        return None
    return max(min(times), run.hold_until or now)


def _askable(run: RunProgress) -> Iterator[tuple[int, datetime | None]]:
    """Pending hours that may be asked for, lowest first, and from when on.

    Hours that a later one overtook hold up nothing; of the others, one after the other.
    """
    ahead = 0
    away = 0
    needed = run.needed
    frontier = run.frontier
    held: datetime | None = None
    for hour in sorted(run.files):
        state = run.files[hour]
        if state.status is FileStatus.PENDING and hour in needed:
            if away >= PATIENCE or (not run.policy.batch and ahead >= run.policy.ahead_hours):
                return
            yield hour, _later(state.not_before, held)
            if hour > frontier:
                if state.absences >= PATIENCE:
                    away += 1
                    if (window := run.windows.get(hour)) is not None:
                        held = _later(held, window.high + OVERDUE)
                elif state.absences or run.at_edge:
                    return
        elif state.status is FileStatus.FETCHING and hour > frontier and run.at_edge:
            return  # it may not be there, nor then the next
        waits = hour in run.waiting and state.status is not FileStatus.GIVEN_UP
        ahead += waits or hour in run.drawing


def _later(one: datetime | None, other: datetime | None) -> datetime | None:
    return max(one, other) if one and other else one or other


def _places(run: RunProgress) -> int:
    busy = sum(state.status is FileStatus.FETCHING for state in run.files.values())
    return max(0, run.policy.fetches_at_once - busy)
