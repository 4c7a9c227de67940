"""Whose turn it is: models take turns, newest run first, earliest hour first, nobody for ever."""

from hypothesis import given
from hypothesis import strategies as st

from twf_async.farm.turns import PATIENCE, Kind, Ticket, Turns


def ticket(number, model="gfs", cycle="2026012912", hour=0):
    return Ticket(number, Kind(model, 21, ("pnw",)), cycle, hour)


def served(waiting, turns=None, count=None):
    """The order in which the queue is worked off."""
    waiting, turns, order = list(waiting), turns or Turns(), []
    while waiting and (count is None or len(order) < count):
        chosen = turns.choose(waiting)
        waiting.remove(chosen)
        turns = turns.after(chosen)
        order.append(chosen)
    return order


def test_the_newest_run_goes_first_and_its_earliest_hour():
    old = [ticket(n, cycle="2026012906", hour=n) for n in range(3)]
    new = [ticket(10 + n, cycle="2026012912", hour=9 - n) for n in range(3)]

    order = served(old + new)

    assert [(t.cycle[-2:], t.hour) for t in order] == [
        *[("12", hour) for hour in (7, 8, 9)],
        *[("06", hour) for hour in (0, 1, 2)],
    ]


def test_a_finished_hour_of_hrrr_never_waits_behind_a_whole_run_of_gfs():
    gfs = [ticket(n, hour=3 * n) for n in range(85)]
    turns = Turns()
    for done in gfs[:20]:
        turns = turns.after(done)
    hrrr = ticket(100, "hrrr", "2026012917", 1)

    order = served([*gfs[20:], hrrr], turns)

    assert order.index(hrrr) <= 1


def test_models_take_turns_however_many_jobs_each_has():
    queue = [ticket(n, "gfs", hour=n) for n in range(30)]
    queue += [ticket(50 + n, "hrrr", hour=n) for n in range(6)]
    queue += [ticket(90 + n, "aigfs", hour=n) for n in range(6)]

    models = [t.kind.model for t in served(queue)]

    for start in range(0, 18, 3):
        assert set(models[start : start + 3]) == {"gfs", "hrrr", "aigfs"}
    assert models[18:] == ["gfs"] * 24


def test_a_question_goes_before_every_job_and_costs_no_model_its_turn():
    question = Ticket(9)

    turns = Turns().after(question)

    assert turns == Turns()
    assert served([ticket(0), ticket(1, "hrrr"), question])[0] == question


def test_a_run_that_newer_ones_overtake_for_ever_still_ends():
    old = [ticket(n, cycle="2026012900", hour=n) for n in range(5)]
    waiting, turns, numbers = list(old), Turns(), iter(range(100, 1000))
    for turn in range(5 * PATIENCE):
        waiting.append(ticket(next(numbers), cycle=f"20260130{turn:02d}"))  # always a newer one
        chosen = turns.choose(waiting)
        waiting.remove(chosen)
        turns = turns.after(chosen)

    assert not set(old) & set(waiting)


@given(st.data())
def test_nobody_waits_longer_than_the_bound_whatever_else_comes(data):
    """A job is served at the latest after PATIENCE turns of its model for each one before it."""
    models = ("gfs", "hrrr", "aigfs")
    a_job = st.tuples(st.sampled_from(models), st.integers(0, 23), st.integers(0, 48))
    waiting, turns, number = [], Turns(), 0
    victim = ticket(0, "gfs", "2026010100", 384)  # oldest run, latest hour: last by every rule
    waiting.append(victim)
    for _ in range(PATIENCE * len(models)):
        for model, run, hour in data.draw(st.lists(a_job, max_size=3)):
            number += 1
            waiting.append(ticket(number, model, f"20260201{run:02d}", hour))
        chosen = turns.choose(waiting)
        waiting.remove(chosen)
        turns = turns.after(chosen)
        if chosen == victim:
            return
    raise AssertionError(f"not served in {PATIENCE * len(models)} turns")
