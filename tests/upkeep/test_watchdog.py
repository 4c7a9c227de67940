"""The watchdog at work: what it looks at is scripted, what it acts on is real."""

import asyncio
import itertools

import pytest
from structlog.testing import capture_logs

from tests.upkeep.looks import (
    CRITICAL,
    EVERYTHING,
    LIMITS,
    LOW,
    WELL,
    Cleaned,
    Scripted,
    look,
    watchdog,
)
from twf_async.clock import Clock
from twf_async.farm.errors import FarmClosed
from twf_async.pipeline.gate import DispatchGate
from twf_async.publish.events import EventBus
from twf_async.upkeep.diary import Diary
from twf_async.upkeep.foreman import Foreman


def every(seconds):
    ticks = itertools.count(0, seconds)
    return lambda: float(next(ticks))


async def until(condition):
    async with asyncio.timeout(60):
        while not condition():
            await asyncio.sleep(0.001)


async def test_every_transition_is_one_line_and_the_gate_follows():
    gate, bus = DispatchGate(), EventBus()
    dog = watchdog(Scripted(WELL, LOW, LOW, WELL), gate, bus, monotonic=every(5))
    with capture_logs() as lines:
        async with bus.subscribe() as events:
            await dog.start()
            changes = [dict((await events.get()).data["watchdog"]) for _ in range(2)]
            await dog.stop()
    assert [line["event"] for line in lines] == [
        "watchdog.started",
        "watchdog.paused",
        "watchdog.resumed",
    ]
    assert (lines[1]["available_mb"], lines[1]["reason"]) == (70, "memory low")
    assert lines[2]["paused_s"] == 25.0
    assert [change["paused"] for change in changes] == ["memory low", ""]
    assert gate.is_open
    recent = [change["event"] for change in dog.status()["changes"]]
    assert recent == ["watchdog.resumed", "watchdog.paused", "watchdog.started"]


async def test_a_starved_gate_lets_one_render_pass():
    gate = DispatchGate()
    dog = watchdog(Scripted(LOW), gate, EventBus(), monotonic=every(30))
    await dog.start()
    passed = []

    async def render():
        async with gate.passage():
            passed.append(1)
            await asyncio.Event().wait()

    tasks = [asyncio.create_task(render()) for _ in range(3)]
    await until(lambda: passed)
    await asyncio.sleep(0.05)  # many more looks, with one in flight
    assert len(passed) == 1
    assert dog.status()["paused"] == "memory low"
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)
    await dog.stop()


async def test_it_leaves_an_operators_pause_alone():
    gate = DispatchGate()
    await gate.pause("maintenance", by="operator")
    dog = watchdog(Scripted(LOW, *[WELL] * 9), gate, EventBus(), monotonic=every(5))
    with capture_logs() as lines:
        await dog.start()
        await until(lambda: any(line["event"] == "watchdog.resumed" for line in lines))
        await dog.stop()
    assert gate.paused_because == "maintenance"


class Slots:
    """As the farm looks to the watchdog: notes what is asked of it."""

    def __init__(self, size, idle):
        self.size, self.idle = size, idle
        self.worker_mb = 100.0
        self.busy = size - idle
        self.asked = []
        self.may_resize = asyncio.Event()
        self.may_resize.set()

    async def recycle(self):
        self.asked.append("recycle")
        return 1 if self.idle else None

    async def resize(self, slots):
        self.asked.append(f"resize {slots}")
        await self.may_resize.wait()
        self.size = slots
        self.idle = min(self.idle, slots)


async def test_low_and_critical_memory_reach_the_farm_step_by_step_and_are_told():
    slots = Slots(2, 1)
    sampler = Scripted(WELL, *[CRITICAL] * 40, *[WELL] * 200)
    gate = DispatchGate()
    dog = watchdog(sampler, gate, EventBus(), monotonic=every(5), crew=slots)
    with capture_logs() as lines:
        async with gate.passage():
            await dog.start()
            await until(lambda: "resize 2" in slots.asked and slots.size == 2)
        await dog.stop()
    assert slots.asked == ["recycle", "recycle", "resize 1", "resize 2"]
    told = [(line["event"], line.get("slots", line.get("slot"))) for line in lines]
    assert told == [
        ("watchdog.started", None),
        ("watchdog.paused", None),
        ("watchdog.worker_recycled", 1),
        ("watchdog.worker_recycled", 1),
        ("watchdog.slots_given_up", 1),
        ("watchdog.resumed", None),
        ("watchdog.slots_taken_back", 2),
    ]
    assert (dog.status()["slots"], dog.status()["slots_configured"]) == (2, 2)


async def test_at_the_very_last_the_newest_job_is_handed_back():
    class Crowded(Slots):
        async def hand_back(self):
            self.asked.append("hand back")
            self.busy -= 1
            return 0

    slots = Crowded(2, 0)
    dog = watchdog(Scripted(CRITICAL), DispatchGate(), EventBus(), monotonic=every(5), crew=slots)
    with capture_logs() as lines:
        await dog.start()
        await until(lambda: "hand back" in slots.asked)
        for _ in range(60):
            await dog.look()
        await dog.stop()
    assert slots.asked == ["resize 1", "hand back"]
    told = [line for line in lines if line["event"] == "watchdog.job_handed_back"]
    assert [line["slot"] for line in told] == [0]


