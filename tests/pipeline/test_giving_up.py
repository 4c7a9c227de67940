"""A run that somebody waits for ends, whatever the other side or the machine does."""

import asyncio
import shutil
from dataclasses import replace

import pytest

from tests.upkeep.mounts import make_read_only, mounted
from twf_async.clock import Clock
from twf_async.fetch.errors import ServerTrouble, Throttled, Unreachable
from twf_async.pipeline import standstill
from twf_async.pipeline.once import run_once
from twf_async.pipeline.report import RunRequest
from twf_async.publish.manifest import RunState

CYCLE = "2026012912"
ONCE = RunRequest("gfs", CYCLE, wait=False)
HOURS = (0, 3, 6, 9, 12)
LONG_S = 3600.0


def passing(error, retry_after_s=0.0):
    """A fault that may be over soon."""
    error.retry_after_s = retry_after_s
    return error


async def test_a_source_that_gives_nothing_is_given_up_and_what_is_missing_says_why(open_bench):
    async with open_bench() as bench:
        fault = "http://source does not answer"
        bench.fetcher.faults = {hour: [Unreachable(fault)] for hour in HOURS}
        report = await run_once(ONCE, bench.shop, patience_s=0.0)

        assert (report.state, report.published) == (RunState.PARTIAL, 0)
        assert len(report.missing) == report.expected > 0
        assert {frame.reason for frame in report.missing} == {"source unreachable"}
        assert all(fault in frame.detail for frame in report.missing)
        assert len(bench.fetcher.asked) <= 2  # those that were under way
        assert bench.tree.manifest("gfs", CYCLE).state is RunState.PARTIAL


async def test_a_block_that_lasts_longer_than_patience_is_not_waited_for(open_bench):
    async with open_bench() as bench:
        block = Throttled("nomads: over the limit", retry_after_s=LONG_S)
        bench.fetcher.faults = {hour: [block] for hour in HOURS}
        report = await run_once(ONCE, bench.shop, patience_s=LONG_S / 2)

        assert {frame.reason for frame in report.missing} == {"throttled by the source"}


async def test_what_passes_within_patience_costs_nothing(open_bench):
    async with open_bench() as bench:
        bench.fetcher.faults = {
            hour: [passing(Unreachable("away")), passing(ServerTrouble("502"))] for hour in HOURS
        }
        report = await run_once(ONCE, bench.shop, patience_s=LONG_S)

        assert (report.state, report.missing) == (RunState.COMPLETE, ())


async def test_after_giving_up_what_is_in_the_cache_is_still_drawn(open_bench, tmp_path):
    async with open_bench() as bench:
        await run_once(RunRequest("gfs", CYCLE, hours=(3, 6), wait=False), bench.shop)
    shutil.rmtree(tmp_path / "publish")
    async with open_bench() as again:
        give, again.fetcher.faults = again.fetcher.hour, {0: [Unreachable("away")]}

        async def cached(wanted):
            return replace(await give(wanted), method="CACHED")

        again.fetcher.hour = cached
        report = await run_once(ONCE, again.shop, patience_s=0.0)

        assert {frame.hour for frame in report.missing} == {0, 9, 12}
        assert {hour for *_, hour in again.tree.published("gfs", CYCLE)} == {3, 6}


async def test_an_hour_that_comes_after_all_has_the_source_asked_again(open_bench):
    async with open_bench() as bench:
        late = asyncio.Event()
        give, faults = bench.fetcher.hour, {0: [Unreachable("away")]}

        async def slow(wanted):
            if wanted.hour == 3:
                await late.wait()
            elif wanted.hour == 0:
                late.set()
            return await give(wanted)

        bench.fetcher.faults, bench.fetcher.hour = faults, slow
        report = await run_once(ONCE, bench.shop, patience_s=0.0)

        assert {frame.hour for frame in report.missing} == {0}


@pytest.mark.parametrize("door", ["pause", "hold_fetches"])
async def test_a_run_that_may_not_go_on_for_long_ends_and_says_what_held_it(door, open_bench):
    async with open_bench() as bench:
        await getattr(bench.shop.gate, door)("disk nearly full", by="watchdog")
        report = await run_once(ONCE, bench.shop, patience_s=0.0)

        assert (report.state, report.published) == (RunState.PARTIAL, 0)
        assert {(frame.reason, frame.detail) for frame in report.missing} == {
            ("held", "disk nearly full")
        }
        assert bench.tree.manifest("gfs", CYCLE).state is RunState.PARTIAL
        (noted,) = await bench.shop.ledger.runs("gfs")
        assert noted.state == "partial"


async def test_a_run_that_no_worker_takes_ends(open_bench):
    async with open_bench() as bench:
        bench.renderer.places = asyncio.Semaphore(0)
        report = await run_once(ONCE, bench.shop, patience_s=0.0)

        assert (report.state, report.published) == (RunState.PARTIAL, 0)
        assert {(frame.reason, frame.detail) for frame in report.missing} == {
            ("held", "no worker takes a job")
        }


async def test_a_run_for_whose_maps_the_disk_has_no_room_ends(open_bench, monkeypatch, tmp_path):
    monkeypatch.setattr(standstill, "LOOK_S", 0.01)
    with mounted(tmp_path / "publish", "size=8m") as disk:
        async with open_bench(clock=Clock(speed=600.0)) as bench:  # it tries again at once
            make_read_only(disk)
            report = await run_once(ONCE, bench.shop, patience_s=0.5)
            make_read_only(disk, again=False)

            assert (report.state, report.published) == (RunState.PARTIAL, 0)
            assert {frame.reason for frame in report.missing} == {"held"}
            assert "the disk takes nothing: " in report.missing[0].detail
            assert "Read-only file system" in report.missing[0].detail


async def test_what_a_worker_has_in_hand_is_waited_for_and_brought_online(open_bench, monkeypatch):
    monkeypatch.setattr(standstill, "LOOK_S", 0.01)
    async with open_bench() as bench:
        bench.renderer.places = asyncio.Semaphore(1)
        bench.renderer.allowed = asyncio.Semaphore(0)
        running = asyncio.create_task(run_once(ONCE, bench.shop, patience_s=0.0))
        await bench.renderer.started.wait()
        await asyncio.sleep(0.2)  # many looks
        assert not running.done()
        bench.renderer.allowed.release()
        report = await running

        (job,) = bench.renderer.begun
        assert {frame[2] for frame in bench.tree.published("gfs", CYCLE)} == {job.hour}
        assert report.published == report.drawn > 0
        assert {frame.reason for frame in report.missing} == {"held"}
