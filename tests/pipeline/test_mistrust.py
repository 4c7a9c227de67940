"""Frames that bad messages cost: drawn from what comes anew, or failed as bad data."""

import asyncio
import threading
from dataclasses import replace

import pytest
from structlog.testing import capture_logs

from tests.pipeline.conftest import CYCLE
from twf_async.errors import FetchError
from twf_async.fetch.distrust import ALREADY, SAME_BYTES, Distrusted
from twf_async.pipeline import working
from twf_async.pipeline.report import RunRequest
from twf_async.pipeline.run import RunPipeline


def run(bench, hours, **more):
    return RunPipeline(RunRequest("gfs", CYCLE, hours=hours, wait=False, **more), bench.shop)


def drawn(bench, product, region="pnw"):
    return {
        hour: n
        for (_, hour, r, p), n in bench.renderer.drawn.items()
        if (r, p) == (region, product)
    }


async def one_job_after_the_other(bench, task):
    """The report of a run of two hours, the second of which waits to fail over the same file."""
    async with asyncio.timeout(60):
        for jobs in (2, 3):
            while len(bench.renderer.jobs) < jobs:
                await asyncio.sleep(0.01)
            bench.renderer.allowed.release()  # for the job that has waited longest
        while bench.renderer.spoilt[6, "APCP"] > 0:
            await asyncio.sleep(0.01)
        for _ in range(8):
            bench.renderer.allowed.release()
        return await task


async def test_what_a_bad_message_cost_is_drawn_from_the_next_download_and_nothing_else_is(
    open_bench,
):
    async with open_bench(products=["t2m", "total"]) as bench:
        bench.renderer.spoilt[6, "TMP"] = 1
        report = await run(bench, (3, 6)).run()

        assert report.missing == ()
        assert bench.fetcher.distrusted == [(6, frozenset({"TMP:2 m above ground:6 hour fcst"}))]
        assert sorted(hour for _, hour in bench.fetcher.asked) == [3, 6, 6]
        assert drawn(bench, "t2m") == {3: 1, 6: 1}
        assert drawn(bench, "total") == {3: 1, 6: 1}


async def test_while_it_comes_anew_the_frame_is_expected_and_not_failed(open_bench):
    async with open_bench(products=["t2m"]) as bench:
        bench.renderer.spoilt[6, "TMP"] = 1
        bench.fetcher.verdicts = [Distrusted(3600.0)]
        pipeline = run(bench, (6,))
        task = asyncio.create_task(pipeline.run())
        async with asyncio.timeout(60):
            while not (bench.fetcher.distrusted and pipeline.progress.files[6].not_before):
                await asyncio.sleep(0.01)

        assert not task.done()
        assert len(bench.fetcher.asked) == 1, "the pause counts"
        assert pipeline.count.failed == 0
        pipeline.drain()
        await task


async def test_what_does_not_get_better_is_bad_data_and_says_why(open_bench):
    async with open_bench(products=["t2m", "total"]) as bench:
        bench.renderer.spoilt[6, "TMP"] = 9
        bench.fetcher.verdicts = [Distrusted(0.0), Distrusted(None, SAME_BYTES)]
        report = await run(bench, (6,)).run()

        assert {(m.product, m.reason) for m in report.missing} == {("t2m", "bad data")}
        assert all(
            m.detail == f"values that cannot be (hour 6: {SAME_BYTES})" for m in report.missing
        )
        assert len(bench.fetcher.asked) == 2
        assert drawn(bench, "total") == {6: 1}


async def test_a_disk_that_refuses_ends_it(open_bench):
    class Refusing(list):
        def pop(self, _):
            raise FetchError("the disk is read-only")

        def __bool__(self):
            return True

    async with open_bench(products=["t2m"]) as bench:
        bench.renderer.spoilt[6, "TMP"] = 9
        bench.fetcher.verdicts = Refusing()
        report = await run(bench, (6,)).run()

        assert {m.detail for m in report.missing} == {
            "values that cannot be (hour 6: the disk is read-only)"
        }


async def test_a_file_of_an_earlier_hour_is_taken_anew_for_all_hours_that_need_it(open_bench):
    """Snow at 12 h adds the buckets of hours 6 and 12; the bad one is in the file of hour 6."""
    async with open_bench(products=["snow"]) as bench:
        bench.renderer.spoilt[6, "APCP"] = 2
        report = await run(bench, (6, 12)).run()

        assert report.missing == ()
        assert drawn(bench, "snow") == {6: 1, 12: 1}
        assert {hour for hour, _ in bench.fetcher.distrusted} == {6}
        asked = [hour for _, hour in bench.fetcher.asked]
        assert asked.count(6) <= 3


async def test_a_job_that_began_before_the_file_came_anew_accuses_the_old_one(open_bench):
    """Two hours' jobs fail over one file: it is thrown away once, and both are drawn."""
    async with open_bench(products=["snow"]) as bench:
        bench.renderer.allowed = asyncio.Semaphore(0)
        bench.renderer.spoilt[6, "APCP"] = 2
        task = asyncio.create_task(run(bench, (6, 12)).run())
        report = await one_job_after_the_other(bench, task)

        assert report.missing == ()
        assert len(bench.fetcher.distrusted) == 1


