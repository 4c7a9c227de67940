"""When work may start: a table of looks at the machine and what follows from them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.upkeep.looks import LIMITS, LOW, MIDDLING, WELL, look
from twf_async.upkeep.verdict import Verdict, judge


def follow(*looks, every_s=5.0, running=1):
    verdict, seen = Verdict(), []
    for number, now in enumerate(looks):
        verdict = judge(verdict, now, LIMITS, number * every_s, running=running)
        seen.append(verdict)
    return seen


def test_too_little_memory_pauses_at_once_and_only_lasting_calm_resumes():
    paused = [bool(v.paused) for v in follow(WELL, LOW, MIDDLING, WELL, WELL, WELL, WELL, WELL)]
    assert paused == [False, True, True, True, True, True, False, False]


def test_a_relapse_begins_the_calm_anew():
    seen = follow(LOW, WELL, WELL, MIDDLING, WELL, WELL, WELL, WELL)
    assert [bool(v.paused) for v in seen] == [True] * 7 + [False]


def test_between_the_thresholds_nothing_changes():
    assert not any(v.paused for v in follow(*[MIDDLING] * 9))


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"memory_available_mb": 99.0}, "memory low"),
        ({"memory_stall_pct": 11.0}, "memory stalls"),
        ({"swap_used_pct": 95.0, "memory_available_mb": 150.0}, "swap full"),
        ({"swap_used_pct": 95.0}, ""),
        ({"io_stall_pct": 70.0}, "disk stalls"),
        ({"iowait_pct": 70.0}, "disk stalls"),
        ({"iowait_pct": 70.0, "io_stall_pct": 1.0}, ""),
    ],
)
def test_each_shortage_has_its_name(changes, reason):
    assert follow(look(**changes))[0].paused == reason


def test_a_full_swap_does_not_flap_at_the_share_that_resumes_otherwise():
    near = [look(swap_used_pct=95.0, memory_available_mb=mb) for mb in (199.0, 201.0) * 20]
    paused = [bool(v.paused) for v in follow(*near)]
    assert paused == [True] * 40
    clearly = [look(swap_used_pct=95.0, memory_available_mb=260.0)] * 5
    assert [bool(v.paused) for v in follow(near[0], *clearly)] == [True] * 4 + [False] * 2


def test_a_machine_that_is_not_seen_is_held_and_calm_begins_when_it_is_seen_again():
    seen = follow(WELL, None, None, WELL, WELL, WELL, WELL)
    assert [v.paused for v in seen] == ["", *["the machine cannot be seen"] * 5, ""]


def test_unseen_for_long_with_nothing_in_flight_single_jobs_go_on():
    looks = [None] * int(LIMITS.starved_s / 5 * 2)
    assert [n for n, v in enumerate(follow(*looks, running=0)) if v.favour] == [12]


def test_a_limit_of_nothing_is_short_of_memory_and_no_fault():
    assert follow(look(memory_limit_mb=0.0, memory_available_mb=0.0))[0].paused == "memory low"


def test_no_swap_is_no_shortage_of_swap_and_little_memory_pauses_all_the_same():
    none = {"swap_total_mb": 0.0, "swap_used_pct": 0.0}
    assert not follow(look(**none, memory_available_mb=150.0))[0].paused
    assert follow(look(**none, memory_available_mb=99.0))[0].paused == "memory low"


def test_an_io_wait_storm_holds_work_until_it_is_clearly_over():
    storm, abating, over = (look(io_stall_pct=pct) for pct in (75.0, 40.0, 20.0))
    seen = follow(storm, abating, abating, over, over, over, over)
    assert [v.paused for v in seen] == ["disk stalls"] * 6 + [""]


def test_a_long_pause_with_nothing_in_flight_lets_single_jobs_through():
    looks = [LOW] * int(LIMITS.starved_s / 5 * 3)
    favours = [n * 5.0 for n, v in enumerate(follow(*looks, running=0)) if v.favour]
    assert favours == [60.0, 120.0]
    assert not any(v.favour for v in follow(*looks, running=1))


@given(st.lists(st.floats(0, 1000), min_size=1, max_size=60))
def test_the_gate_is_open_only_when_it_may_be(available):
    seen = follow(*(look(memory_available_mb=mb) for mb in available))
    for n, (verdict, mb) in enumerate(zip(seen, available, strict=True)):
        if mb < 100:
            assert verdict.paused
        if n and seen[n - 1].paused and not verdict.paused:
            steps = int(LIMITS.calm_s / 5)
            assert all(before > 200 for before in available[n - steps : n + 1])
