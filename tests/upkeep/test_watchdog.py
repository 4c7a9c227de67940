import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from twf_async.pipeline.gate import DispatchGate
from twf_async.publish.events import EventBus
from twf_async.settings.service import WatchdogSettings
from twf_async.upkeep.verdict import CALM_S, STARVED_S, Verdict, judge
from twf_async.upkeep.vitals import Vitals
from twf_async.upkeep.watchdog import Watchdog

LIMITS = WatchdogSettings(interval_s=0.001)
WELL = Vitals(1000.0, 500.0, disk_free_gb=80.0, disk_total_gb=250.0)


def look(**changes):
    values = {name: getattr(WELL, name) for name in WELL.__slots__}
    return Vitals(**values | changes)


LOW = look(memory_available_mb=50.0)
MIDDLING = look(memory_available_mb=150.0)


def follow(*looks, every_s=5.0, running=1):
    verdict, seen = Verdict(), []
    for number, now in enumerate(looks):
        verdict = judge(verdict, now, LIMITS, number * every_s, running=running)
        seen.append(verdict)
    return seen


def test_too_little_memory_pauses_at_once_and_only_lasting_calm_resumes():
    paused = [bool(v.paused) for v in follow(WELL, LOW, MIDDLING, WELL, WELL, WELL, WELL, WELL)]
    assert paused == [False, True, True, True, True, True, False, False]


def test_a_relapse_begins_the_calm_anew():
    seen = follow(LOW, WELL, WELL, MIDDLING, WELL, WELL, WELL, WELL)
    assert [bool(v.paused) for v in seen] == [True] * 7 + [False]


def test_between_the_thresholds_nothing_changes():
    assert not any(v.paused for v in follow(*[MIDDLING] * 9))


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"memory_available_mb": 99.0}, "memory low"),
        ({"memory_stall_pct": 11.0}, "memory stalls"),
        ({"swap_used_pct": 95.0, "memory_available_mb": 150.0}, "swap full"),
        ({"swap_used_pct": 95.0}, ""),
        ({"io_stall_pct": 70.0}, "disk stalls"),
        ({"iowait_pct": 70.0}, "disk stalls"),
        ({"iowait_pct": 70.0, "io_stall_pct": 1.0}, ""),
    ],
)
def test_each_shortage_has_its_name(changes, reason):
    assert follow(look(**changes))[0].paused == reason


def test_a_long_pause_with_nothing_in_flight_lets_single_jobs_through():
    looks = [LOW] * int(STARVED_S / 5 * 3)
    favours = [n * 5.0 for n, v in enumerate(follow(*looks, running=0)) if v.favour]
    assert favours == [60.0, 120.0]
    assert not any(v.favour for v in follow(*looks, running=1))


def test_downloads_are_held_below_the_floor_until_there_is_clearly_more():
    free = (80.0, 12.0, 12.6, 14.0, 15.1, 12.6)  # 5 % of 250 GB are 12.5
    held = [bool(v.fetch_held) for v in follow(*(look(disk_free_gb=gb) for gb in free))]
    assert held == [False, True, True, True, False, False]
    small = follow(
        look(disk_free_gb=2.1, disk_total_gb=20.0), look(disk_free_gb=1.9, disk_total_gb=20.0)
    )
    assert [bool(v.fetch_held) for v in small] == [False, True]
    assert small[0].disk_low


@given(st.lists(st.floats(0, 1000), min_size=1, max_size=60))
def test_the_gate_is_open_only_when_it_may_be(available):
    seen = follow(*(look(memory_available_mb=mb) for mb in available))
    for n, (verdict, mb) in enumerate(zip(seen, available, strict=True)):
        if mb < 100:
            assert verdict.paused
        if n and seen[n - 1].paused and not verdict.paused:
            steps = int(CALM_S / 5)
            assert all(before > 200 for before in available[n - steps : n + 1])


class Scripted:
    def __init__(self, *looks):
        self.looks = list(looks)

    def sample(self):
        return self.looks.pop(0) if len(self.looks) > 1 else self.looks[0]


async def test_every_transition_is_one_line_and_the_gate_follows():
    gate, bus = DispatchGate(), EventBus()
    seconds = iter(range(0, 10**6, 5))
    sampler = Scripted(WELL, LOW, LOW, *[WELL] * 9, look(disk_free_gb=1.0), WELL)
    dog = Watchdog(sampler, gate, bus, lambda: LIMITS, monotonic=lambda: float(next(seconds)))
    with capture_logs() as lines:
        async with bus.subscribe() as events:
            await dog.start()
            changes = [dict((await events.get()).data["watchdog"]) for _ in range(4)]
            await dog.stop()
    assert [line["event"] for line in lines] == [
        "watchdog.started",
        "watchdog.paused",
        "watchdog.resumed",
        "watchdog.fetch_held",
        "watchdog.disk_low",
        "watchdog.fetch_released",
    ]
    assert lines[1]["available_mb"] == 50
    assert [bool(c["paused"]) for c in changes] == [True, False, False, False]
    assert [bool(c["fetch_held"]) for c in changes] == [False, False, True, False]
    assert gate.status()["open"]
    assert gate.status()["fetch_open"]


async def test_a_starved_gate_lets_one_render_pass():
    gate = DispatchGate()
    seconds = iter(range(0, 10**6, 30))
    dog = Watchdog(Scripted(LOW), gate, EventBus(), lambda: LIMITS, monotonic=lambda: next(seconds))
    await dog.start()
    passed = []

    async def render():
        async with gate.passage():
            passed.append(1)
            await asyncio.Event().wait()

    tasks = [asyncio.create_task(render()) for _ in range(3)]
    while not passed:
        await asyncio.sleep(0.001)
    await asyncio.sleep(0.05)  # many more looks, with one in flight
    assert len(passed) == 1
    assert dog.status()["paused"] == "memory low"
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)
    await dog.stop()
