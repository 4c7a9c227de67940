"""Whatever befalls a worker costs the job that it had, and nothing else."""

import asyncio
import ctypes
import gc
import multiprocessing
import os
import random
import signal
import threading
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import psutil
import pytest

from render_farm.domain.jobs import HourRendered, Reason
from twf_async.farm.errors import JobTimedOut, WorkerDied

ENDLESS = "[bytearray(1 << 24) for _ in iter(int, 1)]"
SLEEP = "[__import__('signal').pthread_sigmask(0, [15]), __import__('time').sleep(3600)]"


@pytest.mark.parametrize(
    ("misdeed", "error"),
    [
        (partial(ctypes.string_at, 0), WorkerDied),
        (partial(eval, ENDLESS), MemoryError),
        (partial(eval, SLEEP), JobTimedOut),
        (partial(divmod, 1, 0), ZeroDivisionError),
        (partial(os._exit, 3), WorkerDied),
    ],
    ids=["segfaults", "allocates without end", "sleeps for ever", "raises", "leaves"],
)
async def test_a_job_that_misbehaves_costs_itself_only(start_farm, light_job, misdeed, error):
    timeout_s = 3 if error is JobTimedOut else 60
    farm = await start_farm(2, memory_limit_mb=500)
    neighbours = [asyncio.create_task(farm.render(light_job(hour))) for hour in range(20)]

    with pytest.raises(error):
        await farm.call(misdeed, timeout_s=timeout_s)

    assert all(isinstance(outcome, HourRendered) for outcome in await asyncio.gather(*neighbours))
    assert await asyncio.gather(*(farm.call(abs, -n) for n in range(4))) == [0, 1, 2, 3]
    assert farm.idle == farm.size == 2


@dataclass
class Trouble:
    """Sends signals to workers once they are half through a job."""

    farm: object
    plans: dict  # hour -> (waiting job, signal, whether each time)
    struck: dict = field(default_factory=dict)

    async def run(self):
        while True:
            for slot in self.farm.status():
                hour = slot["job"]["hour"] if slot["job"] else None
                if hour in self.plans and slot["pid"]:
                    self._strike(hour, slot["pid"])
            await asyncio.sleep(0.002)

    def _strike(self, hour, pid):
        waiting, number, always = self.plans[hour]
        done = self.struck.get(hour, 0)
        if waiting.started() <= done or (done and not always):
            return
        self.struck[hour] = done + 1
        if not always:
            waiting.release()
        os.kill(pid, number)


def expected(plan):
    """How a job with this plan ends: products drawn, and the reason for the others."""
    if plan is None or not plan[2]:
        return {"t2m", "t850"}, None, ""
    return {
        signal.SIGSEGV: ({"t2m"}, Reason.WORKER_DIED, "(signal 11, SIGSEGV), 2 times"),
        signal.SIGKILL: ({"t2m"}, Reason.WORKER_DIED, "from outside, 10 times"),
        signal.SIGSTOP: ({"t2m"}, Reason.TIMED_OUT, "its worker was killed, 2 times"),
    }[plan[1]]


def size_of(frame):
    return Path(frame.path).stat().st_size


def descriptors():
    gc.collect()
    return psutil.Process().num_fds()


def reapers():
    return [each for each in threading.enumerate() if each.name.startswith("reaper-")]


async def in_chaos(farm, waiting_job, count, misfortunes, seed, until):
    """Draw *count* jobs, some of which meet a misfortune; the outcomes are what they should be."""
    chance = random.Random(seed)
    kinds = [*misfortunes, *[None] * (count - len(misfortunes))]
    chance.shuffle(kinds)
    jobs = [waiting_job(hour) for hour in range(count)]
    plans = {}
    for waiting, kind in zip(jobs, kinds, strict=True):
        if kind is None:
            waiting.release()
        else:
            plans[waiting.job.hour] = (waiting, *kind)
    before = descriptors()
    trouble = Trouble(farm, plans)
    striking = asyncio.create_task(trouble.run())
    outcomes = await asyncio.gather(*(farm.render(waiting.job) for waiting in jobs))
    striking.cancel()

    for outcome in outcomes:
        products, reason, told = expected(plans.get(outcome.hour))
        assert {frame.product for frame in outcome.frames} == products
        assert {failure.reason for failure in outcome.failures} == ({reason} if reason else set())
        assert all(failure.detail.endswith(told) for failure in outcome.failures)
        assert all(size_of(f) == f.bytes for f in outcome.frames)
    assert trouble.struck.keys() == plans.keys()
    await until(lambda: not reapers())
    await until(lambda: descriptors() <= before + 4)
    assert not farm.waiting
    assert farm.idle == farm.size


ONCE_AND_ALWAYS = [
    (signal.SIGSEGV, False),
    (signal.SIGKILL, False),
    (signal.SIGSEGV, True),
    (signal.SIGKILL, True),
]


async def test_in_chaos_every_job_ends_as_it_should_and_nothing_is_left(
    start_farm, waiting_job, until
):
    farm = await start_farm(2)
    family = psutil.Process()
    workers = {slot["pid"] for slot in farm.status()}

    await in_chaos(farm, waiting_job, 9, ONCE_AND_ALWAYS, 20260129, until)
    workers |= {slot["pid"] for slot in farm.status()}
    await farm.stop()

    children = {child.pid for child in family.children(recursive=True)}
    assert not workers & children


@pytest.mark.soak
async def test_in_chaos_of_spawned_workers_too(start_farm, waiting_job, until):
    farm = await start_farm(2, context=multiprocessing.get_context("spawn"))

    await in_chaos(farm, waiting_job, 12, ONCE_AND_ALWAYS, 20260129, until)


@pytest.mark.soak
@pytest.mark.timeout(900)
@pytest.mark.parametrize(("slots", "tasks", "seed"), [(4, 5, 1), (3, 1, 2), (2, 3, 3)])
async def test_in_long_chaos_too(start_farm, waiting_job, until, slots, tasks, seed):
    farm = await start_farm(slots, job_timeout_s=30, max_tasks_per_child=tasks)
    often = [(signal.SIGSEGV, False), (signal.SIGKILL, False)] * 20
    always = [(signal.SIGSEGV, True)] * 4 + [(signal.SIGKILL, True)] * 2
    hung = [(signal.SIGSTOP, False)] * 4 + [(signal.SIGSTOP, True)] * 2

    await in_chaos(farm, waiting_job, 300, [*often, *always, *hung], seed, until)
