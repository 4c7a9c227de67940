"""What is taken on when somebody asks for a run, and what is refused."""

import asyncio

import pytest

from tests.pipeline.test_poller import NEW, OLD, at, until
from twf_async.errors import BadInput
from twf_async.pipeline.poller import ModelPoller
from twf_async.pipeline.report import RunRequest
from twf_async.publish.manifest import RunState


async def test_an_older_run_is_drawn_on_request_beside_the_newest(open_bench):
    async with open_bench(clock=at(16)) as bench:
        bench.fetcher.cycles, bench.fetcher.hours = {OLD, NEW}, {0, 3}
        poller = ModelPoller("gfs", bench.shop)
        with pytest.raises(BadInput, match="no run of gfs has been found yet, so gfs 2026012906"):
            await poller.backfill(OLD)
        shown = asyncio.create_task(until(bench.shop, "frame.published", cycle=NEW, hour=3))
        await asyncio.sleep(0)
        await poller.start()
        await shown
        ended = asyncio.create_task(until(bench.shop, "run.complete", cycle=OLD))
        await asyncio.sleep(0)

        await poller.backfill(OLD)
        active = poller.active_cycles
        for cycle, why in (
            (OLD, "is being worked on already"),
            (NEW, "is being worked on already"),
            ("2026012918", "is not older than the newest run"),
            ("2026012905", "gfs has no run at 05 UTC"),
            ("yesterday", "cycle 'yesterday' is not of the form YYYYMMDDHH"),
            ("20260129", "20260129"),
        ):
            with pytest.raises(BadInput, match=why):
                await poller.backfill(cycle)
        await ended
        newest = poller.status()["newest"]
        await poller.stop()

        assert active == {OLD, NEW}
        assert newest == NEW
        frames = bench.tree.manifest("gfs", OLD).frames["pnw"]["t2m"]
        assert frames["f003"].state.value == "published"
        assert (frames["f006"].state.value, frames["f006"].reason) == ("failed", "not published")
        assert bench.tree.manifest("gfs", NEW).state is RunState.RUNNING


async def test_a_run_that_is_asked_for_is_begun_once_and_outlives_a_reload(open_bench):
    async with open_bench(clock=at(16)) as bench:
        bench.fetcher.cycles, bench.fetcher.hours = {OLD, NEW}, {0, 3}
        poller = ModelPoller("gfs", bench.shop)
        part = RunRequest("gfs", OLD, hours=(0, 3), products=("t2m",), wait=False)
        whole = RunRequest("gfs", OLD, wait=False)
        with pytest.raises(BadInput, match="no run of gfs has been found yet"):
            await poller.take(part)
        shown = asyncio.create_task(until(bench.shop, "frame.published", cycle=NEW, hour=3))
        await asyncio.sleep(0)
        await poller.start()
        await shown
        bench.renderer.allowed = asyncio.Semaphore(0)
        bench.renderer.started.clear()
        frames = [("pnw", "t2m", hour) for hour in (0, 3)]

        begun = await poller.take(part)
        again = await poller.take(part)
        with pytest.raises(BadInput, match="less of gfs 2026012906 is being worked on"):
            await poller.take(whole)
        await bench.renderer.started.wait()
        assert poller.is_coming(OLD, frames)
        await poller.reload(drain_s=0.0)
        coming = poller.is_coming(OLD, frames)
        ended = asyncio.create_task(until(bench.shop, "run.complete", cycle=OLD))
        await asyncio.sleep(0)
        for _ in range(8):
            bench.renderer.allowed.release()
        await ended
        while OLD in poller.active_cycles:
            await asyncio.sleep(0)
        afterwards = poller.is_coming(OLD, frames)
        await poller.stop()

    assert (begun, again) == (True, False)
    assert (coming, afterwards) == (True, False)
    manifest = bench.tree.manifest("gfs", OLD)
    assert {name: set(hours) for name, hours in manifest.frames["pnw"].items()} == {
        "t2m": {"f000", "f003"}
    }
    assert bench.tree.is_published("gfs", OLD, "pnw", "t2m", 3)


async def test_the_newest_run_is_not_taken_for_an_older_one_once_it_is_complete(open_bench):
    async with open_bench(clock=at(16)) as bench:
        poller = ModelPoller("gfs", bench.shop)
        complete = asyncio.create_task(until(bench.shop, "run.complete", cycle=NEW))
        await asyncio.sleep(0)
        await poller.start()
        await complete
        while poller.active_cycles:
            await asyncio.sleep(0)
        with pytest.raises(BadInput, match="is not older than the newest run, 2026012912"):
            await poller.backfill(NEW)
        await poller.stop()
