import asyncio
from datetime import UTC, datetime

from twf_async.clock import Clock
from twf_async.errors import FetchError
from twf_async.pipeline.poller import ModelPoller
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
