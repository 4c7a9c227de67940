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
            await until(lambda: farm.size == 1)
            events = [line["event"] for line in lines]
            assert events.count("watchdog.slots_given_up") == 2
            assert 2 <= events.count("watchdog.worker_recycled") <= 3
            assert not gate.is_open
            (left,) = pids(farm)
            assert left in before  # the worker that has the job was not touched
            waiting.end()
            outcome = await task
        assert [frame.product for frame in outcome.frames] == [waiting.frames[0]]
        machine.shown = WELL
        await until(lambda: farm.size == farm.idle == 3)
        await dog.stop()
    events = [line["event"] for line in lines]
    assert events.count("watchdog.slots_taken_back") == 2
    assert not {"farm.job_lost", "farm.idle_worker_replaced"} & set(events)
    assert len(pids(farm) & before) == 1
    done = await asyncio.gather(*(farm.render(light_job(hour)) for hour in range(6)))
    assert [result.hour for result in done] == [*range(6)]


def pids(farm):
    return {slot["pid"] for slot in farm.status()}
