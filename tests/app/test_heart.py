"""What systemd's watchdog is told: nothing more while a part is stuck that a start would mend."""

import asyncio
import os
import subprocess
import sys
import time

import pytest

from tests.emergency.listener import listening
from tests.integration.service import wait_for
from twf_async.app.heart import FarmPulse, Heart, hanging
from twf_async.app.notify import Notifier
from twf_async.farm.boot import boot
from twf_async.farm.farm import Farm
from twf_async.farm.post import SlotSpec
from twf_async.pipeline.gate import OPERATOR, DispatchGate
from twf_async.pulse import Pulse

WAITS_FOR_A_DISK = """
import os, sys
way = [(os.POSIX_SPAWN_OPEN, 0, sys.argv[1], os.O_RDONLY, 0)]
os.posix_spawn("/bin/true", ["true"], {}, file_actions=way)  # asleep in state D until it has opened
"""


class Clock:
    """A clock in seconds that only moves when told to."""

    now_s = 0.0

    def __call__(self):
        return self.now_s


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def listener(tmp_path):
    with listening(tmp_path) as made:
        yield made


@pytest.fixture
def gate():
    return DispatchGate()


@pytest.fixture
def heart_of(listener, gate, tmp_path):
    """A heart with these parts, 10 s of patience and no thread that hangs."""
    notifier = Notifier(listener.environ["NOTIFY_SOCKET"])
    dumps = []

    def _heart_of(*pulses, clock, tasks=tmp_path / "none"):
        heart = Heart(
            lambda: pulses,
            gate,
            notifier,
            stuck_after_s=lambda: 10.0,
            every_s=None,
            dump=lambda: dumps.append("dumped"),
            tasks=tasks,
            monotonic=clock,
        )
        heart.dumps = dumps
        return heart

    yield _heart_of
    notifier.close()


def live(heart, clock, until_s):
    """Beat as a service does that runs."""
    while clock.now_s < until_s:
        clock.now_s = min(clock.now_s + 30.0, until_s)
        heart.beat()


def test_a_part_is_late_once_the_time_it_named_is_over(clock):
    pulse = Pulse("cleaner", monotonic=clock)
    assert pulse.late_s() == 0.0  # it has not begun

    pulse.within(60.0)
    clock.now_s = 60.0
    in_time = pulse.late_s()
    clock.now_s = 75.0
    late_s = pulse.late_s()
    pulse.within(60.0)

    assert (in_time, late_s, pulse.late_s()) == (0.0, 15.0, 0.0)


def test_systemd_hears_of_us_while_every_part_is_in_time_or_only_a_little_late(
    heart_of, clock, listener
):
    pulse = Pulse("cleaner", monotonic=clock)
    heart = heart_of(pulse, clock=clock)
    pulse.within(60.0)
    clock.now_s = 69.0

    heart.beat()

    wait_for(lambda: listener.said("WATCHDOG"), "it is fed")
    assert (heart.stuck, heart.late) == ([], {})


def test_it_hears_nothing_more_while_a_part_is_stuck_and_again_when_that_is_back(
    heart_of, clock, listener
):
    pulse = Pulse("cleaner", monotonic=clock)
    heart = heart_of(pulse, clock=clock)
    pulse.within(60.0)
    live(heart, clock, 60.0)
    wait_for(lambda: len(listener.said("WATCHDOG")) == 2, "it is fed")
    live(heart, clock, 71.0)
    heart.beat()
    assert (heart.stuck, heart.late, heart.dumps) == (["cleaner"], {"cleaner": 11.0}, ["dumped"])
    assert len(listener.said("WATCHDOG")) == 2

    pulse.within(60.0)
    heart.beat()

    wait_for(lambda: len(listener.said("WATCHDOG")) == 3, "it is fed again")
    assert heart.stuck == []


