import asyncio
from datetime import UTC, datetime

import pytest

from twf_async.clock import Clock
from twf_async.errors import BadInput, FetchError
from twf_async.pipeline.poller import ModelPoller
from twf_async.pipeline.report import RunRequest
from twf_async.publish.manifest import RunState

OLD, NEW = "2026012906", "2026012912"


def at(hour, minute=0):
    """A clock that starts on that day and runs 600 times as fast: a poll takes 50 ms."""
    return Clock(datetime(2026, 1, 29, hour, minute, tzinfo=UTC), 600.0)


async def until(shop, name, **facts):
    async with shop.events.subscribe() as events:
        async for event in events:
            if event.name == name and facts.items() <= event.data.items():
                return


async def test_a_run_is_followed_hour_by_hour_as_it_comes(open_bench):
    async with open_bench(clock=at(16)) as bench:
        bench.fetcher.hours = {0, 3}
        poller = ModelPoller("gfs", bench.shop)
        shown = asyncio.create_task(until(bench.shop, "frame.published", hour=3))
        await asyncio.sleep(0)
        await poller.start()
        await shown
        complete = asyncio.create_task(until(bench.shop, "run.complete", cycle=NEW))
        await asyncio.sleep(0)
        bench.fetcher.hours = None
        await complete
        await poller.stop()

        assert bench.tree.manifest("gfs", NEW).state is RunState.COMPLETE
        tried = [hour for _, hour in bench.fetcher.asked]
        assert tried.count(0) == tried.count(3) == 1
        assert max(bench.renderer.drawn.values()) == 1


async def test_a_newer_run_with_data_supersedes_the_older_one(open_bench):
    async with open_bench(clock=at(15, 30)) as bench:
        bench.fetcher.cycles = {OLD}
        bench.fetcher.hours = {0, 3}
        poller = ModelPoller("gfs", bench.shop)
        shown = asyncio.create_task(until(bench.shop, "frame.published", cycle=OLD, hour=3))
        await asyncio.sleep(0)
        await poller.start()
        await shown
        ended = asyncio.create_task(until(bench.shop, "run.complete", cycle=OLD))
        newer = asyncio.create_task(until(bench.shop, "frame.published", cycle=NEW, hour=3))
        await asyncio.sleep(0)
        bench.fetcher.cycles = {OLD, NEW}
        await asyncio.gather(ended, newer)

        status = poller.status()
        await poller.stop()
        assert status["newest"] == NEW
        older = bench.tree.manifest("gfs", OLD)
        assert older.state is RunState.PARTIAL
        assert older.frames["pnw"]["t2m"]["f006"].reason == "not published"
        assert bench.tree.newest_with("gfs", "pnw", "t2m", 3) == NEW
        assert bench.tree.runs("gfs") == (NEW, OLD)


async def test_hours_that_never_come_are_given_up_after_the_time_of_the_model(open_bench):
    async with open_bench(clock=at(17, 50)) as bench:
        bench.fetcher.hours = {0, 3, 9}
        poller = ModelPoller("gfs", bench.shop)
        ended = asyncio.create_task(until(bench.shop, "run.complete", cycle=NEW))
        await asyncio.sleep(0)
        await poller.start()
        await ended
        await poller.stop()

        manifest = bench.tree.manifest("gfs", NEW)
        assert manifest.state is RunState.PARTIAL
        frames = manifest.frames["pnw"]["t2m"]
        assert {name: record.state.value for name, record in frames.items()} == {
            "f000": "published",
            "f003": "published",
            "f006": "failed",
            "f009": "published",  # it came although the one before it did not
            "f012": "failed",
        }
        assert manifest.frames["pnw"]["snow"]["f009"].detail == "hour 6"


async def test_after_a_restart_the_unfinished_run_is_taken_up_before_anyone_is_asked(open_bench):
    class Silent(FetchError):
        reason = "source unreachable"

    async with open_bench(clock=at(16)) as bench:
        bench.fetcher.hours = {0, 3}
        poller = ModelPoller("gfs", bench.shop)
        shown = asyncio.create_task(until(bench.shop, "frame.published", hour=3))
        await asyncio.sleep(0)
        await poller.start()
        await shown
        await poller.stop()
    async with open_bench(clock=at(16)) as bench:

        async def nobody(*_, **__):
            raise Silent("no answer")

        bench.fetcher.appeared = nobody
        online = bench.tree.published("gfs", NEW)
        poller = ModelPoller("gfs", bench.shop)
        ended = asyncio.create_task(until(bench.shop, "run.complete", cycle=NEW))
        await asyncio.sleep(0)
        await poller.start()
        await ended
        await poller.stop()

        assert bench.tree.manifest("gfs", NEW).state is RunState.COMPLETE
        assert not {(r, p, h) for _, h, r, p in bench.renderer.drawn} & online


async def test_a_silent_other_side_is_a_fault_in_the_status_and_no_more(open_bench):
    class Silent(FetchError):
        reason = "source unreachable"

    async with open_bench(clock=at(16)) as bench:
        asked = asyncio.Event()
        appeared = bench.fetcher.appeared

        async def first_nobody(*hour, **how):
            if not asked.is_set():
                asked.set()
                raise Silent("no answer")
            return await appeared(*hour, **how)

        bench.fetcher.appeared = first_nobody
        poller = ModelPoller("gfs", bench.shop)
        shown = asyncio.create_task(until(bench.shop, "frame.published"))
        await asyncio.sleep(0)
        await poller.start()
        await asked.wait()
        await asyncio.sleep(0)
        assert poller.status()["fault"] == "source unreachable"
        await shown
        assert poller.status()["fault"] == ""
        await poller.stop()


async def test_a_reload_takes_the_run_up_again_and_draws_nothing_twice(open_bench):
    async with open_bench(clock=at(16)) as bench:
        bench.fetcher.hours = {0, 3}
        poller = ModelPoller("gfs", bench.shop)
        shown = asyncio.create_task(until(bench.shop, "frame.published", hour=3))
        await asyncio.sleep(0)
        await poller.start()
        await shown
        assert poller.active_cycles == {NEW}
        ended = asyncio.create_task(until(bench.shop, "run.complete", cycle=NEW))
        await asyncio.sleep(0)
        bench.fetcher.hours = None
        await poller.reload()
        await ended
        assert not poller.task.done()
        await poller.stop()

        assert max(bench.renderer.drawn.values()) == 1
        assert len(bench.renderer.drawn) == 36


async def test_a_bug_in_a_run_ends_the_part_so_that_its_owner_sees_it(open_bench):
    async with open_bench(clock=at(16)) as bench:

        async def broken(_job, **_how):
            raise ZeroDivisionError

        bench.renderer.render = broken
        poller = ModelPoller("gfs", bench.shop)
        await poller.start()
        await asyncio.wait({poller.task})
        assert isinstance(poller.task.exception(), ZeroDivisionError)
        await poller.stop()


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


async def test_of_a_followed_run_only_what_is_there_is_coming(open_bench):
    async with open_bench(clock=at(16)) as bench:
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
