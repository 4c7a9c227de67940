"""What of a run to ask for next, and what an answer means. Pure: time is handed in.

Files come in order, mostly. The lowest hour that is not there is asked for again and again; only
when it stays away are later ones tried too, for hours do come out of order. Fetching runs ahead of
drawing by a bounded number of hours.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

from render_farm.domain.fields import MessageKey
from twf_async.plan.progress import FileState, FileStatus, RunProgress

NOT_PUBLISHED = "not published"
PATIENCE = 3  # absences of an hour before the next one is asked for as well
LONGEST_BACK_OFF_S = 300.0


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


def fetching(run: RunProgress, hour: int) -> RunProgress:
    """An hour is being asked for."""
    return _with(run, hour, replace(run.files[hour], status=FileStatus.FETCHING, not_before=None))


def fetched(run: RunProgress, hour: int, missing: frozenset[MessageKey]) -> RunProgress:
    """An hour's files are there; *missing* is not in them and never will be."""
    waited_for = run.files[hour].absences > 0
    run = replace(run, at_edge=run.at_edge and waited_for)
    return _with(run, hour, FileState(FileStatus.FETCHED, missing=missing))


def absent(run: RunProgress, hour: int, now: datetime) -> RunProgress:
    """The other side does not have the hour yet."""
    state = run.files[hour]
    if not run.policy.wait or _late(run, now):
        return _with(run, hour, FileState(FileStatus.GIVEN_UP, reason=NOT_PUBLISHED))
    again = now + timedelta(seconds=run.policy.poll_s)
    fresh = replace(state, status=FileStatus.PENDING, not_before=again, absences=state.absences + 1)
    return replace(_with(run, hour, fresh), at_edge=True)


def failed(
    run: RunProgress, hour: int, now: datetime, *, reason: str, detail: str, retry_s: float | None
) -> RunProgress:
    """Fetching an hour failed; retry_s None: asking again cannot help."""
    state = run.files[hour]
    failures = state.failures + 1
    spent = failures >= run.policy.attempts and (not run.policy.wait or _late(run, now))
    if retry_s is None or spent:
        gone = FileState(FileStatus.GIVEN_UP, failures=failures, reason=reason, detail=detail)
        return _with(run, hour, gone)
    pause_s = min(retry_s * 2 ** min(failures - 1, 16), max(retry_s, LONGEST_BACK_OFF_S))
    fresh = replace(
        state,
        status=FileStatus.PENDING,
        not_before=now + timedelta(seconds=pause_s),
        failures=failures,
        reason=reason,
        detail=detail,
    )
    # What befell one hour (throttling, an outage) would befall the next one too.
    hold = max(run.hold_until or now, now + timedelta(seconds=retry_s))
    return replace(_with(run, hour, fresh), hold_until=hold)


def superseded(run: RunProgress, now: datetime) -> RunProgress:
    """A newer run has data: every hour still missing gets one last look, at once."""
    files = {
        hour: replace(state, not_before=None, absences=0)
        if state.status is FileStatus.PENDING
        else state
        for hour, state in run.files.items()
    }
    policy = replace(run.policy, deadline=now)
    return replace(run, files=files, policy=policy, at_edge=False)


def _askable(run: RunProgress) -> Iterator[tuple[int, datetime | None]]:
    """Pending hours that may be asked for, lowest first, and from when on."""
    ahead = 0
    away = 0
    needed = run.needed
    for hour in sorted(run.files):
        state = run.files[hour]
        if state.status is FileStatus.PENDING and hour in needed:
            if away >= PATIENCE or (not run.policy.batch and ahead >= run.policy.ahead_hours):
                return
            yield hour, state.not_before
            if state.absences >= PATIENCE:
                away += 1
            elif state.absences or run.at_edge:
                return
        waits = hour in run.waiting and state.status is not FileStatus.GIVEN_UP
        ahead += waits or hour in run.drawing


def _places(run: RunProgress) -> int:
    busy = sum(state.status is FileStatus.FETCHING for state in run.files.values())
    return max(0, run.policy.fetches_at_once - busy)


def _late(run: RunProgress, now: datetime) -> bool:
    return run.policy.deadline is not None and now >= run.policy.deadline


def _with(run: RunProgress, hour: int, state: FileState) -> RunProgress:
    return replace(run, files={**run.files, hour: state})
