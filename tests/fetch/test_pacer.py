import asyncio
import time
from itertools import pairwise

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


def test_requests_leave_one_by_one_and_two_in_quick_step_after_a_quiet_time():
    allowance, now, left = Allowance(60), 1000.0, []
    for quiet_s in (0.0, 0.0, 0.0, 0.0, 5.0, 0.0, 0.0, 0.0):
        now = allowance.free_at(now + quiet_s)
        allowance.leaves(now)
        left.append(now)
    gaps = [round(after - before, 3) for before, after in pairwise(left)]
    assert gaps == [0.505, 1.01, 1.01, 5.0, 0.505, 1.01, 1.01]


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
    assert all(after - before >= 30 / per_min for before, after in pairwise(left))


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

    async with asyncio.timeout(5):
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
