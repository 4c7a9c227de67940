"""Whole runs of the real service whose workers are killed again and again from outside."""

import asyncio
import os
import random
import signal
from collections import Counter
from contextlib import asynccontextmanager, suppress

import psutil
import pytest

from tests.acquisition.rehearsal import Stage, rehearsed, rehearsing

GFS = ("gfs", "2026012912")
MB = 1 << 20


@pytest.fixture(scope="module")
def maps(tmp_path_factory):
    return tmp_path_factory.mktemp("pixelmaps")


@asynccontextmanager
async def killing(farm, *, every_s, seed, times_an_hour):
    """Kill a random worker that has a job, time and again; yields how often each hour was hit."""
    hits, chance = Counter(), random.Random(seed)

    async def kill():
        while True:
            await asyncio.sleep(chance.uniform(0, 2 * every_s))
            busy = [(s["job"]["hour"], s["pid"]) for s in farm.status() if s["job"] and s["pid"]]
            if victims := [(hour, pid) for hour, pid in busy if hits[hour] < times_an_hour]:
                hour, pid = chance.choice(victims)
                with suppress(ProcessLookupError):  # killed before, and not noticed yet
                    os.kill(pid, signal.SIGKILL)
                    hits[hour] += 1

    task = asyncio.create_task(kill())
    try:
        yield hits
    finally:
        assert not task.done()
        task.cancel()
        await asyncio.wait({task})


async def test_a_run_whose_workers_are_killed_is_as_one_whose_workers_are_not(
    tmp_path, test_data, context, maps
):
    stage = Stage({"gfs": [GFS[1]]}, hours="0-9/3", speed=400.0)
    calm = await rehearsed(tmp_path / "calm", test_data, stage, context, maps=maps)

    async with (
        rehearsing(tmp_path / "killed", test_data, stage, context, maps=maps) as run,
        killing(run.parts.farm, every_s=0.05, seed=20260129, times_an_hour=2) as hits,
    ):
        await run.ended()

    assert hits.total() >= 4
    assert run.shown[GFS] == calm.shown[GFS]
    assert {frame.state for frame in calm.shown[GFS].values()} <= {"published", "not_applicable"}
    assert run.events("farm.job_quarantined") == []
    lost = run.events("farm.job_lost")
    assert lost
    assert not any(line["strike"] for line in lost)


@pytest.mark.soak
@pytest.mark.timeout(1800)
async def test_a_run_of_85_hours_with_a_kill_every_other_second_loses_nothing(
    tmp_path, test_data, context, maps
):
    stage = Stage({"gfs": [GFS[1]]}, hours="0-252/3", speed=100.0)
    service = psutil.Process()
    async with (
        rehearsing(tmp_path / "killed", test_data, stage, context, maps=maps) as run,
        killing(run.parts.farm, every_s=2.0, seed=1, times_an_hour=9) as hits,
    ):
        while hits.total() < 5:
            await asyncio.sleep(0.1)
        before = service.memory_info().rss
        await run.ended(within_s=1500)
        after = service.memory_info().rss

    frames = run.shown[GFS].values()
    assert {frame.state for frame in frames} <= {"published", "not_applicable"}
    assert hits.total() > 15
    assert run.events("farm.job_quarantined") == []
    drawn = [line["hour"] for line in run.events("pipeline.hour_published")]
    assert len(drawn) == len(set(drawn)) == 85
    assert after - before < 60 * MB  # the replica lives in this process too, and keeps its files
