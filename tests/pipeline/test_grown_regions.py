"""A region that has grown wants more than lies in the cache; that is not to cost the others."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime

from twf_async.clock import Clock
from twf_async.pipeline.once import run_once
from twf_async.pipeline.poller import ModelPoller
from twf_async.pipeline.report import RunRequest
from twf_async.publish.manifest import RunState

OLD, CYCLE = "2026012906", "2026012912"
ONCE = RunRequest("gfs", CYCLE, wait=False)


def grown(shop, *, title="t2m"):
    """The workshop with pnw reaching further west, and another title of t2m."""
    settings = shop.settings()
    catalog = settings.catalog
    pnw = catalog.regions["pnw"].model_copy(update={"west": -130.0})
    t2m = catalog.products["t2m"].model_copy(update={"title": title})
    catalog = catalog.model_copy(
        update={
            "regions": catalog.regions | {"pnw": pnw},
            "products": catalog.products | {"t2m": t2m},
        }
    )
    changed = replace(settings, catalog=catalog)
    return replace(shop, settings=lambda: changed)


def records(bench, cycle=CYCLE):
    """(region, product, hour) -> record."""
    frames = bench.tree.manifest("gfs", cycle).frames
    return {
        (region, product, hour): record
        for region, products in frames.items()
        for product, hours in products.items()
        for hour, record in hours.items()
    }


async def test_where_hours_are_gone_only_the_grown_region_keeps_its_earlier_style(open_bench):
    async with open_bench() as bench:
        await run_once(ONCE, bench.shop)
        published = bench.tree.published("gfs", CYCLE)
    async with open_bench() as again:
        again.fetcher.hours = set()
        report = await run_once(ONCE, grown(again.shop, title="Another title"))
        await again.tree.flush()

        drawn = {(region, product) for _, _, region, product in again.renderer.drawn}
        assert drawn == {("ne", "t2m")}
        assert len(again.renderer.drawn) == 5
        old = {name for name, record in records(again).items() if record.old_style}
        assert {region for region, *_ in old} == {"pnw"}
        assert len(old) == sum(region == "pnw" for region, *_ in published)
        assert again.tree.published("gfs", CYCLE) == published
        assert (report.state, report.missing) == (RunState.COMPLETE, ())


async def test_totals_over_an_hour_that_is_gone_come_where_its_file_shows_the_region(open_bench):
    async with open_bench() as bench:
        await run_once(replace(ONCE, hours=(0, 3, 6)), bench.shop)
    async with open_bench() as again:
        again.fetcher.hours = {9, 12}
        report = await run_once(replace(ONCE, hours=(9, 12)), grown(again.shop))
        await again.tree.flush()

        found = {name: record for name, record in records(again).items() if name[2] == "f012"}
        lost = {name[:2]: record for name, record in found.items() if record.state == "failed"}
        assert set(lost) == {("pnw", "snow")}
        assert lost["pnw", "snow"].reason == "not published"
        online = {name[:2] for name, record in found.items() if record.state == "published"}
        assert online == {name[:2] for name in found} - {("pnw", "snow")}
        jobs = {(task.product.key, task.regions) for j in again.renderer.jobs for task in j.tasks}
        assert ("snow", ("ne",)) in jobs
        assert ("t2m", ("pnw", "ne")) in jobs
        assert report.state is RunState.PARTIAL
        assert {(m.region, m.product) for m in report.missing} == {("pnw", "snow")}


async def test_what_is_not_in_the_file_either_fails_for_the_reason_that_the_hour_does(open_bench):
    async with open_bench(products=["total"]) as bench:
        await run_once(ONCE, bench.shop)
    async with open_bench(products=["total", "t2m"]) as again:
        again.fetcher.hours = set()
        shop = grown(again.shop)
        settings = shop.settings()
        scale = settings.catalog.scales["plain"].model_copy(update={"title": "Another"})
        scales = settings.catalog.scales | {"plain": scale}
        catalog = settings.catalog.model_copy(update={"scales": scales})
        changed = replace(settings, catalog=catalog)
        report = await run_once(ONCE, replace(shop, settings=lambda: changed))

        drawn = {(region, product) for _, _, region, product in again.renderer.drawn}
        assert drawn == {("ne", "total")}
        assert {(m.product, m.reason) for m in report.missing} == {("t2m", "not published")}
        assert {m.region for m in report.missing} == {"pnw", "ne"}


async def test_of_an_older_run_too_only_the_grown_region_keeps_its_earlier_style(open_bench):
    clock = Clock(datetime(2026, 1, 29, 17, tzinfo=UTC))
    async with open_bench(clock=clock) as bench:
        bench.fetcher.cycles = {OLD, CYCLE}
        current = [bench.shop.settings()]
        shop = replace(bench.shop, settings=lambda: current[0])
        await run_once(replace(ONCE, cycle=OLD), shop)
        poller = ModelPoller("gfs", shop)
        await poller.start()
        await until(lambda: is_complete(bench))

        current[0] = grown(bench.shop, title="Another title").settings()
        await poller.reload()
        await until(lambda: bench.renderer.drawn[OLD, 12, "ne", "t2m"] == 2)
        await until(lambda: not poller.active_cycles)
        await bench.tree.flush()
        await poller.stop()

        assert not any(record.old_style for record in records(bench).values())
        old = {name for name, record in records(bench, OLD).items() if record.old_style}
        assert {region for region, *_ in old} == {"pnw"}
        online = {name for name, r in records(bench, OLD).items() if r.state == "published"}
        assert old == {name for name in online if name[0] == "pnw"}


async def until(condition):
    async with asyncio.timeout(60):
        while not condition():
            await asyncio.sleep(0.005)


def is_complete(bench):
    manifest = bench.tree.manifest("gfs", CYCLE)
    return manifest is not None and manifest.state is RunState.COMPLETE
