"""The desk over all models: what it takes on, and what becomes of models that nobody follows."""

import asyncio
from dataclasses import replace
from functools import partial

import pytest

from tests.pipeline.test_asked_runs import (
    GIVES_UP_MIN,
    NEW,
    OLD,
    PART,
    asked_of,
    at,
    records,
    state,
    until,
)
from twf_async.app.desk import Desk, NotNow
from twf_async.pipeline.once import run_once
from twf_async.pipeline.report import RunRequest


@pytest.fixture
def open_bench(open_bench):
    return partial(open_bench, gives_up_min=GIVES_UP_MIN)


def switching(bench):
    """The workshop, and a function that switches the model on or off in its settings."""
    current = [bench.shop.settings()]

    def switch(*, enabled):
        catalog = current[0].catalog
        model = catalog.models["gfs"].model_copy(update={"enabled": enabled})
        models = catalog.models | {"gfs": model}
        current[0] = replace(current[0], catalog=catalog.model_copy(update={"models": models}))

    return replace(bench.shop, settings=lambda: current[0]), switch


async def test_nothing_is_taken_on_before_the_start_and_during_a_stop(open_bench):
    async with open_bench(clock=at(16)) as bench:
        bench.fetcher.cycles = {OLD, NEW}
        desk = Desk(bench.shop)
        with pytest.raises(NotNow, match="just starting"):
            desk.poller("gfs")
        await desk.start()
        await until(lambda: state(bench, NEW) == "complete" and not desk.active_runs())
        bench.renderer.allowed = asyncio.Semaphore(0)
        bench.renderer.started.clear()
        await desk.backfill("gfs", OLD)
        await bench.renderer.started.wait()
        stopping = asyncio.create_task(desk.stop(drain_s=0.5))
        await asyncio.sleep(0)
        with pytest.raises(NotNow, match="goes on when it is started again"):
            await desk.backfill("gfs", "2026012900")
        bench.renderer.allowed.release()
        await stopping

        assert await asked_of(bench) == [OLD]
        assert state(bench, OLD) == "running"


async def test_what_is_under_way_of_a_model_that_is_switched_off_is_closed_and_comes_back_with_it(
    open_bench,
):
    async with open_bench(clock=at(16)) as bench:
        bench.fetcher.cycles = {OLD, NEW}
        shop, switch = switching(bench)
        desk = Desk(shop)
        await desk.start()
        await until(lambda: state(bench, NEW) == "complete" and not desk.active_runs())
        bench.renderer.allowed = asyncio.Semaphore(1)
        await desk.poller("gfs").take(PART)
        await until(lambda: len(bench.tree.published("gfs", OLD)) == 2)
        switch(enabled=False)
        await desk.reload(drain_s=0.0)
        await until(lambda: state(bench, OLD) == "partial")
        closed = set(records(bench, OLD).values())
        bench.renderer.allowed = None
        switch(enabled=True)
        await desk.reload(drain_s=0.0)
        await until(lambda: state(bench, OLD) == "complete")
        await desk.stop()

    assert closed == {("published", ""), ("failed", "unfinished")}


async def test_a_start_closes_what_was_under_way_of_a_model_that_it_does_not_follow(open_bench):
    async with open_bench(clock=at(16)) as bench:
        bench.fetcher.cycles = {NEW}
        await run_once(RunRequest("gfs", NEW, wait=False), bench.shop)
        await bench.tree.open_run("gfs", NEW, hours=(999,), regions=("pnw",), products=("t2m",))
        assert state(bench, NEW) == "running"
    async with open_bench(clock=at(16), enabled=False) as bench:
        desk = Desk(bench.shop)
        await desk.start()
        await desk.stop()

        assert state(bench, NEW) == "partial"
        assert records(bench, NEW)["f999"] == ("failed", "unfinished")
        assert bench.fetcher.asked == []
