from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twf_async.plan.arrivals import Arrival
from twf_async.plan.runs import cycle_name, cycle_time, hours_of_cycle
from twf_async.plan.timetable import Timetable
from twf_async.settings.load import load

CYCLE = "2026012912"
START = cycle_time(CYCLE)


def at(minutes, seconds=0):
    return START + timedelta(minutes=minutes, seconds=seconds)


@pytest.fixture(scope="module")
def models(config_dir):
    return load(config_dir, {}).catalog.models


def past(*runs, every_h=24):
    """Arrivals of earlier runs, the newest first: each hour -> seconds after its cycle."""
    found = []
    for back, hours in enumerate(runs, 1):
        start = START - timedelta(hours=every_h * back)
        for hour, seconds in hours.items():
            found.append(Arrival(cycle_name(start), hour, start + timedelta(seconds=seconds)))
    return found


def test_with_nothing_learned_the_configuration_says_when(models):
    gfs = Timetable(models["gfs"], CYCLE)
    assert gfs.first().likely == gfs.window(0).likely == at(205)
    f000 = Arrival(CYCLE, 0, at(210))
    assert gfs.window(3, f000).likely == at(210, 39)
    assert gfs.window(6, f000).likely == at(210, 78)
    f120 = Arrival(CYCLE, 120, at(240))
    assert gfs.window(126, f120).likely == at(240, 6 * 18.3)
    assert Timetable(models["hrrr"], CYCLE).window(19, Arrival(CYCLE, 17, at(85))).likely == at(
        85, 120 + 48
    )


def test_a_model_without_a_cadence_has_no_expectation_until_it_is_learned(models):
    model = models["gfs"].model_copy(update={"cadence": ()})
    plain = Timetable(model, CYCLE)
    assert plain.window(3) is plain.window(3, Arrival(CYCLE, 0, at(210))) is None
    learned = Timetable.learned(model, CYCLE, past(*[{0: 12000, 3: 12040}] * 3))
    assert learned.window(3, Arrival(CYCLE, 0, at(210))).likely == at(210, 40)


def test_it_learns_from_three_runs_on_and_one_strange_run_among_many_does_not_matter(models):
    usual = {0: 12600, 3: 12650}
    two = Timetable.learned(models["gfs"], CYCLE, past(usual, usual))
    assert two.first().likely == at(205)
    many = Timetable.learned(models["gfs"], CYCLE, past({0: 20000, 3: 29000}, *[usual] * 9))
    assert many.first().likely == at(210)
    window = many.window(3, Arrival(CYCLE, 0, at(230)))
    assert window.likely == at(230, 50)
    assert window.high - window.low < timedelta(seconds=5)


def test_a_run_may_begin_as_early_as_any_but_no_stranger_makes_looks_begin_before_five_minutes(
    models,
):
    usual = [{0: 12600 + 10 * number, 3: 12650 + 10 * number} for number in range(12)]

    def first(*earlier):
        return Timetable.learned(models["gfs"], CYCLE, past(*usual, *earlier)).first()

    assert first().low < at(0, 12600) < first().likely < at(0, 12710)
    assert first({0: 12520}).low < at(0, 12520)
    likely = first({0: 3000}).likely
    assert likely - first({0: 3000}).low == timedelta(minutes=5, seconds=1)
    assert first({0: 20000}).high < at(0, 12800)


def test_runs_at_the_same_time_of_day_count_before_the_others(models):
    night = past(*[{0: 12000}] * 4, every_h=24)
    others = [
        Arrival(name, 0, cycle_time(name) + timedelta(seconds=14000))
        for name in ("2026012906", "2026012900", "2026012818", "2026012806")
    ]
    learned = Timetable.learned(models["gfs"], CYCLE, night + others)
    assert learned.first().likely == at(200)
    assert Timetable.learned(models["gfs"], CYCLE, others).first().likely == at(0, 14000)


def test_the_run_itself_is_no_precedent(models):
    own = [Arrival(CYCLE, 0, at(300))] * 3
    assert Timetable.learned(models["gfs"], CYCLE, own).first().likely == at(205)


HISTORY = st.lists(
    st.dictionaries(st.integers(0, 18), st.integers(0, 30_000), max_size=19), max_size=20
)


@given(
    history=HISTORY,
    hour=st.integers(0, 18),
    since=st.none() | st.integers(0, 18),
    minutes=st.floats(0, 600),
)
def test_whatever_was_learned_a_window_is_in_order_and_moves_with_its_anchor_or_the_clock(
    models, history, hour, since, minutes
):
    table = Timetable.learned(models["hrrr"], CYCLE, past(*history, every_h=1))
    assert set(hours_of_cycle(models["hrrr"], CYCLE)) >= {hour}
    anchor = None if since is None else Arrival(CYCLE, since, at(minutes))
    window = table.window(hour, anchor)
    assert window.low <= window.likely <= window.high
    if anchor is not None:
        later = table.window(hour, Arrival(CYCLE, since, anchor.at + timedelta(hours=1)))
        by_clock = window.earliest is not None or later.earliest is not None
        assert by_clock or later.likely - window.likely == timedelta(hours=1)


def test_an_hour_that_keeps_to_the_clock_is_expected_by_it_where_the_one_before_varies(models):
    runs = [{0: 12300 + 60 * number, 3: 12900 + number} for number in range(8)]
    learned = Timetable.learned(models["gfs"], CYCLE, past(*runs))
    early = learned.window(3, Arrival(CYCLE, 0, at(0, 12310)))
    assert abs(early.likely - at(0, 12903)) < timedelta(seconds=5)
    assert early.width < timedelta(seconds=60)
    late = learned.window(3, Arrival(CYCLE, 0, at(300)))
    assert late.likely > at(300)


def test_times_are_aware(models):
    assert Timetable(models["gfs"], CYCLE).first().low.tzinfo is UTC
    assert isinstance(Timetable(models["gfs"], CYCLE).first().low, datetime)
