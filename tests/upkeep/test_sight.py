"""A machine that cannot be looked at, or takes long to answer, as when its memory is exhausted."""

import asyncio
import threading

import psutil
import pytest
from prometheus_client import REGISTRY
from structlog.testing import capture_logs

from tests.upkeep.looks import LOW, WELL, Scripted, watchdog
from tests.upkeep.test_watchdog import every, until
from twf_async.pipeline.gate import OPERATOR, DispatchGate
from twf_async.publish.events import EventBus
from twf_async.upkeep.watchdog import Blind


class Faulty(Scripted):
    """A sampler whose looks may be faults."""

    def sample(self):
        found = super().sample()
        if isinstance(found, Exception):
            raise found
        return found


class Slow:
    """A sampler that answers when it is let, as a disk that does not."""

    def __init__(self):
        self.asked = 0
        self.may = threading.Event()

    def sample(self):
        self.asked += 1
        self.may.wait(120)
        return WELL


FULL_TABLE = OSError(24, "Too many open files", "/proc/meminfo")


@pytest.mark.parametrize("fault", [FULL_TABLE, psutil.AccessDenied(1), ValueError("what?")])
async def test_one_look_that_fails_ends_nothing_and_holds_nothing(fault):
    gate = DispatchGate()
    dog = watchdog(Faulty(WELL, fault, WELL), gate, EventBus(), monotonic=every(5))
    with capture_logs() as lines:
        for _ in range(3):
            await dog.look()
    assert [line["event"] for line in lines] == ["watchdog.blinded", "watchdog.sight_regained"]
    assert lines[0]["reason"] == str(fault)
    assert lines[1]["unseen_s"] > 0
    assert gate.is_open


async def test_looks_that_go_on_failing_pause_until_they_come_again():
    gate, looks = DispatchGate(), Faulty(WELL)
    ticks = iter(range(10_000))
    dog = watchdog(looks, gate, EventBus(), monotonic=lambda: float(next(ticks)))
    with capture_logs() as lines:
        await dog.start()
        looks.looks = [FULL_TABLE]
        for _ in range(12):
            await dog.look()
        assert gate.paused_because == "the machine cannot be seen"
        assert "Too many open files" in dog.status()["unseen"]
        assert REGISTRY.get_sample_value("twf_watchdog_unseen") == 1.0
        looks.looks = [WELL]
        await until(lambda: gate.is_open)
        assert not dog.task.done()
        await dog.stop()
    told = [line["event"] for line in lines if line["event"] != "watchdog.one_let_through"]
    assert told == [
        "watchdog.started",
        "watchdog.blinded",
        "watchdog.paused",
        "watchdog.sight_regained",
        "watchdog.resumed",
    ]
    assert REGISTRY.get_sample_value("twf_watchdog_unseen") == 0.0
    assert dog.status()["unseen"] == ""


async def test_what_held_before_goes_on_to_hold_while_nothing_is_seen():
    gate = DispatchGate()
    dog = watchdog(Faulty(LOW, *[FULL_TABLE] * 4), gate, EventBus(), monotonic=every(1))
    for _ in range(4):
        await dog.look()
    assert gate.paused_because == "memory low"


async def test_who_cannot_see_does_not_start():
    dog = watchdog(Faulty(FULL_TABLE), DispatchGate(), EventBus(), monotonic=every(5))
    with pytest.raises(Blind, match="cannot be looked at: .*Too many open files"):
        await dog.start()


async def test_a_machine_that_does_not_answer_is_asked_once_and_nothing_new_starts():
    slow, gate = Slow(), DispatchGate()
    dog = watchdog(slow, gate, EventBus(), monotonic=every(5), late_s=0.05)
    with capture_logs() as lines:
        await dog.start()
        await until(lambda: not gate.is_open)
        assert (slow.asked, dog.status()["unseen"]) == (1, "the machine does not answer")
        slow.may.set()
        await until(lambda: gate.is_open)
        await dog.stop()
    assert [line["event"] for line in lines[:3]] == [
        "watchdog.blinded",
        "watchdog.paused",
        "watchdog.started",
    ]
    assert lines[-1]["event"] == "watchdog.resumed"


async def test_threads_that_are_all_busy_blind_nobody():
    may, gate = threading.Event(), DispatchGate()
    busy = [asyncio.create_task(asyncio.to_thread(may.wait, 120)) for _ in range(64)]
    dog = watchdog(Scripted(WELL), gate, EventBus(), monotonic=every(5), late_s=60.0)
    try:
        async with asyncio.timeout(60):
            assert await dog.look() is WELL
    finally:
        may.set()
        await asyncio.wait(busy)
    assert gate.is_open


async def test_it_stops_while_a_look_does_not_come_back():
    slow = Slow()
    dog = watchdog(slow, DispatchGate(), EventBus(), monotonic=every(5), late_s=0.05)
    await dog.start()
    async with asyncio.timeout(60):
        await dog.stop()
    slow.may.set()


async def test_a_favour_is_none_while_an_operator_has_shut_the_gate():
    gate = DispatchGate()
    await gate.pause("maintenance", by=OPERATOR)
    dog = watchdog(Scripted(LOW), gate, EventBus(), monotonic=every(30))
    passed = []

    async def render():
        async with gate.passage():
            passed.append(1)

    task = asyncio.create_task(render())
    with capture_logs() as lines:
        for _ in range(6):
            await dog.look()
    assert "watchdog.one_let_through" not in [line["event"] for line in lines]
    await gate.resume(by=OPERATOR)
    for _ in range(3):  # it is the watchdog's own pause now, and a minute has passed
        await dog.look()
    await until(lambda: passed)
    await task
