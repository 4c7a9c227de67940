"""How often, and for how long, a run asks for what does not come: to the last look."""

from dataclasses import replace
from datetime import timedelta

from tests.plan.test_schedule import NOW, begun, fetch
from twf_async.plan import schedule, turns
from twf_async.plan.arrivals import Window
from twf_async.plan.progress import FileStatus


def fail(run, hour, *, times):
    for _ in range(times):
        run = schedule.failed(
            schedule.fetching(run, hour), hour, NOW, reason="truncated", detail="", retry_s=1.0
        )
    return run


def test_a_run_that_does_not_wait_asks_for_a_bad_hour_as_often_as_it_says_and_no_more():
    run = begun(wait=False, attempts=3)

    assert fail(run, 0, times=2).files[0].status is FileStatus.PENDING
    assert fail(run, 0, times=3).files[0].status is FileStatus.GIVEN_UP


def test_one_that_waits_asks_until_its_deadline():
    waits = begun(attempts=3, deadline=NOW + timedelta(minutes=1))

    assert fail(waits, 0, times=9).files[0].status is FileStatus.PENDING
    assert fail(begun(attempts=3, deadline=NOW), 0, times=3).files[0].status is FileStatus.GIVEN_UP


def test_a_deadline_waits_for_a_run_that_still_comes_in():
    run = begun(deadline=NOW - timedelta(hours=1), stalls=timedelta(minutes=30))
    late = fetch(replace(run, progressed_at=NOW - timedelta(minutes=29)), 0)
    stalled = fetch(replace(run, progressed_at=NOW - timedelta(minutes=30)), 0)

    assert schedule.absent(late, 3, NOW).files[3].status is FileStatus.PENDING
    assert schedule.absent(stalled, 3, NOW).files[3].status is FileStatus.GIVEN_UP


def test_an_hour_after_one_that_stays_away_is_tried_only_once_that_is_clearly_overdue():
    due = NOW + timedelta(minutes=5)
    run = fetch(begun(), 0)
    run = replace(run, windows={3: Window(NOW, NOW, due)})
    for _ in range(turns.PATIENCE):
        run = schedule.absent(schedule.fetching(run, 3), 3, NOW)

    assert 6 not in turns.to_fetch(run, due + turns.OVERDUE - timedelta(seconds=1))
    assert 6 in turns.to_fetch(run, due + turns.OVERDUE)
