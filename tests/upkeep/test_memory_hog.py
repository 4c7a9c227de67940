"""Memory exhausted: a process that takes it makes the watchdog pause, its death makes it resume.

Real memory, a real sampler: of a control group of its own where one can be made (its limit is then
real as well), and of the whole machine, with thresholds laid between what is available and what the
hog leaves: by default only where no group can be made, for others take memory too.
"""

import asyncio
import itertools
import shutil

import pytest
from structlog.testing import capture_logs

from tests.emergency.machine import Hog, memory_group
from tests.upkeep import looks
from twf_async.pipeline.gate import DispatchGate
from twf_async.publish.events import EventBus
from twf_async.settings.service import WatchdogSettings
from twf_async.upkeep.vitals import SystemSampler

SETTLED = {"interval_s": 0.02, "calm_s": 0.1, "memory_stall_pct": 99.0, "io_stall_pct": 99.0}


@pytest.fixture
def hog():
    started = []

    def start(prefix=()):
        started.append(Hog(prefix))
        return started[-1]

    yield start
    for one in started:
        one.die()


@pytest.fixture
def group():
    """A control group of our own below ours, with a limit of 400 MB; None: not allowed here."""
    with memory_group(400) as made:
        yield made


def proc_of(process, directory):
    """What /proc/self of *process* says of its groups; the rest is the machine's own."""
    (directory / "self").mkdir(parents=True)
    for name in ("cgroup", "mountinfo"):
        shutil.copyfile(f"/proc/{process.pid}/{name}", directory / "self" / name)
    return directory


async def pauses_and_resumes(sampler, settings, hog, megabytes):
    gate = DispatchGate()
    with capture_logs() as lines, pytest.MonkeyPatch.context() as patch:
        patch.setattr(looks, "LIMITS", settings)
        clock = itertools.count(0, 0.05)
        dog = looks.watchdog(sampler, gate, EventBus(), monotonic=lambda: next(clock))
        await dog.start()
        assert gate.is_open
        await asyncio.to_thread(hog.eat, megabytes)
        async with asyncio.timeout(60):
            while gate.is_open:
                await asyncio.sleep(0.01)
        assert gate.paused_because == "memory low"
        hog.die()
        async with asyncio.timeout(60):
            while not gate.is_open:
                await asyncio.sleep(0.01)
        await dog.stop()
    assert [line["event"] for line in lines] == [
        "watchdog.started",
        "watchdog.paused",
        "watchdog.resumed",
    ]
    return lines


async def test_memory_exhausted_by_a_hog_pauses_work_until_it_is_dead(group, hog, tmp_path):
    if group is None:
        await on_the_whole_machine(hog, tmp_path)
        return
    eater = hog(group.join)
    eater.eat(0)  # it has joined
    sampler = SystemSampler({"cache_dir": tmp_path}, proc=proc_of(eater.process, tmp_path / "proc"))
    settings = WatchdogSettings(pause_below=0.15, resume_above=0.5, **SETTLED)

    lines = await pauses_and_resumes(sampler, settings, eater, 360)

    assert lines[1]["limit_mb"] == 400
    assert lines[1]["available_mb"] < 60


@pytest.mark.soak
async def test_memory_exhausted_on_the_whole_machine_does_so_too(hog, tmp_path):
    await on_the_whole_machine(hog, tmp_path)


async def on_the_whole_machine(hog, tmp_path):
    vitals = SystemSampler({"cache_dir": tmp_path}).sample()
    eaten_mb = int(min(3000.0, vitals.memory_available_mb / 4))

    def share(left_mb):
        return (vitals.memory_available_mb - left_mb) / vitals.memory_limit_mb

    settings = WatchdogSettings(
        critical_below=0.001,
        pause_below=share(eaten_mb * 0.65),
        resume_above=share(eaten_mb * 0.45),
        **SETTLED,
    )

    await pauses_and_resumes(SystemSampler({"cache_dir": tmp_path}), settings, hog(), eaten_mb)
