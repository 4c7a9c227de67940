"""Files that the other side replaces: after the end of a run too, and over a stop at any moment."""

import asyncio
from dataclasses import replace

import pytest

from twf_async.fetch.distrust import SAME_BYTES, Distrusted
from twf_async.plan.reruns import noted, owed
from twf_async.publish.manifest import RunState

from .test_discovery import NEW, at, ended, following, until


def drawn(bench, region="pnw"):
    """(hour, product) that were drawn since the bench was opened."""
    return {
        (hour, product)
        for (cycle, hour, where, product) in bench.renderer.drawn
        if (cycle, where) == (NEW, region)
    }


async def inventories(bench):
    return {entry.hour: entry.inventory for entry in await bench.shop.ledger.hours("gfs", NEW)}


OF_HOUR_6 = {
    *((6, "t2m"), (6, "typed"), (6, "total"), (6, "snow")),
    *((9, "snow"), (12, "snow")),  # they take the bucket of hour 6
}


@pytest.mark.parametrize("stopped", ["before it came anew", "before it was drawn", "half drawn"])
async def test_a_stop_while_replaced_files_are_done_again_is_made_up_for(open_bench, stopped):
    async with open_bench(clock=at(16)) as bench:
        render, hour = bench.renderer.render, bench.fetcher.hour
        reached, never = asyncio.Event(), asyncio.Event()

        async def watched(job, **how):
            again = bench.fetcher.editions and bench.fetcher.forgotten
            if job.hour == 12 and not bench.fetcher.editions:
                bench.fetcher.editions = {6: "second", 12: "second"}
            held = {"before it was drawn": 6, "half drawn": 9}.get(stopped)
            if again and job.hour == held:
                reached.set()
                await never.wait()
            return await render(job, **how)

        async def brought(wanted):
            if stopped == "before it came anew" and bench.fetcher.forgotten and wanted.hour == 6:
                reached.set()
                await never.wait()
            return await hour(wanted)

        bench.renderer.render, bench.fetcher.hour = watched, brought
        async with following(bench):
            await until(reached.is_set)
        assert noted((await inventories(bench))[6])[1]

    async with open_bench(clock=at(16)) as bench:
        bench.fetcher.editions = {6: "second", 12: "second"}
        async with following(bench):
            await until(ended(bench, NEW))
            told = await inventories(bench)
        again = drawn(bench)
    assert {(9, "snow"), (12, "snow")} <= again <= OF_HOUR_6 | {(12, p) for _, p in OF_HOUR_6}
    assert (again >= OF_HOUR_6) or stopped == "half drawn"
    assert (told[6], told[9]) == ("second", "first")


async def test_an_hour_taken_by_a_fuller_inventory_than_it_appeared_with_is_not_done_again(
    open_bench,
):
    async with open_bench(clock=at(16)) as bench:
        give, bench.fetcher.editions = bench.fetcher.hour, {6: "half"}

        async def brought(wanted):
            got = await give(wanted)
            if wanted.hour != 6:
                return got
            bench.fetcher.editions = {6: "whole"}
            return replace(got, inventory="whole")

        bench.fetcher.hour = brought
        async with following(bench):
            await until(ended(bench, NEW))
            told = await inventories(bench)

        assert told[6] == "whole"
        assert bench.fetcher.forgotten == []
        assert set(bench.renderer.drawn.values()) == {1}


async def test_files_replaced_after_the_end_of_a_run_are_noticed_within_two_hours(open_bench):
    async with open_bench(clock=at(16, speed=6000.0)) as bench:
        async with following(bench):
            await until(ended(bench, NEW))
            bench.renderer.drawn.clear()
            bench.fetcher.editions = {12: "second", 6: "second"}
            bench.fetcher.looked.clear()
            await until(lambda: drawn(bench) >= OF_HOUR_6)
            await until(ended(bench, NEW))
            looks = [hour for cycle, hour in bench.fetcher.looked if cycle == NEW]
        assert bench.tree.manifest("gfs", NEW).state is RunState.COMPLETE
        assert set(bench.fetcher.forgotten) == {6, 12}
        assert (await inventories(bench))[12] == "second"
        assert len(looks) <= 12  # three an hour, all hours once more, and those taken anew


async def test_a_run_that_has_ended_costs_three_looks_an_hour_at_most(open_bench):
    async with open_bench(clock=at(16, speed=6000.0)) as bench:
        async with following(bench):
            await until(ended(bench, NEW))
            bench.fetcher.looked.clear()
            began = bench.shop.clock.now()
            await until(lambda: (bench.shop.clock.now() - began).total_seconds() > 3.5 * 3600)
        mine = [hour for cycle, hour in bench.fetcher.looked if cycle == NEW]
    assert sorted(set(mine)) == [0, 6, 12]
    assert len(mine) <= 9


async def test_replaced_files_whose_values_cannot_be_are_settled_once(open_bench):
    async with open_bench(clock=at(16, speed=6000.0), products=["t2m"]) as bench:
        async with following(bench):
            await until(ended(bench, NEW))
            bench.renderer.jobs.clear()
            bench.renderer.spoilt[6, "TMP"] = 9
            bench.fetcher.verdicts = [Distrusted(None, SAME_BYTES)] * 9
            bench.fetcher.editions = {6: "second"}
            await until(lambda: bench.fetcher.distrusted)
            await until(ended(bench, NEW))
            began = bench.shop.clock.now()
            await until(lambda: (bench.shop.clock.now() - began).total_seconds() > 2.5 * 3600)
        told = await inventories(bench)
    assert told[6] == "second"
    assert [job.hour for job in bench.renderer.jobs if job.cycle == NEW] == [6]


def test_what_is_owed_is_noted_with_the_digest_of_the_new_files():
    assert noted(owed()) == ("", True)
    assert noted(owed("abc")) == ("abc", True)
    assert noted("abc") == ("abc", False)
