"""What is done with the workers: a table of looks, workers, and the steps that follow."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.upkeep.looks import CRITICAL, LIMITS, LOW, MIDDLING, WELL, look
from twf_async.upkeep.relief import Relief, Staff, Step, relieve

EVERY_S = 5.0
TWO_IDLE = Staff(size=2, full=2, idle=2, busy=0, each_mb=100.0)


def follow(staff, *looks):
    """The steps taken, each with its time; the staff is as the steps make it."""
    state, steps = Relief(), []
    for number, now in enumerate(looks):
        at_s = number * EVERY_S
        state = relieve(state, now, LIMITS, at_s, staff)
        if state.step is not None:
            steps.append((at_s, state.step))
        change = {Step.SHRINK: -1, Step.GROW: 1}.get(state.step, 0)
        idle = min(staff.idle, staff.size + change)
        staff = replace(staff, size=staff.size + change, idle=idle)
    return steps


R, S, G, H = Step.RECYCLE, Step.SHRINK, Step.GROW, Step.HAND_BACK


@pytest.mark.parametrize(
    ("staff", "looks", "steps"),
    [
        pytest.param(TWO_IDLE, [WELL] * 99, [], id="all is well"),
        pytest.param(TWO_IDLE, [WELL, LOW, WELL] * 9, [], id="low for a moment only"),
        pytest.param(TWO_IDLE, [LOW] * 30, [(10, R), (20, R)], id="low: each idle worker once"),
        pytest.param(
            TWO_IDLE, [LOW, MIDDLING] * 9, [(10, R), (20, R)], id="not yet calm is still low"
        ),
        pytest.param(replace(TWO_IDLE, idle=0), [LOW] * 99, [], id="low, but all have a job"),
        pytest.param(
            TWO_IDLE,
            [CRITICAL] * 99,
            [(10, R), (20, R), (50, S)],
            id="critical: recycle first, then one slot less, but never the last one",
        ),
        pytest.param(
            replace(TWO_IDLE, size=4, full=4, idle=0),
            [CRITICAL] * 99,
            [(30, S), (60, S), (90, S)],
            id="critical, all have a job: slots are given up one at a time",
        ),
        pytest.param(
            replace(TWO_IDLE, idle=0, busy=2),
            [CRITICAL] * 40,
            [(30, S), (90, H), (150, H)],
            id="critical still, and jobs run side by side: at the very last one is handed back",
        ),
        pytest.param(
            replace(TWO_IDLE, size=1, full=1, idle=0, busy=1),
            [CRITICAL] * 99,
            [],
            id="a job that runs alone is let be",
        ),
        pytest.param(
            replace(TWO_IDLE, idle=0, busy=2), [LOW] * 99, [], id="low alone hands nothing back"
        ),
        pytest.param(
            replace(TWO_IDLE, size=1, idle=0),
            [WELL] * 99,
            [(300, G)],
            id="ample for long: back to what was configured, not above",
        ),
        pytest.param(
            replace(TWO_IDLE, size=1, full=3, idle=0),
            [WELL] * 150,
            [(300, G), (600, G)],
            id="back one at a time",
        ),
        pytest.param(
            replace(TWO_IDLE, size=1, idle=0),
            [look(memory_available_mb=250.0)] * 150,
            [],
            id="one more would make it low again",
        ),
        pytest.param(
            replace(TWO_IDLE, size=1, idle=0),
            ([WELL] * 50 + [MIDDLING]) * 4,
            [],
            id="ample, but never for long",
        ),
        pytest.param(
            replace(TWO_IDLE, idle=0),
            [CRITICAL] * 7 + [MIDDLING] * 60 + [CRITICAL] * 7,
            [(30, S)],
            id="between the thresholds nothing changes",
        ),
        pytest.param(
            replace(TWO_IDLE, idle=0),
            [CRITICAL, LOW] * 7,
            [(30, S)],
            id="critical until it is not even low",
        ),
        pytest.param(
            TWO_IDLE,
            [look(memory_stall_pct=20.0)] * 9,
            [(10, R), (20, R)],
            id="stalls count as low",
        ),
        pytest.param(
            TWO_IDLE,
            [look(memory_available_mb=150.0, swap_used_pct=95.0)] * 9,
            [(10, R), (20, R)],
            id="full swap counts as low",
        ),
        pytest.param(
            TWO_IDLE, [look(io_stall_pct=90.0)] * 99, [], id="a slow disk is no want of memory"
        ),
    ],
)
def test_steps_follow_from_looks(staff, looks, steps):
    assert follow(staff, *looks) == steps


def test_when_memory_was_well_in_between_workers_may_be_recycled_again():
    steps = follow(TWO_IDLE, *[LOW] * 9, *[WELL] * 3, *[LOW] * 9)
    assert [step for _, step in steps] == [R, R, R, R]


def test_a_job_that_was_let_through_makes_its_worker_worth_recycling_again():
    state = Relief()
    steps = []
    for number in range(12):
        favoured = number == 8
        state = relieve(state, LOW, LIMITS, number * EVERY_S, TWO_IDLE, favoured=favoured)
        steps.append(state.step)
    assert steps.count(R) == 4
    assert steps[5:8] == [None] * 3


@given(
    st.lists(st.floats(0, 1000), max_size=200),
    st.integers(1, 4),
    st.integers(0, 4),
)
def test_there_are_never_less_than_one_nor_more_slots_than_configured(available, full, idle):
    idle = min(idle, full)
    staff = Staff(full, full, idle, full - idle, 100.0)
    state, stepped_at_s = Relief(), None
    for number, mb in enumerate(available):
        at_s = number * EVERY_S
        state = relieve(state, look(memory_available_mb=mb), LIMITS, at_s, staff)
        if state.step is not None:
            assert stepped_at_s is None or at_s - stepped_at_s >= LIMITS.recycle_after_s
            stepped_at_s = at_s
        assert state.step is not Step.RECYCLE or staff.idle > 0
        assert state.step is not Step.SHRINK or mb < 100
        assert state.step is not Step.GROW or mb > 300
        assert state.step is not Step.HAND_BACK or (staff.busy > 1 and staff.size == 1)
        size = staff.size + {Step.SHRINK: -1, Step.GROW: 1}.get(state.step, 0)
        assert 1 <= size <= full
        staff = replace(staff, size=size, idle=min(staff.idle, size))
