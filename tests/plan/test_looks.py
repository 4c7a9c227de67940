from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from twf_async.plan.arrivals import Window
from twf_async.plan.looks import (
    AFTER_S,
    RAREST,
    SPREAD,
    TIGHT_S,
    UNLIKELY,
    Pace,
    first_look,
    look_again,
)

NOW = datetime(2026, 1, 29, 16, tzinfo=UTC)
PACES = st.builds(Pace, st.floats(0.1, 120), st.booleans(), st.booleans())
CHANCES = st.floats(0, 1)


@st.composite
def windows(draw):
    low = NOW + timedelta(seconds=draw(st.floats(-30_000, 30_000)))
    likely = low + timedelta(seconds=draw(st.floats(0, 3000)))
    early_s = draw(st.none() | st.floats(0, 300))
    earliest = None if early_s is None else low - timedelta(seconds=early_s)
    return Window(low, likely, likely + timedelta(seconds=draw(st.floats(0, 3000))), earliest)


@given(window=st.none() | windows(), pace=PACES, chance=CHANCES)
def test_a_next_look_is_never_in_the_past_nor_sooner_or_later_than_allowed(window, pace, chance):
    pause = (look_again(window, NOW, pace=pace, chance=chance) - NOW).total_seconds()
    assert min(TIGHT_S, pace.usual_s) - 1e-6 <= pause
    assert pause <= max(RAREST * pace.usual_s * (1 + SPREAD), pace.tight_s) + 1e-6


@given(window=windows(), pace=PACES, eager=st.booleans(), chance=CHANCES)
def test_nothing_is_looked_for_before_it_may_come(window, pace, eager, chance):
    first = first_look(window, pace=pace, eager=eager, chance=chance)
    latest = window.high + timedelta(seconds=AFTER_S + SPREAD * pace.tight_s)
    assert (window.earliest or window.low) <= first <= latest
    saved = first_look(window, pace=pace, eager=False, chance=chance)
    assert first_look(window, pace=pace, eager=True, chance=chance) <= saved


@settings(deadline=None)  # thousands of looks, where nothing is known of the pause
@given(
    window=windows(),
    pace=PACES,
    chance=CHANCES,
    comes_s=st.floats(-3000, 20_000),
)
def test_what_comes_is_found_within_a_fifth_of_the_time_that_it_is_late(
    window, pace, chance, comes_s
):
    """Or within a third of its window, if it is in time; a few seconds in any case; two pauses of
    the usual kind where it comes before its window, as a run may."""
    comes = window.high + timedelta(seconds=comes_s)
    now = first_look(window, pace=pace, eager=True, chance=chance)
    start, looks = now, 0
    while now < comes:
        again = look_again(window, now, pace=pace, chance=chance)
        assert again > now
        now, looks = again, looks + 1
    width = (window.high - window.low).total_seconds()
    late = max(0.0, (now - window.likely).total_seconds())
    early = UNLIKELY * pace.usual_s if comes < window.low else 0.0
    longest = max(width / 3, late / 5, early, pace.tight_s) * (1 + SPREAD)
    if looks:
        assert (now - comes).total_seconds() <= min(longest, pace.rarest_s * (1 + SPREAD)) + 1e-6
    else:
        assert now == start


def test_looks_that_may_cost_more_begin_before_the_likeliest_moment_while_they_are_afforded():
    window = Window(NOW, NOW + timedelta(seconds=10), NOW + timedelta(seconds=20))
    usual, early = Pace(30), Pace(30, early=True)

    def first_s(pace, *, eager=True):
        return (first_look(window, pace=pace, eager=eager, chance=0.0) - NOW).total_seconds()

    assert (first_s(usual), first_s(early)) == (10.5, 0.0)
    assert first_s(early, eager=False) == first_s(usual, eager=False) == 16.5
    assert first_s(Pace(30, saving=True), eager=False) == 20.5
    pauses = [look_again(window, NOW, pace=pace, chance=0.5) - NOW for pace in (usual, early)]
    assert pauses == [timedelta(seconds=20 / 3), timedelta(seconds=20 / 7)]


def test_the_beginning_of_a_run_is_looked_for_every_few_seconds_and_now_and_then_before():
    pace = Pace(30, whole_run=True)

    def seconds(width_s, at_s, *, earliest_s=None):
        earliest = None if earliest_s is None else NOW + timedelta(seconds=earliest_s)
        low, high = NOW, NOW + timedelta(seconds=width_s)
        window = Window(low, low + (high - low) / 2, high, earliest)
        first = first_look(window, pace=pace, eager=False, chance=0.0)
        again = look_again(window, NOW + timedelta(seconds=at_s), pace=pace, chance=0.5)
        return (first - NOW).total_seconds(), (again - NOW).total_seconds() - at_s

    assert seconds(240, 100) == (0, 10)
    assert seconds(30, 10) == (0, 2)
    assert seconds(900, 10, earliest_s=0) == (0, 12)  # however wide
    assert seconds(1600, 10, earliest_s=0) == (0, 20)  # but eighty looks are enough
    assert seconds(900, 10) == (0, 30)  # of a window that nothing was learned of
    assert seconds(300, -200, earliest_s=-250) == (-250, 60)
    assert seconds(300, -20, earliest_s=-250) == (-250, 20 + 0.5 * SPREAD * 2)
    assert seconds(300, 300 + 200) == (0, 20)  # late
    pace = Pace(30, whole_run=True, early=True)
    assert seconds(288, 100) == (0, 6)


def test_looks_grow_rare_with_lateness():
    window = Window(NOW, NOW + timedelta(seconds=2), NOW + timedelta(seconds=4))
    pauses, now = [], window.likely
    while now < NOW + timedelta(hours=1):
        again = look_again(window, now, pace=Pace(30), chance=0.5)
        pauses.append((again - now).total_seconds())
        now = again
    assert pauses[0] == 2
    assert pauses[-1] == 120
    assert pauses == sorted(pauses)
    assert len(pauses) < 60
