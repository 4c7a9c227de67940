"""Runs that somebody asked for, over the ends of the service, and what becomes of the others."""

import asyncio
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial

import pytest
from structlog.testing import capture_logs

from twf_async.clock import Clock
from twf_async.errors import BadInput
from twf_async.pipeline import asked_runs, restyling
from twf_async.pipeline.once import run_once
from twf_async.pipeline.poller import ModelPoller
from twf_async.pipeline.report import RunRequest
from twf_async.publish.manifest import RunState

OLDER, OLD, NEW = "2026012900", "2026012906", "2026012912"
PART = RunRequest("gfs", OLD, hours=(0, 3, 6), products=("t2m",), wait=False)
PLACES = [(region, "t2m", hour) for region in ("pnw", "ne") for hour in (0, 3, 6)]


GIVES_UP_MIN = 560.0  # older runs are given up already, NEW is not before half a minute has passed


@pytest.fixture
def open_bench(open_bench):
    return partial(open_bench, gives_up_min=GIVES_UP_MIN)


def at(hour, minute=0):
    return Clock(datetime(2026, 1, 29, hour, minute, tzinfo=UTC), 600.0)


async def until(condition):
    async with asyncio.timeout(60):
        while not condition():
            await asyncio.sleep(0.005)


@asynccontextmanager
async def following(shop):
    """A poller that is followed by nobody's fault: one that broke fails the test."""
    poller = ModelPoller("gfs", shop)
    await poller.start()
    try:
        yield poller
        assert not poller.task.done()
    finally:
        await poller.stop()


def state(bench, cycle):
    """As it is on disk."""
    manifest = bench.tree.manifest("gfs", cycle)
    return "" if manifest is None else manifest.state.value


def records(bench, cycle, product="t2m"):
    """Hour -> (state, reason) of one product in one region."""
    hours = bench.tree.manifest("gfs", cycle).frames["pnw"][product]
    return {name: (record.state.value, record.reason) for name, record in hours.items()}


async def asked_and_stopped(bench, request=PART, *, drawn=1):
    """The newest run is there, of *request* some jobs were drawn; then the service ends."""
    bench.fetcher.cycles |= {OLD, NEW}
    async with following(bench.shop) as poller:
        await until(lambda: state(bench, NEW) == "complete" and not poller.active_cycles)
        bench.renderer.allowed = asyncio.Semaphore(drawn)
        assert await poller.take(request)
        await until(lambda: len(bench.tree.published("gfs", OLD)) == 2 * drawn)
    await bench.tree.flush()


async def asked_of(bench):
    return [entry.cycle for entry in await bench.shop.ledger.asked("gfs")]


async def test_what_was_asked_for_is_noted_before_the_answer_and_until_it_is_there(open_bench):
    async with open_bench(clock=at(16)) as bench:
        bench.fetcher.cycles = {OLD, NEW}
        async with following(bench.shop) as poller:
            await until(lambda: state(bench, NEW) == "complete" and not poller.active_cycles)
            bench.renderer.allowed = asyncio.Semaphore(0)
            await poller.take(PART)
            (noted,) = await bench.shop.ledger.asked("gfs")
            told = poller.status()["asked"]
            bench.renderer.allowed = None
            bench.renderer.started.clear()
            await poller.reload()  # whose jobs may end now
            await until(lambda: OLD not in poller.active_cycles)
            left, told_after = await asked_of(bench), poller.status()["asked"]

    assert (noted.cycle, noted.hours, noted.products, noted.wait) == (
        OLD,
        (0, 3, 6),
        ("t2m",),
        False,
    )
    assert {cycle: entry["products"] for cycle, entry in told.items()} == {OLD: ("t2m",)}
    assert (left, told_after) == ([], {})
    assert state(bench, OLD) == "complete"


