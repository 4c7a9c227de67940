import asyncio

import pytest

from twf_async.fetch.errors import (
    BrokenStream,
    Expired,
    NotYetPublished,
    ServerTrouble,
    Throttled,
)
from twf_async.fetch.pacing import Breaker
from twf_async.fetch.patience import Patience


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
