"""Which source is asked; the answers are given, no network."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from twf_async.clock import Clock
from twf_async.fetch.answers import require_range
from twf_async.fetch.errors import RangeRefused, ServerTrouble, Unreachable
from twf_async.fetch.fallback import Fallback
from twf_async.fetch.host import Host
from twf_async.fetch.pacer import Pacer
from twf_async.fetch.pacing import Breaker
from twf_async.fetch.patience import Patience
from twf_async.fetch.sources import AWS, NOMADS, sources
from twf_async.fetch.spans import Span
from twf_async.settings.load import load
from twf_async.settings.service import UpstreamSettings

AFTER = timedelta(minutes=15)
HOUR = ("gfs", "2026012912", 9)


@dataclass
class HandClock:
    at: datetime = datetime(2026, 1, 29, 18, tzinfo=UTC)

    def now(self):
        return self.at


@pytest.fixture
def clock():
    return HandClock()


@pytest.fixture
def gfs(config_dir):
    return load(config_dir, {}).catalog.models["gfs"]


@pytest.fixture
def fallback(clock: Clock):
    hosts = {name: Host(name, Pacer(60), Breaker(name, Patience())) for name in (NOMADS, AWS)}
    return Fallback(sources(UpstreamSettings(), hosts), clock, after=AFTER)


async def from_the_mirror_alone(source):
    if source.name == NOMADS:
        raise ServerTrouble("500")
    return source.name


async def from_anywhere(source):
    return source.name


async def test_the_mirror_is_asked_once_an_hour_has_failed_for_a_while(fallback, gfs, clock):
    with pytest.raises(ServerTrouble):
        await fallback.ask(gfs, HOUR, from_the_mirror_alone)
    clock.at += AFTER

    assert await fallback.ask(gfs, HOUR, from_the_mirror_alone) == AWS


async def test_that_an_hour_is_listed_does_not_put_off_the_mirror(fallback, gfs, clock):
    """Its inventory is read before each attempt to take it, and comes each time."""
    with pytest.raises(ServerTrouble):
        await fallback.ask(gfs, HOUR, from_the_mirror_alone)
    clock.at += AFTER
    assert await fallback.ask(gfs, HOUR, from_anywhere, looks=True) == NOMADS

    assert await fallback.ask(gfs, HOUR, from_the_mirror_alone) == AWS


async def test_an_hour_that_was_late_is_not_taken_from_the_mirror_at_its_first_fault(
    fallback, gfs, clock
):
    with pytest.raises(ServerTrouble):
        await fallback.ask(gfs, HOUR, from_the_mirror_alone, looks=True)
    clock.at += AFTER

    with pytest.raises(ServerTrouble):
        await fallback.ask(gfs, HOUR, from_the_mirror_alone)


async def test_a_mirror_that_cannot_be_reached_does_not_keep_us_from_nomads(fallback, gfs, clock):
    asked, down = [], {NOMADS, AWS}

    async def from_who_is_up(source):
        asked.append(source.name)
        if source.name in down:
            raise Unreachable("no route")
        return source.name

    with pytest.raises(Unreachable):
        await fallback.ask(gfs, HOUR, from_who_is_up)
    down.remove(NOMADS)
    for _ in range(4):
        clock.at += timedelta(seconds=30)
        asked.clear()
        assert await fallback.ask(gfs, HOUR, from_who_is_up) == NOMADS

    assert asked == [NOMADS]


def test_a_range_that_the_file_cannot_hold_speaks_against_the_inventory():
    headers = {"Content-Range": "bytes 100-199/200"}

    with pytest.raises(RangeRefused) as refusal:
        require_range(206, headers, Span(100, 300))

    assert refusal.value.suspect_index