async def test_a_start_goes_on_with_it_before_the_other_side_is_asked_and_draws_nothing_twice(
    open_bench,
):
    async with open_bench(clock=at(16)) as bench:
        await asked_and_stopped(bench)
        online = bench.tree.published("gfs", OLD)
        assert (state(bench, OLD), len(online)) == ("running", 2)
    async with open_bench(clock=at(16)) as bench:
        bench.fetcher.cycles = {OLD}
        silent = asyncio.Event()
        appeared = bench.fetcher.appeared

        async def only_of_the_older(model, cycle, hour, **how):
            if cycle != OLD:
                await silent.wait()  # nobody answers as long as this matters
            return await appeared(model, cycle, hour, **how)

        bench.fetcher.appeared = only_of_the_older
        async with following(bench.shop) as poller:
            assert OLD in poller.active_cycles
            again = await poller.take(PART)  # the same command attaches
            await until(lambda: state(bench, OLD) == "complete")
            await until(lambda: OLD not in poller.active_cycles)
            silent.set()

        drawn = {(region, product, hour) for _, hour, region, product in bench.renderer.drawn}
        assert again is False
        assert drawn == set(PLACES) - online
        assert await asked_of(bench) == []


async def test_what_upstream_has_no_more_ends_it_as_partial_with_its_reasons(open_bench):
    async with open_bench(clock=at(16)) as bench:
        await asked_and_stopped(bench, drawn=0)
    async with open_bench(clock=at(16)) as bench:
        bench.fetcher.cycles, bench.fetcher.hours = {OLD, NEW}, {0, 3}
        async with following(bench.shop) as poller:
            await until(lambda: OLD not in poller.active_cycles)
        assert state(bench, OLD) == "partial"
        assert records(bench, OLD)["f003"] == ("published", "")
        assert records(bench, OLD)["f006"] == ("failed", "not published")
        assert await asked_of(bench) == []


async def test_a_lost_ledger_is_made_good_by_what_the_manifest_says_is_to_come(
    open_bench, tmp_path
):
    async with open_bench(clock=at(16)) as bench:
        await asked_and_stopped(bench)
        online = bench.tree.published("gfs", OLD)
    for path in (tmp_path / "state").iterdir():
        path.unlink()
    async with open_bench(clock=at(16)) as bench:
        bench.fetcher.cycles = {OLD, NEW}
        bench.renderer.allowed = asyncio.Semaphore(0)
        assert bench.shop.ledger.begun_anew
        async with following(bench.shop) as poller:
            noted = await asked_of(bench)  # for the next kill
            for _ in range(20):
                bench.renderer.allowed.release()
            await until(lambda: OLD not in poller.active_cycles)
        assert noted == [OLD]
        assert state(bench, OLD) == "complete"
        old = {(r, p, h) for cycle, h, r, p in bench.renderer.drawn if cycle == OLD}
        assert old == set(PLACES) - online


async def test_a_run_by_hand_that_begins_a_new_ledger_keeps_what_was_asked_of_the_service(
    open_bench, tmp_path
):
    async with open_bench(clock=at(16)) as bench:
        await asked_and_stopped(bench)
    for path in (tmp_path / "state").iterdir():
        path.unlink()
    async with open_bench(clock=at(16)) as bench:
        bench.fetcher.cycles = {OLDER, OLD, NEW}
        await run_once(
            RunRequest("gfs", OLDER, hours=(0,), products=("t2m",), wait=False), bench.shop
        )
        assert await asked_of(bench) == [OLD]
    async with open_bench(clock=at(16)) as bench:
        bench.fetcher.cycles = {OLDER, OLD, NEW}
        assert not bench.shop.ledger.begun_anew
        async with following(bench.shop) as poller:
            await until(lambda: OLD not in poller.active_cycles)
        assert state(bench, OLD) == "complete"
        assert bench.tree.published("gfs", OLD) == set(PLACES)


async def test_a_run_that_nobody_asked_for_and_nobody_follows_does_not_stay_running(open_bench):
    async with open_bench(clock=at(16)) as bench:
        await asked_and_stopped(bench)
        await bench.shop.ledger.forget_asked("gfs", OLD)
    async with open_bench(clock=at(23)) as bench:
        bench.fetcher.cycles = {NEW}
        with capture_logs() as lines:
            async with following(bench.shop) as poller:
                await until(lambda: "pipeline.run_closed" in {line["event"] for line in lines})
                active = poller.active_cycles
        assert OLD not in active
        assert sorted(records(bench, OLD).values()) == [
            ("failed", "unfinished"),
            ("failed", "unfinished"),
            ("published", ""),
        ]
        assert OLD not in {cycle for cycle, _ in bench.fetcher.asked}
        (line,) = [line for line in lines if line["event"] == "pipeline.run_closed"]
        assert (line["cycle"], line["state"], line["frames"]) == (OLD, "partial", 4)
        runs = {run.cycle: run.state for run in await bench.shop.ledger.runs("gfs")}
        assert runs[OLD] == "partial"


