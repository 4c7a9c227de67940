"""What is done at once, for how long, and which time counts: the bounds of a run."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from twf_async.clock import Clock
from twf_async.fetch.errors import Unreachable
from twf_async.fetch.fetched import Appearance
from twf_async.pipeline.attempts import GivenUp
from twf_async.pipeline.freshness import RunFreshness
from twf_async.pipeline.gate import OPERATOR
from twf_async.pipeline.report import RunRequest
from twf_async.pipeline.run import RunPipeline
from twf_async.pipeline.working import JOBS_AT_ONCE
from twf_async.publish.manifest import RunState

CYCLE = "2026012912"
START = datetime(2026, 1, 29, 16, tzinfo=UTC)


async def until(condition):
    async with asyncio.timeout(60):
        while not condition():
            await asyncio.sleep(0.005)


def online(bench):
    return {hour for *_, hour in bench.tree.published("gfs", CYCLE)}


async def test_so_many_jobs_of_a_run_wait_for_workers_and_no_more(open_bench):
    async with open_bench(
        service={"fetch": {"mode": "batch"}}, hours="0-60/3", products=["t2m"]
    ) as bench:
        bench.renderer.places = asyncio.Semaphore(0)
        drawing = asyncio.create_task(
            RunPipeline(RunRequest("gfs", CYCLE, wait=False), bench.shop).run()
        )
        await until(lambda: len(bench.fetcher.asked) == 21)
        await until(lambda: len(bench.renderer.jobs) >= JOBS_AT_ONCE)
        for _ in range(20):
            await asyncio.sleep(0)
        waiting = len(bench.renderer.jobs)
        for _ in range(21):
            bench.renderer.places.release()
        report = await drawing

    assert waiting == JOBS_AT_ONCE == 8
    assert report.state is RunState.COMPLETE


async def test_a_run_that_two_newer_ones_have_overtaken_waits_no_more(open_bench):
    async with open_bench(clock=Clock(START), products=["t2m"]) as bench:
        bench.fetcher.hours = {0}
        pipeline = RunPipeline(RunRequest("gfs", CYCLE), bench.shop)
        task = asyncio.create_task(pipeline.run())
        await until(lambda: online(bench) == {0})

        pipeline.supersede()
        for _ in range(50):
            await asyncio.sleep(0)
        waits = not task.done()
        pipeline.supersede()
        async with asyncio.timeout(60):
            report = await task

    assert waits
    assert report.state is RunState.PARTIAL
    assert {frame.hour for frame in report.missing} == {3, 6, 9, 12}


async def test_an_hour_that_was_drawn_after_a_pause_by_hand_says_nothing_of_how_quick_we_are(
    open_bench,
):
    heard = []

    async def note(entry):
        heard.append(entry.hour)

    async with open_bench(clock=Clock(START, 3600.0), products=["t2m"]) as bench:
        fetcher, gate, give = bench.fetcher, bench.shop.gate, bench.fetcher.hour
        pauses = []

        async def paused(wanted):
            got = await give(wanted)
            if wanted.hour in pauses:
                await gate.pause("new disk", by=OPERATOR)
            return got

        fetcher.hour = paused
        fetcher.hours = {0, 3, 6}
        shop = replace(bench.shop, fresh=note)
        now = bench.shop.clock.now()
        run = RunPipeline(RunRequest("gfs", CYCLE), shop, watched_since=now)
        task = asyncio.create_task(run.run())
        for hour in (9, 12):  # the last one is fetched, and drawn only after the pause
            await until(lambda seen=hour: online(bench) == {*range(0, seen, 3)})
            pauses += [hour] if hour == 12 else []
            fetcher.modified[hour] = bench.shop.clock.now()
            fetcher.hours.add(hour)
        await until(lambda: run.progress.drawing.get(12))
        for _ in range(20):  # it has come to the gate
            await asyncio.sleep(0)
        await gate.resume(by=OPERATOR)
        await task

    assert heard == [9]


async def timed(*appearances):
    """What is told of an hour that was found so."""
    told = []

    async def note(entry):
        told.append(entry)

    freshness = RunFreshness(
        "gfs", CYCLE, Clock(START), since=START - timedelta(hours=1), fresh=note
    )
    for modified_at in appearances:
        freshness.seen(6, Appearance("nomads", modified_at, "digest"), None)
    freshness.fetched(6)
    freshness.online(6, START + timedelta(minutes=1))
    await freshness.settled(6)
    (entry,) = told
    return entry


async def test_of_an_hour_that_is_found_twice_the_first_time_counts():
    first = START - timedelta(minutes=10)

    entry = await timed(first, START - timedelta(minutes=5))

    assert (entry.upstream_at, entry.visible_at) == (first, first)


async def test_a_server_whose_clock_is_ahead_makes_nobody_quicker_than_at_once():
    entry = await timed(START + timedelta(seconds=30))

    assert entry.upstream_at == entry.visible_at == entry.seen_at


@pytest.mark.parametrize("times", [1, 2, 3])
def test_why_nothing_more_is_asked_for_is_said_once(times):
    fault = Unreachable("http://source does not answer")
    for _ in range(times):
        fault = GivenUp(fault)

    assert str(fault) == (
        "nothing of use has come for long, so no more is asked for: http://source does not answer"
    )
    assert fault.reason == "source unreachable"
