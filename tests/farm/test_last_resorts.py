"""What is left of a job when everything is lost over it, and who goes first where memory is."""

import asyncio
import os
import signal
from pathlib import Path

import pytest

from render_farm.domain.jobs import HourFailed, Reason
from twf_async.farm.attempts import SlotAttempts
from twf_async.farm.dispatch import Dispatcher
from twf_async.farm.machine import Machine
from twf_async.farm.peaks import Peaks
from twf_async.farm.slots import Slots


@pytest.fixture
async def attempts(spec):
    """Attempts of one slot, and that slot."""
    slots = Slots(spec, 1)
    await slots.start()
    queue = Dispatcher(slots, lambda *_: True)
    yield SlotAttempts(queue, Machine(), Peaks(400.0), job_timeout_s=120.0), slots.next
    await slots.close(kill=True)


async def test_a_job_whose_remains_kill_every_worker_that_looks_at_them_fails_and_no_more(
    attempts, light_job
):
    tried, slot = attempts
    job = light_job(6)
    journal = Path(job.staging_dir) / "journal"
    journal.parent.mkdir()
    os.mkfifo(journal)
    salvaging = asyncio.create_task(tried.salvage(job, Reason.WORKER_DIED, "killed twice"))
    killed = set()
    async with asyncio.timeout(120):
        while not salvaging.done():
            try:
                writer = os.open(journal, os.O_WRONLY | os.O_NONBLOCK)
            except OSError:  # nobody reads it yet
                await asyncio.sleep(0.005)
                continue
            if slot.pid is not None and slot.pid not in killed:
                killed.add(slot.pid)
                os.kill(slot.pid, signal.SIGKILL)
            await asyncio.sleep(0.005)
            os.close(writer)

    assert len(killed) == 2
    assert await salvaging == HourFailed("gfs", "2026012912", 6, Reason.WORKER_DIED, "killed twice")


async def test_a_worker_goes_before_the_service_where_the_kernel_wants_memory(start_farm):
    farm = await start_farm(1)

    score = await farm.call(Path.read_text, Path("/proc/self/oom_score_adj"))

    assert int(score) >= 500