async def test_a_start_while_memory_was_short_is_made_good_when_it_is_ample():
    slots = Slots(1, 1)
    diary = Diary(Clock())
    foreman = Foreman(slots, lambda: LIMITS, diary, full=lambda _: 3)
    for at_s in range(0, 700, 100):
        await foreman.look(WELL, at_s, favoured=False)
        await asyncio.sleep(0)
    assert (slots.asked, slots.size, foreman.full) == (["resize 2", "resize 3"], 3, 3)
    assert [change["event"] for change in diary.recent()] == ["watchdog.slots_taken_back"] * 2


async def test_a_limit_that_is_raised_meanwhile_brings_slots_and_a_lower_one_takes_none():
    slots = Slots(2, 2)
    foreman = Foreman(slots, lambda: LIMITS, Diary(Clock()), full=lambda mb: int(mb // 400))
    full = []
    for number, limit_mb in enumerate((1000.0, 1000.0, 1600.0, 1600.0, 1600.0, 400.0, 400.0)):
        ample = look(memory_limit_mb=limit_mb, memory_available_mb=0.9 * limit_mb)
        await foreman.look(ample, number * 400.0, favoured=False)
        await asyncio.sleep(0)
        full.append(foreman.full)
    assert full == [2, 2, 4, 4, 4, 2, 2]
    assert slots.asked == ["resize 3", "resize 4"]


async def test_a_step_that_waits_for_a_job_holds_up_neither_looks_nor_the_end():
    slots = Slots(2, 0)
    slots.may_resize.clear()
    looks = Scripted(*[CRITICAL] * 60, *[WELL] * 99)
    dog = watchdog(looks, DispatchGate(), EventBus(), monotonic=every(5), crew=slots)
    await dog.start()
    await until(lambda: dog.status()["paused"] == "" and len(looks.looks) < 50)
    assert slots.asked == ["resize 1"]
    async with asyncio.timeout(60):
        await dog.stop()
    assert slots.size == 2


async def test_a_farm_that_is_ending_is_no_fault_of_the_watchdog():
    class Closed(Slots):
        async def resize(self, slots):
            raise FarmClosed("the farm is stopping")

    dog = watchdog(
        Scripted(CRITICAL), DispatchGate(), EventBus(), monotonic=every(5), crew=Closed(2, 0)
    )
    with capture_logs() as lines:
        await dog.start()
        await until(lambda: any(line["event"] == "watchdog.step_failed" for line in lines))
        assert not dog.task.done()
        await dog.stop()


async def test_a_fault_in_a_step_ends_the_watchdog_loudly():
    class Broken(Slots):
        async def resize(self, slots):
            raise RuntimeError("no such slot")

    dog = watchdog(
        Scripted(CRITICAL), DispatchGate(), EventBus(), monotonic=every(5), crew=Broken(2, 0)
    )
    await dog.start()
    with pytest.raises(RuntimeError, match="no such slot"):
        async with asyncio.timeout(60):
            await dog.task


async def test_what_can_be_deleted_is_deleted_before_downloads_are_held():
    sampler = Scripted(WELL, look(disk_free_gb=1.0), WELL)
    gate, cleaned, told = DispatchGate(), Cleaned(), []
    dog = watchdog(
        sampler, gate, EventBus(), monotonic=every(5), make_room=cleaned, tell=told.append
    )
    with capture_logs() as lines:
        await dog.start()
        await until(lambda: cleaned.wanted)
        await dog.stop()
    floor_gb = 0.05 * 250.0
    assert cleaned.wanted == [dict.fromkeys(EVERYTHING, 1.2 * floor_gb * (1 << 30))]
    assert [line["event"] for line in lines] == ["watchdog.started"]
    assert told == []


async def test_a_file_that_cannot_be_deleted_ends_nothing_and_downloads_are_held():
    async def refused(_wanted):
        raise PermissionError(13, "Permission denied", "f006.grib2")

    gate = DispatchGate()
    full = Scripted(WELL, look(disk_free_gb=1.0))
    dog = watchdog(full, gate, EventBus(), monotonic=every(5), make_room=refused)
    with capture_logs() as lines:
        await dog.start()
        await until(lambda: not gate.fetch_is_open)
        assert not dog.task.done()
        await dog.stop()
    told = [line for line in lines if line["event"] == "watchdog.step_failed"]
    assert "f006.grib2" in told[0]["reason"]
    assert told[0]["step"] == "make room"


async def test_below_the_floor_downloads_are_held_and_come_back_by_themselves():
    full, better = look(disk_free_gb=1.0), look(disk_free_gb=14.0)
    sampler = Scripted(WELL, *[full] * 40, better, better, WELL)
    gate, bus, cleaned, told = DispatchGate(), EventBus(), Cleaned(), []
    dog = watchdog(sampler, gate, bus, monotonic=every(5), make_room=cleaned, tell=told.append)
    with capture_logs() as lines:
        await dog.start()
        await until(lambda: gate.fetch_held_because == "disk nearly full")
        assert gate.is_open
        await until(lambda: gate.fetch_is_open)
        await dog.stop()
    events = [(line["event"], line["log_level"]) for line in lines]
    assert events == [
        ("watchdog.started", "info"),
        ("watchdog.fetch_held", "error"),
        ("watchdog.disk_low", "warning"),
        ("watchdog.fetch_released", "info"),
    ]
    assert lines[3]["disk_free_gb"] == 80.0  # 14 GB are above the floor, but not clearly
    assert told == ["disk nearly full", ""]
    assert len(cleaned.wanted) == 4  # once a minute
