"""Farms with real processes, and jobs that wait where a test wants them to."""

import asyncio
import ctypes
import multiprocessing
import os
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from render_farm.domain.jobs import RenderJob
from render_farm.domain.style import Style
from tests.render.conftest import catalog, make_job, map_cache, real_file  # noqa: F401
from twf_async.farm.boot import boot
from twf_async.farm.farm import Farm
from twf_async.farm.post import SlotSpec

BOUND_S = 120  # for anything that is waited for
PR_SET_CHILD_SUBREAPER = 36


@pytest.fixture(scope="session")
def context() -> multiprocessing.context.ForkServerContext:
    return boot()


@pytest.fixture
def spec(context) -> SlotSpec:
    return SlotSpec(context, max_tasks_per_child=3, log_level="info", console=False)


@pytest.fixture
async def start_farm(spec):
    """A farm as wanted; stopped at the end, whatever it is doing."""
    farms = []

    async def start(workers=2, *, job_timeout_s=BOUND_S, machine=None, peaks=None, **changes):
        farm = Farm(
            replace(spec, **changes),
            workers,
            job_timeout_s=job_timeout_s,
            machine=machine,
            peaks=peaks,
        )
        farms.append(farm)
        await farm.start()
        return farm

    yield start
    for farm in farms:
        await farm.stop(kill=True)


@pytest.fixture
async def farm(start_farm):
    return await start_farm()


@pytest.fixture
def light_job(tmp_path):
    """A job that draws nothing, by the whole way: 10 ms."""

    def make(hour, *, model="gfs", cycle="2026012912"):
        staging = tmp_path / f"{model}.{cycle}.{hour}"
        return RenderJob(
            model, model.upper(), cycle, hour, (), (), (), Style(), str(staging), str(tmp_path)
        )

    return make


@dataclass
class Waiting:
    """A job of two small frames: the first can be drawn, the second waits for its file."""

    job: RenderJob
    gate: Path
    real: Path

    @property
    def frames(self):
        return tuple(task.product.key for task in self.job.tasks)

    def release(self):
        """Let the file be there. Who has opened the old one goes on waiting for it."""
        fresh = self.gate.with_suffix(".fresh")
        fresh.symlink_to(self.real)
        fresh.replace(self.gate)

    def end(self):
        """Let who waits go on, to find nothing: the second frame fails, the first is there."""
        writer = os.open(self.gate, os.O_WRONLY)
        fresh = self.gate.with_suffix(".fresh")
        fresh.touch()
        fresh.replace(self.gate)
        os.close(writer)

    def started(self):
        """How often drawing the second was begun."""
        path = Path(self.job.staging_dir) / "journal"
        text = path.read_bytes() if path.exists() else b""
        return text.count(b'{"started":"%s"}' % self.frames[-1].encode())


@pytest.fixture
def waiting_job(make_job, real_file, tmp_path):  # noqa: F811
    def make(hour=6, *, cycle="2026012912"):
        gate = tmp_path / f"{cycle}.{hour}.grib2"
        os.mkfifo(gate)
        real = real_file("gfs", 6)
        job = make_job(real, "gfs", "2026012912", 6, ["t2m", "t850"], size=(240, 180))
        first, second = job.tasks
        inputs = {
            role: tuple(replace(source, path=str(gate)) for source in sources)
            for role, sources in second.inputs.items()
        }
        job = replace(
            job,
            hour=hour,
            tasks=(first, replace(second, inputs=inputs)),
            staging_dir=str(tmp_path / f"staging.{cycle}.{hour}"),
        )
        return Waiting(job, gate, real)

    return make


@pytest.fixture
def until():
    """Wait for a condition."""

    async def wait(condition):
        async with asyncio.timeout(BOUND_S):
            while not condition():
                await asyncio.sleep(0.005)
        return condition()

    return wait


@pytest.fixture
def adopting():
    """Make orphans our children, as they are those of the first process of a container."""
    libc = ctypes.CDLL(None)
    if libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0):
        pytest.skip("orphans cannot be adopted here")
    yield
    libc.prctl(PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0)
