"""After a change of the configuration: what is drawn again, what stays, what nobody awaits."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime

from twf_async.clock import Clock
from twf_async.pipeline.once import run_once
from twf_async.pipeline.poller import ModelPoller
from twf_async.pipeline.report import RunRequest
from twf_async.publish.manifest import RunState

OLD, NEW = "2026012906", "2026012912"
ONCE = RunRequest("gfs", NEW, wait=False)


def redrawn(settings, **changes):
    """These settings with another product of the key t2m: it is to be drawn otherwise."""
    catalog = settings.catalog
    product = catalog.products["t2m"].model_copy(update={"title": "Another title"} | changes)
    products = catalog.products | {"t2m": product}
    return replace(settings, catalog=catalog.model_copy(update={"products": products}))


def with_settings(bench):
    """The workshop with settings that can be exchanged: `current[0]`."""
    current = [bench.shop.settings()]
    return replace(bench.shop, settings=lambda: current[0]), current


def old_style(bench, cycle=NEW):
    frames = bench.tree.manifest("gfs", cycle).frames
    return {
        (region, product, hour)
        for region, products in frames.items()
        for product, hours in products.items()
        for hour, record in hours.items()
        if record.old_style
    }


def lose(bench, hours):
    """Take hours off the other side and out of the cache."""
    bench.fetcher.hours = {0, 3, 6, 9, 12} - hours
    for hour in hours:
        (bench.fetcher.folder / f"gfs.{NEW}.f{hour:03d}.grib2").unlink()


async def until(condition):
    async with asyncio.timeout(60):
        while not condition():
            await asyncio.sleep(0.005)


async def test_the_next_start_draws_again_what_would_be_drawn_otherwise_and_only_that(open_bench):
    async with open_bench() as bench:
        await run_once(ONCE, bench.shop)
    async with open_bench() as again:
        changed = redrawn(again.shop.settings())
        report = await run_once(ONCE, replace(again.shop, settings=lambda: changed))

        assert {product for *_, product in again.renderer.drawn} == {"t2m"}
        assert report.drawn == len(again.renderer.drawn) == 10
        assert (report.state, report.missing) == (RunState.COMPLETE, ())
        assert old_style(again) == set()


async def test_what_cannot_be_had_any_more_stays_online_and_is_marked(open_bench):
    async with open_bench() as bench:
        await run_once(ONCE, bench.shop)
        before = bench.tree.published("gfs", NEW)
    async with open_bench() as again:
        lose(again, {6, 9, 12})
        changed = redrawn(again.shop.settings())
        report = await run_once(ONCE, replace(again.shop, settings=lambda: changed))
        await again.tree.flush()

        assert again.tree.published("gfs", NEW) == before
        assert old_style(again) == {
            (region, "t2m", hour) for region in ("pnw", "ne") for hour in ("f006", "f009", "f012")
        }
        assert (report.state, report.missing) == (RunState.COMPLETE, ())
        states = {e.state for e in await again.shop.ledger.frames("gfs", NEW)}
        assert states == {"published"}


async def test_going_back_to_the_old_configuration_unmarks_without_drawing(open_bench):
    async with open_bench() as bench:
        await run_once(ONCE, bench.shop)
    async with open_bench() as again:
        lose(again, {0, 3, 6, 9, 12})
        changed = redrawn(again.shop.settings())
        await run_once(ONCE, replace(again.shop, settings=lambda: changed))
        await again.tree.flush()
        assert len(old_style(again)) == 10

        await run_once(ONCE, again.shop)
        await again.tree.flush()

        assert old_style(again) == set()
        assert again.renderer.jobs == []


async def test_a_reload_waits_for_jobs_that_workers_have_and_plans_the_others_anew(open_bench):
    async with open_bench(clock=Clock(datetime(2026, 1, 29, 17, tzinfo=UTC))) as bench:
        bench.renderer.places, bench.renderer.allowed = asyncio.Semaphore(2), asyncio.Semaphore(0)
        shop, current = with_settings(bench)
        poller = ModelPoller("gfs", shop)
        await poller.start()
        await until(lambda: len(bench.renderer.jobs) == 5)

        current[0] = redrawn(current[0])
        await poller.reload()  # returns, though nothing can end yet
        assert bench.tree.published("gfs", NEW) == frozenset()
        bench.renderer.allowed.release()
        bench.renderer.allowed.release()
        await until(lambda: len(bench.tree.published("gfs", NEW)) > 0)
        bench.renderer.places = bench.renderer.allowed = None
        await until(lambda: _complete(bench))
        await poller.stop()

        begun = {job.hour for job in bench.renderer.begun[:2]}
        twice = {name for name, count in bench.renderer.drawn.items() if count > 1}
        assert {(hour, product) for _, hour, _, product in twice} == {(h, "t2m") for h in begun}
        assert max(bench.renderer.drawn.values()) == 2
        titles = [t.product.title for job in bench.renderer.jobs[5:] for t in job.tasks]
        assert titles.count("Another title") == 5
        assert old_style(bench) == set()


async def test_reloads_one_upon_the_other_lose_and_repeat_nothing(open_bench):
    async with open_bench(clock=Clock(datetime(2026, 1, 29, 17, tzinfo=UTC))) as bench:
        bench.renderer.allowed = asyncio.Semaphore(0)
        poller = ModelPoller("gfs", bench.shop)
        await poller.start()
        await bench.renderer.started.wait()

        for _ in range(20):
            await poller.reload()
            await asyncio.sleep(0.001)
        for _ in range(100):
            bench.renderer.allowed.release()
        await until(lambda: _complete(bench))
        await poller.stop()

        assert max(bench.renderer.drawn.values()) == 1
        assert len(bench.renderer.drawn) == 36


def _complete(bench):
    manifest = bench.tree.manifest("gfs", NEW)
    return manifest is not None and manifest.state is RunState.COMPLETE


async def both_drawn(bench):
    """An older run, and the newest one with the poller that drew it; and the settings of both."""
    bench.fetcher.cycles = {OLD, NEW}
    shop, current = with_settings(bench)
    await run_once(RunRequest("gfs", OLD, wait=False), shop)
    poller = ModelPoller("gfs", shop)
    await poller.start()
    await until(lambda: _complete(bench))
    return poller, current


async def test_older_runs_are_drawn_again_from_the_cache_after_the_newest(open_bench):
    clock = Clock(datetime(2026, 1, 29, 17, tzinfo=UTC))
    async with open_bench(clock=clock) as bench:
        poller, current = await both_drawn(bench)
        asked, jobs = len(bench.fetcher.asked), len(bench.renderer.jobs)
        (bench.fetcher.folder / f"gfs.{OLD}.f009.grib2").unlink()

        current[0] = redrawn(current[0])
        await poller.reload()
        await until(lambda: bench.renderer.drawn[OLD, 12, "pnw", "t2m"] == 2)
        await until(lambda: not poller.active_cycles)
        await bench.tree.flush()
        await poller.stop()

        again = bench.renderer.jobs[jobs:]
        assert [job.cycle for job in again] == [NEW] * 5 + [OLD] * 4
        assert {task.product.key for job in again for task in job.tasks} == {"t2m"}
        assert [cycle for cycle, _ in bench.fetcher.asked[asked:]] == [NEW] * 5
        assert old_style(bench, NEW) == set()
        assert old_style(bench, OLD) == {("pnw", "t2m", "f009"), ("ne", "t2m", "f009")}
        assert bench.tree.manifest("gfs", OLD).state is RunState.COMPLETE


async def test_a_reload_does_not_wait_for_an_older_run_that_stands_at_the_gate(open_bench):
    clock = Clock(datetime(2026, 1, 29, 17, tzinfo=UTC))
    async with open_bench(clock=clock) as bench:
        poller, current = await both_drawn(bench)

        current[0] = redrawn(current[0])
        async with bench.shop.events.subscribe() as events:
            await poller.reload()
            for _ in range(10):  # the newest run is drawn, and not yet at its end
                while (await events.get()).name != "frame.published":
                    pass
            await bench.shop.gate.pause("memory low", by="watchdog")
        await until(lambda: poller.active_cycles == {OLD})
        bench.renderer.jobs.clear()
        current[0] = redrawn(current[0], title="A third title")
        await poller.reload(drain_s=3600.0)
        await bench.shop.gate.resume(by="watchdog")
        await until(lambda: old_style(bench, OLD) == set() and not poller.active_cycles)
        await poller.stop()

        drawn = [(job.cycle, t.product.title) for job in bench.renderer.jobs for t in job.tasks]
        assert drawn.count((NEW, "A third title")) == drawn.count((OLD, "A third title")) == 5


async def test_products_that_are_not_wanted_any_more_stay_where_they_are_online(open_bench):
    async with open_bench() as bench:
        await run_once(ONCE, bench.shop)
    async with open_bench(products=["t2m"]) as again:
        report = await run_once(ONCE, again.shop)

        assert again.renderer.jobs == []
        assert report.expected == 10
        frames = again.tree.manifest("gfs", NEW).frames["pnw"]
        assert {record.state for record in frames["snow"].values()} == {"published"}
        assert again.tree.published("gfs", NEW) >= {("pnw", "snow", 6)}
