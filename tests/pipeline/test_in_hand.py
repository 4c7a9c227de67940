"""Runs that are followed beside runs that somebody has asked for."""

import asyncio

from tests.pipeline.test_poller import NEW, OLD, at, until
from twf_async.pipeline.poller import ModelPoller
from twf_async.pipeline.report import RunRequest
from twf_async.publish.manifest import RunState


async def test_of_a_followed_run_only_what_is_there_is_coming(open_bench):
    async with open_bench(clock=at(16), gives_up_min=100_000) as bench:
        bench.fetcher.hours = {0, 3}
        poller = ModelPoller("gfs", bench.shop)
        bench.renderer.allowed = asyncio.Semaphore(0)
        await poller.start()
        await bench.renderer.started.wait()
        frames = [("pnw", "t2m", hour) for hour in (0, 3, 6, 9, 12)]
        begun = await poller.take(RunRequest("gfs", NEW, wait=False))
        before = poller.is_coming(NEW, frames)
        third = asyncio.create_task(until(bench.shop, "frame.published", hour=3, product="t2m"))
        await asyncio.sleep(0)
        for _ in range(8):
            bench.renderer.allowed.release()
        await third
        open_frames = [name for name in frames if not bench.tree.is_published("gfs", NEW, *name)]
        while poller.is_coming(NEW, open_frames):  # until the look for f006 was in vain
            await asyncio.sleep(0)
        active = poller.active_cycles
        await poller.stop()

    assert begun is False
    assert before is True
    assert {hour for *_, hour in open_frames} == {6, 9, 12}
    assert active == {NEW}


async def test_a_newer_run_does_not_end_one_that_was_asked_for(open_bench):
    async with open_bench(clock=at(15, 30), when_superseded="abandon") as bench:
        older = "2026012900"
        bench.fetcher.cycles = {older, OLD}
        poller = ModelPoller("gfs", bench.shop)
        shown = asyncio.create_task(until(bench.shop, "run.complete", cycle=OLD))
        await asyncio.sleep(0)
        await poller.start()
        await shown
        bench.renderer.allowed = asyncio.Semaphore(0)
        assert await poller.take(RunRequest("gfs", older, wait=False))
        bench.fetcher.cycles |= {NEW}
        while poller.newest != NEW:
            await asyncio.sleep(0)
        ended = asyncio.create_task(until(bench.shop, "run.complete", cycle=older))
        await asyncio.sleep(0)
        for _ in range(40):
            bench.renderer.allowed.release()
        await ended
        await poller.stop()

        assert bench.tree.manifest("gfs", older).state is RunState.COMPLETE
