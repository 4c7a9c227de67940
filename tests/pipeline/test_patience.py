"""From when on the patience of a command counts, what ends it, and for whom."""

import asyncio
import errno
import os
from dataclasses import replace

import pytest
from structlog.testing import capture_logs

from render_farm.domain.fields import MessageKey, Statistic
from render_farm.domain.places import Box
from tests.pipeline.conftest import CYCLE, ScriptedFetcher, catalog
from twf_async.fetch.errors import (
    BrokenStream,
    DiskFailed,
    NoSpace,
    NotYetPublished,
    ServerTrouble,
    Truncated,
)
from twf_async.fetch.fetched import HourWanted
from twf_async.fetch.part import disk_error
from twf_async.pipeline import attempts
from twf_async.pipeline.attempts import Attempts, GivenUp
from twf_async.pipeline.giving_up import ImpatientFetcher
from twf_async.pipeline.once import run_once
from twf_async.pipeline.report import RunCount, RunRequest
from twf_async.pipeline.standstill import Rest

PATIENCE_S = 60.0
LONG_S = 3600.0
GFS = catalog().models["gfs"]
PNW = Box(west=-126.0, east=-110.0, south=42.0, north=49.0)
ONCE = RunRequest("gfs", CYCLE, wait=False)


class Hand:
    """A clock that is put on; it counts how often it was looked at."""

    def __init__(self):
        self.at, self.reads = -1e6, 0  # long past for the loop, which ends what is ended by it

    def __call__(self):
        self.reads += 1
        return self.at


def passing(error):
    """Of a fault that may be over at once."""
    error.retry_after_s = 0.0
    return error


def of_one_file():
    fault = passing(BrokenStream("broken; 5 times in a row after 5000 bytes"))
    fault.holds_run = False
    return fault


def no_directory():
    return disk_error("/cache/grib/gfs", OSError(errno.ENOTDIR, os.strerror(errno.ENOTDIR)))


@pytest.fixture
def hand():
    return Hand()


@pytest.fixture
async def watch(hand):
    watch = Attempts(PATIENCE_S)
    watch.now = hand
    watch.settle()
    return watch


@pytest.fixture
def source(tmp_path):
    return ScriptedFetcher(tmp_path)


@pytest.fixture
def ask(watch, source):
    """Asks the source for an hour by a command's fetcher; *look*: only whether it is there."""
    fetcher = ImpatientFetcher(source, watch)

    def asking(hour, fault=None, *, look=False):
        if fault is not None:
            source.faults[hour] = [fault]
        if look:
            return fetcher.appeared(GFS, CYCLE, hour)
        t2m = MessageKey("TMP", "2 m above ground", hour, hour, Statistic.INSTANT)
        return fetcher.hour(HourWanted(GFS, CYCLE, hour, frozenset({t2m}), PNW))

    return asking


async def test_patience_counts_from_the_last_answer_however_long_a_request_was_under_way(
    watch, hand
):
    async with watch.one(6) as slow:
        hand.at += 100
        watch.settle()
        hand.at += PATIENCE_S - 1
        assert slow.may_ask_again(ServerTrouble("502"), 0.0)
        hand.at += 2
        assert not slow.may_ask_again(ServerTrouble("502"), 0.0)


async def test_patience_does_not_run_while_nothing_is_asked(ask, hand):
    hand.at += PATIENCE_S + 1
    with pytest.raises(ServerTrouble):
        await ask(0, passing(ServerTrouble("502")))


async def test_an_hour_that_comes_between_two_failures_begins_patience_anew(ask, hand):
    with pytest.raises(ServerTrouble):
        await ask(0, passing(ServerTrouble("502")))
    hand.at += 50
    await ask(3)
    for _ in range(2):
        hand.at += 20
        with pytest.raises(ServerTrouble):
            await ask(0, passing(ServerTrouble("502")))
    hand.at += PATIENCE_S
    with pytest.raises(GivenUp):
        await ask(0, passing(ServerTrouble("502")))


async def test_an_answer_without_a_byte_ends_a_silence_too(watch, hand, monkeypatch):
    monkeypatch.setattr(attempts, "LOOK_S", 0.001)

    async def looks():
        before = hand.reads
        while hand.reads < before + 3:
            await asyncio.sleep(0.001)

    async def wait():
        async with watch.one(6) as attempt:
            attempt.asked()
            await asyncio.Event().wait()

    async with asyncio.timeout(60):
        waiting = asyncio.create_task(wait())
        await looks()
        hand.at += 50
        watch.settle()
        hand.at += PATIENCE_S - 1
        await looks()
        assert watch.given_up is None
        hand.at += 2
        with pytest.raises(GivenUp, match="not a byte"):
            await waiting


