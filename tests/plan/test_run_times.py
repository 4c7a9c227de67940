from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twf_async.plan.runs import (
    candidates,
    cycle_name,
    cycle_time,
    deadline,
    hours_of_cycle,
    may_exist,
    next_cycle,
)
from twf_async.settings.load import load

MOMENTS = st.integers(0, 364 * 1440).map(
    lambda minutes: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
)


@pytest.fixture(scope="module")
def models(config_dir):
    return load(config_dir, {}).catalog.models


@given(moment=MOMENTS, key=st.sampled_from(["gfs", "aigfs", "hrrr"]))
def test_candidates_are_real_cycles_that_are_due_newest_first(models, moment, key):
    model = models[key]
    found = candidates(model, moment)
    assert found
    assert list(found) == sorted(found, reverse=True)
    assert all(cycle_time(c).hour in model.cycles and may_exist(model, c, moment) for c in found)
    following = next_cycle(model, found[0])
    assert not may_exist(model, following, moment)


@given(MOMENTS)
def test_a_cycle_is_its_time(moment):
    hour = moment.replace(minute=0, second=0, microsecond=0)
    assert cycle_time(cycle_name(hour)) == hour


@pytest.mark.parametrize(
    "text", ["", "20260129", "2026012925", "2026-01-29", "202601291x", "\u0662\u0660" * 5]
)
def test_what_is_no_cycle_is_refused(text):
    with pytest.raises(ValueError):
        cycle_time(text)


def test_long_cycles_have_their_own_hours(models):
    assert hours_of_cycle(models["hrrr"], "2026012912")[-1] == 48
    assert hours_of_cycle(models["hrrr"], "2026012917")[-1] == 18


def test_waiting_ends_at_the_models_own_time(models):
    late = cycle_time("2026012912") + timedelta(hours=6)
    assert deadline(models["gfs"], "2026012912") == late