async def test_a_run_of_which_only_the_end_was_not_noted_is_complete(open_bench):
    async with open_bench(clock=at(16)) as bench:
        bench.fetcher.cycles = {OLD, NEW}
        await run_once(RunRequest("gfs", OLD, wait=False), bench.shop)
        await run_once(RunRequest("gfs", NEW, wait=False), bench.shop)
        await bench.tree.open_run("gfs", OLD, hours=(), regions=(), products=())
        assert state(bench, OLD) == "running"
    async with open_bench(clock=at(23)) as bench, following(bench.shop):
        await until(lambda: state(bench, OLD) == "complete")


async def test_what_the_configuration_has_no_more_is_closed_with_that_reason(open_bench):
    async with open_bench(clock=at(16)) as bench:
        await asked_and_stopped(bench)
    async with open_bench(clock=at(16), products=["total", "snow"]) as bench:
        bench.fetcher.cycles = {OLD, NEW}
        async with following(bench.shop) as poller:
            await until(lambda: OLD not in poller.active_cycles)
        assert state(bench, OLD) == "partial"
        assert set(records(bench, OLD).values()) == {
            ("failed", "not configured"),
            ("published", ""),
        }
        assert await asked_of(bench) == []


async def test_a_bug_in_a_run_that_was_asked_for_ends_that_run_alone(open_bench):
    async with open_bench(clock=at(16)) as bench:
        bench.fetcher.cycles = {OLD, NEW}
        render = bench.renderer.render

        async def broken(job, **how):
            if job.cycle == OLD:
                raise ZeroDivisionError
            return await render(job, **how)

        bench.renderer.render = broken
        with capture_logs() as lines:
            async with following(bench.shop) as poller:
                await until(lambda: state(bench, NEW) == "complete" and not poller.active_cycles)
                await poller.take(PART)
                await until(lambda: OLD not in poller.active_cycles)
                coming = poller.is_coming(OLD, PLACES)
        assert coming is False
        assert state(bench, OLD) == "partial"
        assert records(bench, OLD)["f000"] == ("failed", "internal error")
        assert "ZeroDivisionError" in bench.tree.frame_record("gfs", OLD, *PLACES[0])["detail"]
        (line,) = [line for line in lines if line["event"] == "poller.run_broke"]
        assert (line["cycle"], line["exc_info"]) == (OLD, True)
    async with open_bench(clock=at(16)) as bench:  # it is not begun again by every start
        bench.fetcher.cycles = {OLD, NEW}
        async with following(bench.shop) as poller:
            assert OLD not in poller.active_cycles


async def test_a_bug_in_planning_what_was_noted_does_not_break_every_start(open_bench, monkeypatch):
    async with open_bench(clock=at(16)) as bench:
        await asked_and_stopped(bench)

    def broken(*_, **__):
        raise ZeroDivisionError

    monkeypatch.setattr(asked_runs, "RunPipeline", broken)
    async with open_bench(clock=at(16)) as bench:
        bench.fetcher.cycles = {OLD, NEW}
        async with following(bench.shop) as poller:
            await until(lambda: OLD not in poller.active_cycles)
        assert set(records(bench, OLD).values()) == {
            ("failed", "internal error"),
            ("published", ""),
        }
        assert await asked_of(bench) == []


