import asyncio
from itertools import pairwise

import pytest

from twf_async.fetch.errors import (
    BrokenStream,
    Expired,
    NotYetPublished,
    ServerTrouble,
    Throttled,
)
from twf_async.fetch.pacing import Breaker, Pacer
from twf_async.fetch.patience import Patience


async def test_requests_leave_one_by_one_also_after_a_quiet_time():
    pacer = Pacer(1200)
    loop = asyncio.get_running_loop()
    left = []

    async def ask():
        await pacer.wait()
        left.append(loop.time())

    await asyncio.gather(*(ask() for _ in range(5)))
    await asyncio.sleep(0.2)
    await asyncio.gather(*(ask() for _ in range(5)))

    gaps = [after - before for before, after in pairwise(left)]
    assert min(gaps) >= 60 / 1200
    assert pacer.last_minute() == 10


@pytest.mark.parametrize("per_min", [1, 40, 60, 85, 100])
def test_no_minute_holds_more_requests_than_allowed(per_min):
    """Even gaps of 60 / rate * 1.01 s: a closed minute holds floor(60 / gap) + 1 of them."""
    gap_s = 60 * 1.01 / per_min
    assert int(60 / gap_s) + 1 <= per_min


async def test_a_waiting_request_that_is_cancelled_takes_no_turn():
    pacer = Pacer(600)
    await pacer.wait()
    waiting = asyncio.create_task(pacer.wait())
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.wait({waiting})

    await pacer.wait()

    assert pacer.last_minute() == 2


async def test_a_throttled_host_is_left_alone_and_then_tried_once():
    breaker = Breaker("nomads", Patience(throttle_s=0.05))
    breaker.enter()
    error = breaker.throttled("302 without a Location")
    breaker.ended()

    with pytest.raises(Throttled):
        breaker.enter()
    await asyncio.sleep(error.retry_after_s)
    breaker.enter()
    with pytest.raises(Throttled, match="one request is finding out"):
        breaker.enter()
    breaker.good()
    breaker.ended()
    breaker.enter()
    breaker.enter()


async def test_a_probe_that_tells_nothing_lets_the_next_one_try():
    breaker = Breaker("nomads", Patience(throttle_s=0.01))
    error = breaker.throttled("blocked")
    await asyncio.sleep(error.retry_after_s)

    breaker.enter()
    breaker.ended()
    breaker.enter()


async def test_refusals_of_requests_already_under_way_are_one_strike():
    breaker = Breaker("nomads", Patience(throttle_s=60))

    pauses = [breaker.throttled("302").retry_after_s for _ in range(3)]

    assert max(pauses) <= 75


async def test_the_host_may_ask_for_a_longer_pause():
    breaker = Breaker("nomads", Patience(throttle_s=60))

    assert breaker.throttled("429", 300.0).retry_after_s == pytest.approx(300, abs=1)


def test_pauses_of_a_host_double_up_to_an_hour():
    patience = Patience()

    pauses = [patience.throttle_pause_s(strike) for strike in (1, 2, 3, 99)]

    assert all(
        low <= pause <= 1.25 * low for low, pause in zip((60, 120, 240, 3600), pauses, strict=True)
    )


def test_pauses_after_errors_double_with_jitter_and_end():
    patience = Patience(attempts=3)

    first = patience.pause_s(ServerTrouble("502"), 1)
    second = patience.pause_s(ServerTrouble("502"), 2)

    assert 2.5 <= first <= 7.5
    assert 5.0 <= second <= 15.0
    assert patience.pause_s(ServerTrouble("502"), 3) is None
    assert patience.pause_s(Expired("403"), 1) is None
    assert Patience(attempts=99).pause_s(BrokenStream("reset"), 60) <= 180
    assert NotYetPublished.retry_after_s == 30.0
