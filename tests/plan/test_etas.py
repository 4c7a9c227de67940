from dataclasses import replace
from datetime import UTC, datetime, timedelta

from twf_async.plan import schedule
from twf_async.plan.arrivals import Window
from twf_async.plan.etas import etas, worth_telling
from twf_async.plan.progress import FileState, Policy, RunProgress

NOW = datetime(2026, 1, 29, 16, tzinfo=UTC)


def s(seconds):
    return NOW + timedelta(seconds=seconds)


def expecting(**hours):
    windows = {int(h[1:]): Window(s(at - 5), s(at), s(at + 5)) for h, at in hours.items()}
    run = RunProgress(Policy(), {}, {hour: FileState() for hour in windows})
    return schedule.expecting(run, windows)


def test_pending_hours_are_expected_when_they_are_likely():
    assert etas(expecting(f003=30, f006=69), NOW) == {3: s(30), 6: s(69)}


def test_what_is_late_makes_the_later_ones_late():
    run = expecting(f003=30, f006=69)
    run = schedule.absent(run, 3, s(90), chance=0.5)
    found = etas(run, s(90))
    assert found[3] > s(90)
    assert found[6] - found[3] == timedelta(seconds=39)


def test_an_hour_that_was_overtaken_does_not():
    run = expecting(f003=30, f006=69, f009=600)
    run = schedule.absent(run, 3, s(300), chance=0.5)
    run = schedule.fetched(schedule.fetching(run, 6), 6, frozenset())
    assert etas(run, s(300))[9] == s(600)


def test_only_changes_of_more_than_a_little_are_told():
    told = {3: s(30), 6: s(1000)}
    assert worth_telling(told, {3: s(55), 6: s(1050), 9: s(70)}, NOW) == {9: s(70)}
    assert worth_telling(told, {3: s(90), 6: s(1300)}, NOW) == {3: s(90), 6: s(1300)}


def test_hours_that_nothing_is_known_of_have_none():
    run = expecting(f003=30)
    assert etas(replace(run, files={**run.files, 6: FileState()}), NOW) == {3: s(30)}