async def test_an_hour_out_of_the_cache_says_nothing_of_the_source(ask, hand, source):
    give = source.hour

    async def some_cached(wanted):
        got = await give(wanted)
        return replace(got, method="CACHED") if wanted.hour == 3 else got

    source.hour = some_cached
    with pytest.raises(ServerTrouble):
        await ask(0, passing(ServerTrouble("502")))
    hand.at += 50
    await ask(3)
    hand.at += PATIENCE_S - 49
    with pytest.raises(GivenUp):
        await ask(0, passing(ServerTrouble("502")))


@pytest.mark.parametrize(
    ("there", "then"), [((0, 3), GivenUp), ((0,), ServerTrouble)], ids=["there", "not there"]
)
async def test_that_an_hour_is_not_there_settles_it_and_that_it_is_there_does_not(
    there, then, ask, hand, source
):
    """Of a file that nobody can take the inventory appears, too."""
    source.hours = set(there)
    with pytest.raises(ServerTrouble):
        await ask(0, passing(ServerTrouble("502")))
    hand.at += 50
    try:
        await ask(3, look=True)
    except NotYetPublished:
        assert 3 not in there
    hand.at += PATIENCE_S - 49
    with pytest.raises(then):
        await ask(0, passing(ServerTrouble("502")))


async def test_an_hour_that_alone_is_damaged_is_given_up_alone(ask, hand, watch):
    for hour in (3, 6):
        with pytest.raises(BrokenStream):
            await ask(hour, of_one_file())
    await ask(3)
    with pytest.raises(BrokenStream):
        await ask(6, of_one_file())
    hand.at += PATIENCE_S + 1
    with capture_logs() as logs, pytest.raises(GivenUp, match="5 times in a row after 5000"):
        await ask(6, of_one_file())

    assert (watch.given_up, logs) == (None, [])
    with pytest.raises(ServerTrouble):  # it has not been asked for in vain for long
        await ask(9, passing(ServerTrouble("502")))


async def test_where_every_hour_is_damaged_the_source_is_given_up(ask, hand, watch, source):
    for hour in (6, 9):
        with pytest.raises(Truncated):
            await ask(hour, passing(Truncated("cut")))
    hand.at += PATIENCE_S + 1
    with pytest.raises(GivenUp):
        await ask(6, passing(Truncated("cut")))

    assert watch.given_up is not None
    asked = len(source.asked)
    with pytest.raises(GivenUp, match="nothing of use has come for long"):
        await ask(12)
    assert len(source.asked) == asked


async def test_one_damaged_hour_costs_a_run_without_any_patience_that_hour_only(open_bench):
    async with open_bench(products=["t2m"]) as bench:
        bench.fetcher.faults = {0: [of_one_file()]}
        report = await run_once(ONCE, bench.shop, patience_s=0.0)

        assert {(frame.hour, frame.reason) for frame in report.missing} == {
            (0, "connection broken")
        }
        assert {hour for *_, hour in bench.tree.published("gfs", CYCLE)} == {3, 6, 9, 12}


async def test_a_cache_that_takes_nothing_before_it_is_mended_ends_a_run_at_once(open_bench):
    async with open_bench(products=["t2m"]) as bench:
        bench.fetcher.faults = {hour: [no_directory()] for hour in (0, 3, 6, 9, 12)}
        with capture_logs() as logs:
            report = await run_once(ONCE, bench.shop, patience_s=LONG_S)

        assert {frame.reason for frame in report.missing} == {"cache unusable"}
        assert len(report.missing) == report.expected
        told = "nothing can be kept, so no more is asked for: /cache/grib/gfs: Not a directory"
        assert all(told in frame.detail for frame in report.missing)
        (line,) = [line for line in logs if line["event"] == "pipeline.cache_given_up"]
        assert line["detail"] == "/cache/grib/gfs: Not a directory"


async def test_room_on_a_full_disk_is_waited_for_as_patience_goes(ask, hand):
    with pytest.raises(NoSpace):
        await ask(0, passing(NoSpace("full")))
    hand.at += PATIENCE_S + 1
    with capture_logs() as logs, pytest.raises(GivenUp):
        await ask(0, passing(NoSpace("full")))

    assert [line["event"] for line in logs] == ["pipeline.cache_given_up"]


async def test_after_giving_up_a_cache_that_cannot_be_read_has_nothing(ask, source):
    async def unreadable(_):
        raise DiskFailed("/cache: Input/output error")

    with pytest.raises(GivenUp):
        await ask(0, no_directory())
    source.cached = unreadable
    with pytest.raises(GivenUp):
        await ask(3)


def test_a_hold_counts_for_as_long_as_nothing_moves_meanwhile():
    before, after = RunCount(9, 0, 0, 0), RunCount(9, 1, 0, 0)
    rest = Rest(0.0, before)

    assert rest.held_s(10.0, "disk nearly full", before) == 10.0
    assert rest.held_s(20.0, "disk nearly full", after) is None
    assert rest.held_s(25.0, "disk nearly full", after) == 5.0
    assert rest.held_s(30.0, "", after) is None
    assert rest.held_s(32.0, "disk nearly full", after) == 2.0