def test_a_service_that_was_stopped_gives_every_part_time_before_it_calls_one_stuck(
    heart_of, clock
):
    """By SIGSTOP, or in a frozen group, and all its parts with it."""
    poller, cleaner = (Pulse(name, monotonic=clock) for name in ("poller:gfs", "cleaner"))
    heart = heart_of(poller, cleaner, clock=clock)
    for pulse in (poller, cleaner):
        pulse.within(60.0)
    live(heart, clock, 30.0)
    clock.now_s = 7200.0

    heart.beat()
    clock.now_s += 9.0
    heart.beat()
    awake = heart.stuck
    cleaner.within(60.0)
    clock.now_s += 2.0
    heart.beat()

    assert (awake, heart.stuck, heart.dumps) == ([], ["poller:gfs"], ["dumped"])


async def test_nothing_is_expected_of_who_waits_at_the_gate_before_it_has_opened_for_long_enough(
    heart_of, clock, gate
):
    poller = Pulse("poller:gfs", may_wait=True, monotonic=clock)
    heart = heart_of(poller, clock=clock)
    poller.within(60.0)
    await gate.pause("new disk", by=OPERATOR)
    live(heart, clock, 10_000.0)
    shut = heart.stuck
    await gate.resume(by=OPERATOR)
    live(heart, clock, 10_069.0)
    opened = heart.stuck
    live(heart, clock, 10_071.0)

    assert (shut, opened, heart.stuck) == ([], [], ["poller:gfs"])


def test_who_waits_for_a_disk_is_told_of_but_no_start_is_asked_for(
    heart_of, clock, listener, tmp_path
):
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    process = subprocess.Popen([sys.executable, "-c", WAITS_FOR_A_DISK, fifo])
    try:
        tasks = tmp_path.joinpath(f"/proc/{process.pid}/task")
        wait_for(lambda: hanging(tasks), "it waits")
        pulse = Pulse("cleaner", monotonic=clock)
        heart = heart_of(pulse, clock=clock, tasks=tasks)
        pulse.within(60.0)
        heart.beat()
        live(heart, clock, 60.0)
        before = len(wait_for(lambda: listener.said("WATCHDOG"), "it is fed"))

        live(heart, clock, 90.0)

        wait_for(lambda: len(listener.said("WATCHDOG")) > before, "it is fed even so")
        assert (heart.stuck, heart.late) == ([], {"cleaner": 30.0})
    finally:
        os.close(os.open(fifo, os.O_WRONLY))
        process.wait(60)
    assert hanging(tasks) == {}


def test_a_thread_that_only_sleeps_now_and_then_is_none_that_hangs(heart_of, clock, tmp_path):
    tasks = tmp_path / "task"
    (tasks / "7").mkdir(parents=True)
    status = tasks / "7" / "status"
    pulse = Pulse("cleaner", monotonic=clock)
    heart = heart_of(pulse, clock=clock, tasks=tasks)
    pulse.within(0.0)
    live(heart, clock, 30.0)
    for switches in (5, 6, 7):
        status.write_text(f"State:\tD (disk sleep)\nvoluntary_ctxt_switches:\t{switches}\n")
        heart.beat()

    assert heart.stuck == ["cleaner"]


def test_threads_that_have_just_ended_hide_no_other(tmp_path):
    for thread in range(20):
        (tmp_path / str(thread)).mkdir()
    (tmp_path / "7" / "status").write_bytes(
        b"Name:\tgr\xfcn\nState:\tD (disk sleep)\nvoluntary_ctxt_switches:\t5\n"
    )

    assert hanging(tmp_path) == {"7": "5"}


async def until(condition):
    async with asyncio.timeout(60):
        while not condition():
            await asyncio.sleep(0.02)


async def test_a_call_that_outlasts_its_time_limit_makes_the_farm_late_until_it_ends():
    context = await asyncio.to_thread(boot)
    farm = Farm(SlotSpec(context, 50, "error", console=False), 1, job_timeout_s=60.0)
    await farm.start()
    try:
        pulse = FarmPulse(farm, lambda: 0.2)
        assert max(part.late_s() for part in pulse.felt()) < 0.5

        call = asyncio.create_task(farm.call(time.sleep, 1.5))
        await until(lambda: pulse.felt()[0].late_s() > 0.5)
        await call

        assert max(part.late_s() for part in pulse.felt()) < 0.5
    finally:
        await farm.stop(kill=True)
