import asyncio
import time
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twf_async.fetch.pacer import Allowance, Pacer


async def leaving(pacer, *whose):
    """Let requests of these go at once; who left when, in order."""
    loop = asyncio.get_running_loop()
    left = []

    async def ask(who):
        await pacer.wait(who)
        left.append((loop.time(), who))

    await asyncio.gather(*(ask(who) for who in whose))
    return left


def most_within(times, window_s):
    return max(sum(at <= other < at + window_s for other in times) for at in times)


def gaps_after(allowance, *quiet_s):
    """Seconds between requests, each of which would like to leave so long after the one before."""
    now, left = 1000.0, []
    for pause_s in (0.0, *quiet_s):
        now = allowance.free_at(now + pause_s)
        allowance.leaves(now)
        left.append(now)
    return [round(after - before, 3) for before, after in pairwise(left)]


def test_requests_leave_one_by_one_and_those_of_an_hour_in_quick_step_after_a_quiet_time():
    at_once = [0.0] * 5
    quick = [0.606, 0.606, 0.606, 1.01, 1.01]
    assert gaps_after(Allowance(60), *at_once, 6.0, *at_once) == [*quick, 6.0, *quick]


def test_a_quiet_time_that_was_short_gives_back_as_much_as_it_was_longer_than_a_beat():
    """Looks every two seconds leave the quick step of the hour that they find as it was."""
    assert gaps_after(Allowance(60), *[0.0] * 5, 1.414, 0.0, 0.0)[5:] == [1.414, 0.606, 1.01]
    assert gaps_after(Allowance(60), *[2.0] * 9, 0.0, 0.0, 0.0, 0.0)[9:] == [0.606] * 3 + [1.01]


@pytest.mark.parametrize(
    ("per_min", "step_s"), [(30, 1.01), (40, 0.757), (60, 0.606), (85, 0.606), (100, 0.606)]
)
def test_no_two_requests_are_closer_than_at_a_hundred_a_minute_or_than_half_a_beat(per_min, step_s):
    assert min(gaps_after(Allowance(per_min), 60.0, *[0.0] * 9, 60.0, *[0.0] * 9)) == step_s


async def test_no_turn_is_given_before_its_time():
    pacer, loop = Pacer(1200), asyncio.get_running_loop()
    began = loop.time()
    await leaving(pacer, *[""] * 10)
    assert loop.time() - began >= 8.4 * 60 / 1200
    assert pacer.last_minute() == 10


@given(
    per_min=st.sampled_from([1, 2, 5, 40, 60, 85, 100]),
    quiet_s=st.lists(st.sampled_from([0.0, 0.0, 0.0, 0.4, 1.0, 3.0, 30.0, 59.9]), max_size=300),
)
@settings(deadline=None)
def test_no_minute_holds_more_requests_than_allowed_whatever_the_quiet_between(per_min, quiet_s):
    allowance, now, left = Allowance(per_min), 1000.0, []
    for pause in quiet_s:
        now = allowance.free_at(now + pause)
        allowance.leaves(now)
        left.append(now)
    late = [at + 0.05 * (number % 2) for number, at in enumerate(left)]  # as they may arrive
    assert not left or most_within(sorted(late), 60.0) <= per_min
    assert not left or most_within(left, 60 / per_min) <= 2
    closest_s = min(60 / per_min, max(30 / per_min, 0.6))
    assert all(after - before >= closest_s for before, after in pairwise(left))


def test_who_asks_without_a_pause_gets_the_whole_budget():
    allowance, now = Allowance(60), 1000.0
    for _ in range(600):
        now = allowance.free_at(now)
        allowance.leaves(now)
    assert now - 1000.0 < 600 * 1.011
    assert allowance.last_minute(now) >= 59


async def test_a_waiting_request_that_is_cancelled_takes_no_turn():
    pacer = Pacer(600)
    await pacer.wait()
    waiting = asyncio.create_task(pacer.wait())
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.wait({waiting})

    await pacer.wait()

    assert pacer.last_minute() == 2


async def test_who_is_cancelled_at_the_moment_of_his_turn_holds_up_nobody():
    pacer, loop = Pacer(1200), asyncio.get_running_loop()
    await pacer.wait()
    cancelled = asyncio.create_task(pacer.wait())
    other = asyncio.create_task(pacer.wait())
    await asyncio.sleep(0)
    loop.call_later(0.001, cancelled.cancel)
    time.sleep(0.1)  # noqa: ASYNC251 - so that the loop finds both due at once

    async with asyncio.timeout(60):
        await other

    assert cancelled.cancelled()
    assert pacer.last_minute() == 2


async def test_whoever_had_fewest_turns_goes_first_so_that_a_long_queue_holds_up_nobody():
    pacer = Pacer(3000)
    await leaving(pacer, *["aigfs"] * 3)

    left = await leaving(pacer, *["aigfs"] * 6, *["gfs"] * 3)

    assert [who for _, who in left][:4] in (["gfs"] * 3 + ["aigfs"], ["aigfs"] + ["gfs"] * 3)


async def test_of_equals_who_came_first_goes_first():
    pacer = Pacer(6000)
    left = await leaving(pacer, "gfs", "hrrr", "gfs", "hrrr")
    assert [who for _, who in left] == ["gfs", "hrrr", "gfs", "hrrr"]
