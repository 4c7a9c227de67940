from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twf_async.plan.runs import cycle_time, deadline
from twf_async.plan.search import RunSearch
from twf_async.plan.timetable import Timetable
from twf_async.settings.load import load

LATEST, NEXT = "2026012906", "2026012912"


@pytest.fixture(scope="module")
def models(config_dir):
    return load(config_dir, {}).catalog.models


def windows(model):
    return lambda cycle: Timetable(model, cycle).first()


def after(cycle, minutes):
    return cycle_time(cycle) + timedelta(minutes=minutes)


def test_only_a_run_that_is_nearly_due_is_asked_for(models):
    gfs = models["gfs"]
    search = RunSearch(gfs, LATEST)
    assert search.due(windows(gfs), after(NEXT, 199)) == ()
    look = search.next_look(windows(gfs), after(NEXT, 100))
    assert timedelta(0) <= look - after(NEXT, 200) < timedelta(seconds=1)
    assert search.due(windows(gfs), look) == (NEXT,)


def test_with_nothing_known_older_runs_are_asked_for_too_newest_first(models):
    gfs = models["gfs"]
    now = after(NEXT, 201)
    search = RunSearch(gfs)
    assert search.due(windows(gfs), now)[:2] == (NEXT, LATEST)
    missed = search.absent(LATEST, windows(gfs), now, chance=0.5)
    assert LATEST not in missed.due(windows(gfs), now + timedelta(minutes=5))
    assert not missed.gave_up(LATEST)


def test_a_run_whose_time_is_over_is_given_up_once_and_for_all(models):
    gfs = models["gfs"]
    late = deadline(gfs, NEXT) + timedelta(minutes=1)
    search = RunSearch(gfs, LATEST).absent(NEXT, windows(gfs), late, chance=0.5)
    assert search.gave_up(NEXT)
    assert search.due(windows(gfs), late + timedelta(minutes=30)) == ()
    assert search.overtaken("2026012918") == ()


def test_a_run_that_is_late_is_looked_for_by_its_second_hour_as_well(models):
    gfs = models["gfs"]
    search, asked = RunSearch(gfs, LATEST), []
    for minutes in (202, 212, 225, 226, 227):
        now = after(NEXT, minutes)
        asked.append(search.hour_to_ask(NEXT, windows(gfs), now))
        search = search.absent(NEXT, windows(gfs), now, chance=0.5)
    assert asked == [0, 0, 0, 3, 0]


def test_a_newer_run_overtakes_one_that_is_still_waited_for(models):
    hrrr = models["hrrr"]
    now = after("2026012912", 55)
    search = RunSearch(hrrr, "2026012910")
    assert search.due(windows(hrrr), now) == ("2026012912", "2026012911")
    search = search.absent("2026012911", windows(hrrr), now, chance=0.5)
    assert search.overtaken("2026012912") == ("2026012911",)
    assert search.found("2026012912").due(windows(hrrr), now) == ()


@given(
    key=st.sampled_from(["gfs", "aigfs", "hrrr"]),
    minutes=st.integers(0, 2000),
    known=st.booleans(),
    chances=st.lists(st.floats(0, 1), min_size=30, max_size=30),
)
def test_looks_go_forward_are_of_real_cycles_and_never_too_often(
    models, key, minutes, known, chances
):
    model = models[key]
    now = after(LATEST, minutes)
    search = RunSearch(model, LATEST if known else "")
    asked = {}
    for chance in chances:
        for cycle in search.due(windows(model), now):
            assert cycle_time(cycle).hour in model.cycles
            assert windows(model)(cycle).low <= now
            if cycle in asked:
                assert now - asked[cycle] >= timedelta(seconds=2)
            asked[cycle] = now
            search = search.absent(cycle, windows(model), now, chance=chance)
        look = search.next_look(windows(model), now)
        assert look > now
        now = look