async def test_what_was_here_already_has_not_come_anew(open_bench):
    """Two jobs fail over one file, and between them the hour is found in the cache again."""
    async with open_bench(products=["snow"]) as bench:
        give, bench.renderer.allowed = bench.fetcher.hour, asyncio.Semaphore(0)
        bench.renderer.spoilt[6, "APCP"] = 2

        async def out_of_the_cache(wanted):
            return replace(await give(wanted), method="CACHED")

        bench.fetcher.hour = out_of_the_cache
        task = asyncio.create_task(run(bench, (6, 12)).run())
        report = await one_job_after_the_other(bench, task)

        assert report.missing == ()
        assert len(bench.fetcher.distrusted) == 2


async def test_a_file_that_is_gone_is_told_by_why_it_was_thrown_away(open_bench):
    """The job of hour 12 no longer finds what that of hour 6 complained of."""
    async with open_bench(products=["snow", "t2m"]) as bench:
        draw = bench.renderer._draw
        may = {6: threading.Event(), 12: threading.Event()}

        def told(job):
            assert may[job.hour].wait(60)
            outcome = draw(job)
            why = "too cold" if job.hour == 6 else "cannot be read: No such file"
            failures = (
                replace(failure, detail=why if failure.product == "snow" else "too warm")
                for failure in outcome.failures
            )
            return replace(outcome, failures=tuple(failures))

        bench.renderer._draw = told
        bench.renderer.spoilt[6, "APCP"] = 2
        bench.renderer.spoilt[12, "TMP"] = 1
        bench.fetcher.verdicts = [Distrusted(3600.0), ALREADY, Distrusted(None, SAME_BYTES)]
        pipeline = run(bench, (6, 12))
        with capture_logs() as logs:
            task = asyncio.create_task(pipeline.run())
            async with asyncio.timeout(60):
                while len(bench.renderer.jobs) < 2:
                    await asyncio.sleep(0.01)
                may[6].set()
                while not bench.fetcher.distrusted:
                    await asyncio.sleep(0.01)
                may[12].set()
                while pipeline.count.failed < 2:
                    await asyncio.sleep(0.01)
            pipeline.drain()
            report = await task

        said = [line["detail"] for line in logs if line["event"].startswith("pipeline.fields_")]
        assert said == ["too cold", "too cold"]
        assert {(m.product, m.hour, m.detail) for m in report.missing if m.detail} == {
            ("snow", 12, f"too cold (hour 12: {SAME_BYTES})"),
            ("t2m", 12, f"too warm (hour 12: {SAME_BYTES})"),
        }


async def test_a_job_that_waits_meanwhile_still_knows_the_other_fields_of_the_file(
    open_bench, monkeypatch
):
    """Only the temperature of hour 6 is taken anew, while snow at 12 h waits for a place."""
    monkeypatch.setattr(working, "JOBS_AT_ONCE", 1)
    async with open_bench(products=["t2m", "snow"]) as bench:
        bench.renderer.allowed = asyncio.Semaphore(0)
        bench.renderer.spoilt[6, "TMP"] = 1
        task = asyncio.create_task(run(bench, (6, 9, 12)).run())
        async with asyncio.timeout(60):
            while not bench.renderer.jobs:
                await asyncio.sleep(0.01)
            while len(bench.fetcher.asked) < 3:
                await asyncio.sleep(0.01)
            bench.renderer.allowed.release()
            while len(bench.fetcher.asked) < 4:
                await asyncio.sleep(0.01)
            for _ in range(8):
                bench.renderer.allowed.release()
            report = await task

        assert report.missing == ()
        assert [job.hour for job in bench.renderer.jobs] == [6, 9, 12, 6]


async def test_a_drain_leaves_it_to_the_next_start(open_bench):
    async with open_bench(products=["t2m"]) as bench:
        bench.renderer.spoilt[6, "TMP"] = 1
        bench.fetcher.verdicts = [Distrusted(3600.0)]
        pipeline = run(bench, (6,))
        task = asyncio.create_task(pipeline.run())
        async with asyncio.timeout(60):
            while not bench.fetcher.distrusted:
                await asyncio.sleep(0.01)
        pipeline.drain()
        report = await task
        assert len(report.missing) == 2

        again = await run(bench, (6,)).run()

        assert again.missing == ()


@pytest.mark.parametrize("product", ["t2m", "total"])
async def test_only_products_that_took_the_message_wait_for_it(open_bench, product):
    parameter = {"t2m": "TMP", "total": "APCP"}[product]
    async with open_bench(products=["t2m", "total"]) as bench:
        bench.renderer.spoilt[6, parameter] = 1
        bench.fetcher.verdicts = [Distrusted(None, SAME_BYTES)]
        report = await run(bench, (6,)).run()

        assert {m.product for m in report.missing} == {product}
