"""The watchdog over a real farm: workers are replaced, slots go and come back, no job is lost."""

import asyncio
import itertools

from structlog.testing import capture_logs

from tests.farm.conftest import (  # noqa: F401 - fixtures of that room
    context,
    light_job,
    spec,
    start_farm,
    until,
    waiting_job,
)
from tests.render.conftest import catalog, make_job, map_cache, real_file  # noqa: F401
from tests.upkeep.looks import CRITICAL, WELL, watchdog
from twf_async.pipeline.gate import DispatchGate
from twf_async.publish.events import EventBus


class Switched:
    """A sampler that shows what it is set to."""

    def __init__(self):
        self.shown = WELL

    def sample(self):
        return self.shown


async def test_while_memory_is_critical_slots_go_without_a_job_lost_and_come_back_after(
    start_farm,  # noqa: F811
    waiting_job,  # noqa: F811
    light_job,  # noqa: F811
    until,  # noqa: F811
):
    farm = await start_farm(3)
    machine, seconds = Switched(), itertools.count(0, 1)
    gate = DispatchGate()
    dog = watchdog(machine, gate, EventBus(), monotonic=lambda: float(next(seconds)), crew=farm)
    waiting = waiting_job()
    with capture_logs() as lines:
        await dog.start()
        async with gate.passage():
            task = asyncio.create_task(farm.render(waiting.job))
            await until(waiting.started)
            before = pids(farm)
            machine.shown = CRITICAL
            await until(lambda: count(lines, "watchdog.slots_given_up") == 2)
            events = [line["event"] for line in lines]
            assert farm.size == 1
            assert 2 <= events.count("watchdog.worker_recycled") <= 3
            assert not gate.is_open
            (left,) = pids(farm)
            assert left in before  # the worker that has the job was not touched
            machine.shown = WELL
            await until(lambda: gate.is_open)  # or the worker might be replaced once it is idle
            waiting.end()
            outcome = await task
        assert [frame.product for frame in outcome.frames] == [waiting.frames[0]]
        await until(lambda: count(lines, "watchdog.slots_taken_back") == 2)
        assert farm.size == farm.idle == 3
        await dog.stop()
    events = [line["event"] for line in lines]
    assert not {"farm.job_lost", "farm.idle_worker_replaced"} & set(events)
    assert len(pids(farm) & before) == 1
    done = await asyncio.gather(*(farm.render(light_job(hour)) for hour in range(6)))
    assert [result.hour for result in done] == [*range(6)]


async def test_at_the_very_last_the_newest_of_two_jobs_is_done_later_without_a_strike(
    start_farm,  # noqa: F811
    waiting_job,  # noqa: F811
    until,  # noqa: F811
):
    farm = await start_farm(2)
    machine, seconds = Switched(), itertools.count(0, 1)
    dog = watchdog(
        machine,
        DispatchGate(),
        EventBus(),
        monotonic=lambda: float(next(seconds)),
        crew=farm,
    )
    older, newer = waiting_job(6), waiting_job(9)
    with capture_logs() as lines:
        await dog.start()
        first = asyncio.create_task(farm.render(older.job))
        await until(older.started)
        second = asyncio.create_task(farm.render(newer.job))
        await until(newer.started)
        machine.shown = CRITICAL
        await until(lambda: count(lines, "farm.job_lost") == 1)
        machine.shown = WELL
        lost = [line for line in lines if line["event"] == "farm.job_lost"]
        assert [(line["hour"], line["strike"]) for line in lost] == [(9, False)]
        assert not first.done()
        newer.release()
        older.end()
        outcomes = await asyncio.gather(first, second)
        await dog.stop()
    events = [line["event"] for line in lines]
    assert events.count("watchdog.job_handed_back") == 1
    assert events.index("watchdog.slots_given_up") < events.index("watchdog.job_handed_back")
    assert [len(outcome.frames) for outcome in outcomes] == [1, 2]  # the older one's file was bad


def count(lines, event):
    return sum(line["event"] == event for line in lines)


def pids(farm):
    return {slot["pid"] for slot in farm.status()}
