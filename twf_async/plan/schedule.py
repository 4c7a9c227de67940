"""What an answer makes of a run, and when it is asked for again. Pure: time is handed in.

Which hour's turn it is: plan/turns.py.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from render_farm.domain.fields import MessageKey
from twf_async.plan.arrivals import Window
from twf_async.plan.looks import Pace, first_look, look_again
from twf_async.plan.progress import FileState, FileStatus, RunProgress
from twf_async.plan.timetable import LOOSE

NOT_PUBLISHED = "not published"
SUPERSEDED = "superseded"
LONGEST_BACK_OFF_S = 300.0


def fetching(run: RunProgress, hour: int) -> RunProgress:
    """An hour is being asked for."""
    return _with(run, hour, replace(run.files[hour], status=FileStatus.FETCHING, not_before=None))


def fetched(
    run: RunProgress, hour: int, missing: frozenset[MessageKey], *, requests: int = 0
) -> RunProgress:
    """An hour's files are there; *missing* is not in them and never will be.

    requests  that it has cost, its inventory included; none where it was in the cache
    """
    waited_for = run.files[hour].absences > 0
    run = replace(
        run,
        at_edge=run.at_edge and waited_for,
        paid=run.paid + (requests > 0),
        requests=run.requests + requests,
    )
    return _with(run, hour, FileState(FileStatus.FETCHED, missing=missing))


def came(run: RunProgress, hour: int, at: datetime | None) -> RunProgress:
    """An hour was found, and is now being downloaded. at: since when it is there, if known."""
    waited_for = run.files[hour].absences > 0
    return replace(
        run,
        came=run.came + 1,
        progressed_at=at or run.progressed_at,
        at_edge=run.at_edge and waited_for,
    )


def absent(run: RunProgress, hour: int, now: datetime, *, chance: float = 0.5) -> RunProgress:
    """The other side does not have the hour yet. chance: 0 to 1, spreads looks."""
    state = run.files[hour]
    if not run.policy.wait or _late(run, now):
        gone = replace(
            state, status=FileStatus.GIVEN_UP, reason=NOT_PUBLISHED, detail=_since(run, now)
        )
        return _with(run, hour, gone)
    run = replace(run, misses=run.misses + 1, at_edge=True)
    again = look_again(run.windows.get(hour), now, pace=_pace(run, hour, now), chance=chance)
    again = now + (again - now) * _rank(run, hour)
    fresh = replace(
        state,
        status=FileStatus.PENDING,
        not_before=again,
        missed_at=now,
        absences=state.absences + 1,
    )
    return _with(run, hour, fresh)


def expecting(
    run: RunProgress, windows: Mapping[int, Window], *, chance: float = 0.5
) -> RunProgress:
    """It became clearer when hours come: those not looked for yet are looked for then."""
    if not run.policy.wait:
        return run  # whoever does not wait wants every answer now
    # An hour that a later one overtook keeps its window: it is late by that.
    windows = {**run.windows, **windows}
    run = replace(run, windows=windows)
    files, eager, saving = dict(run.files), run.eager, run.overdrawn
    for hour, state in run.files.items():
        if state.status is FileStatus.PENDING and not state.absences and not state.failures:
            window = windows.get(hour)
            look = None
            if window is not None:
                pace = replace(_pace(run, hour), saving=saving)
                look = first_look(window, pace=pace, eager=eager, chance=chance)
            files[hour] = replace(state, not_before=look)
    return replace(run, files=files)


def failed(
    run: RunProgress,
    hour: int,
    now: datetime,
    *,
    reason: str,
    detail: str,
    retry_s: float | None,
    holds_run: bool = True,
) -> RunProgress:
    """Fetching an hour failed; retry_s None: asking again cannot help.

    holds_run  what befell one hour (throttling, an outage) would befall the next one too
    """
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
    if not holds_run:
        # It is there, and so may be the next one.
        run = replace(run, at_edge=False)
        return _with(run, hour, replace(fresh, absences=0))
    hold = max(run.hold_until or now, now + timedelta(seconds=retry_s))
    return replace(_with(run, hour, fresh), hold_until=hold)


def abandoned(run: RunProgress, now: datetime) -> RunProgress:
    """A newer run has data: hours that should be there get one last look, the rest none."""
    files = {
        hour: _last_look(state, run.windows.get(hour), now)
        if state.status is FileStatus.PENDING
        else state
        for hour, state in run.files.items()
    }
    policy = replace(run.policy, deadline=now, stalls=timedelta(0))
    return replace(run, files=files, policy=policy, at_edge=False)


def _last_look(state: FileState, window: Window | None, now: datetime) -> FileState:
    if window is not None and window.low > now:
        return FileState(FileStatus.GIVEN_UP, reason=SUPERSEDED)
    return replace(state, not_before=None, absences=0)


def _rank(run: RunProgress, hour: int) -> int:
    """1 for the hour whose turn it is; those tried after it in vain are tried more rarely."""
    frontier = run.frontier
    before = (
        state.status is FileStatus.PENDING and state.absences > 0
        for other, state in run.files.items()
        if frontier < other < hour
    )
    return 1 + sum(before)


def _pace(run: RunProgress, hour: int, now: datetime | None = None) -> Pace:
    """How often to look for an hour: with a second one that keeps nobody's time a run begins."""
    pace, window = run.policy.pace, run.windows.get(hour)
    if window is None or hour not in sorted(run.files)[:2]:
        return pace
    late = now is not None and now > window.high
    return replace(pace, whole_run=late or window.width > LOOSE)


def _late(run: RunProgress, now: datetime) -> bool:
    deadline = run.policy.deadline
    if deadline is not None and run.progressed_at is not None:
        deadline = max(deadline, run.progressed_at + run.policy.stalls)
    return deadline is not None and now >= deadline


def _since(run: RunProgress, now: datetime) -> str:
    """For how long nothing has come, in words, where a run was waited for."""
    if not run.policy.wait or run.progressed_at is None:
        return ""
    return f"nothing new since {run.progressed_at:%H:%M} UTC, given up at {now:%H:%M}"


def _with(run: RunProgress, hour: int, state: FileState) -> RunProgress:
    return replace(run, files={**run.files, hour: state})