@pytest.mark.parametrize("what", ["run", "__init__"])
async def test_a_bug_in_drawing_older_runs_again_costs_a_while_of_that_and_no_more(
    open_bench, monkeypatch, what
):
    async with open_bench(clock=at(16)) as bench:
        bench.fetcher.cycles = {OLDER, OLD, NEW}
        await run_once(RunRequest("gfs", OLDER, wait=False), bench.shop)
        await run_once(RunRequest("gfs", OLD, wait=False), bench.shop)
        catalog = bench.shop.settings().catalog
        product = catalog.products["t2m"].model_copy(update={"title": "Another title"})
        products = catalog.products | {"t2m": product}
        changed = replace(
            bench.shop.settings(), catalog=catalog.model_copy(update={"products": products})
        )
        bench.renderer.drawn.clear()
        sound, broken = getattr(restyling.Restyling, what), []

        def breaks_once(self, *arguments):
            if not broken:
                broken.append(arguments)
                raise ZeroDivisionError
            return sound(self, *arguments)

        monkeypatch.setattr(restyling.Restyling, what, breaks_once)
        with capture_logs() as lines:
            async with following(replace(bench.shop, settings=lambda: changed)) as poller:
                await until(lambda: bench.renderer.drawn[OLDER, 12, "pnw", "t2m"] == 1)
                await until(lambda: not poller.active_cycles)
        assert bench.renderer.drawn[OLD, 12, "pnw", "t2m"] == 0  # the one it befell
        (line,) = [line for line in lines if line["event"] == "pipeline.restyling_broke"]
        assert (line["cycle"], line["exc_info"]) == (OLD, True)
        assert len(bench.tree.published("gfs", OLD)) == 36


async def test_the_newest_run_is_followed_once_what_was_asked_of_it_is_there(open_bench):
    async with open_bench(clock=at(16)) as bench:
        note = asked_runs.AskedRuns("gfs", bench.shop, lambda: None).note
        await note(RunRequest("gfs", NEW, hours=(0,), products=("t2m",), wait=False))
        bench.fetcher.hours = {0, 3}
        async with following(bench.shop) as poller:
            await until(lambda: bench.tree.is_published("gfs", NEW, "pnw", "t2m", 3))
            await until(lambda: not poller.status()["asked"])
            assert state(bench, NEW) == "running"
            bench.fetcher.hours = None
            await until(lambda: state(bench, NEW) == "complete")
        assert max(bench.renderer.drawn.values()) == 1


async def test_more_of_a_followed_run_may_be_asked_for_by_several_and_all_of_it_is_kept(open_bench):
    async with open_bench(clock=at(16)) as bench:
        bench.fetcher.hours = {0, 3}
        async with following(bench.shop) as poller:
            await until(lambda: bench.tree.is_published("gfs", NEW, "pnw", "t2m", 3))
            for hours, products in (((0, 3), ("t2m",)), ((3, 6), ("snow",))):
                request = RunRequest("gfs", NEW, hours=hours, products=products, wait=False)
                assert await poller.take(request) is False
            (noted,) = await bench.shop.ledger.asked("gfs")
            bench.fetcher.hours = None
            await until(lambda: state(bench, NEW) == "complete" and not poller.active_cycles)
            left = await asked_of(bench)
    assert set(noted.hours) == {0, 3, 6}
    assert set(noted.products) == {"t2m", "snow"}
    assert left == []


async def test_a_reload_goes_on_with_an_older_run_whose_time_is_over(open_bench):
    async with open_bench(clock=at(15, 30)) as bench:
        bench.fetcher.cycles, bench.fetcher.hours = {OLD}, {0, 3}
        bench.renderer.allowed = asyncio.Semaphore(0)
        async with following(bench.shop) as poller:
            await bench.renderer.started.wait()
            bench.fetcher.cycles = {OLD, NEW}
            await until(lambda: NEW in poller.active_cycles)
            await poller.reload(drain_s=0.0)
            for _ in range(60):
                bench.renderer.allowed.release()
            await until(lambda: OLD not in poller.active_cycles)
        assert state(bench, OLD) == "partial"
        assert records(bench, OLD)["f003"] == ("published", "")
        assert records(bench, OLD)["f006"][1] in {"not published", "superseded"}


async def test_nothing_is_taken_on_that_cannot_be(open_bench):
    async with open_bench(clock=at(16)) as bench:
        bench.fetcher.cycles = {OLD, NEW}
        async with following(bench.shop) as poller:
            await until(lambda: state(bench, NEW) == "complete" and not poller.active_cycles)
            for request, why in (
                (RunRequest("gfs", OLD, products=("dust",)), "gfs has no product dust"),
                (RunRequest("gfs", "2026012918"), "is newer than the newest run"),
            ):
                with pytest.raises(BadInput, match=why):
                    await poller.take(request)
            assert await asked_of(bench) == []
    assert bench.tree.manifest("gfs", NEW).state is RunState.COMPLETE
