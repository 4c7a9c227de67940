"""How a farm grows, shrinks and renews its workers, without touching a job that runs."""

import asyncio
import os
import resource
from dataclasses import replace

import psutil
import pytest

from render_farm.domain.jobs import HourRendered
from tests.farm.conftest import BOUND_S
from tests.farm.limits import no_descriptors_left
from tests.farm.test_retry import forkserver
from twf_async.farm.errors import FarmClosed

HOARD = "import builtins; builtins.kept = b'x' * (80 << 20)"


def states(farm):
    return {each["slot"]: each["state"] for each in farm.status()}


def pids(farm):
    return {each["slot"]: each["pid"] for each in farm.status()}


async def gone(pid):
    async with asyncio.timeout(60):
        while psutil.pid_exists(pid):
            await asyncio.sleep(0.01)


async def test_the_largest_idle_worker_is_recycled(start_farm):
    farm = await start_farm(3, max_tasks_per_child=50)
    before = pids(farm)
    await farm.call(exec, HOARD)  # the lowest idle slot takes it

    assert await farm.recycle() == 0

    after = pids(farm)
    assert after[0] != before[0]
    assert (after[1], after[2]) == (before[1], before[2])
    assert farm.idle == farm.size == 3
    await gone(before[0])


async def test_a_slot_whose_worker_is_being_replaced_is_given_nothing(start_farm, until):
    farm = await start_farm(1)
    server = forkserver()
    server.suspend()
    try:
        recycling = asyncio.create_task(farm.recycle())
        await until(lambda: farm.status()[0]["busy_s"] is not None)
        idle = farm.idle
        asking = asyncio.create_task(farm.call(abs, -7))
    finally:
        server.resume()

    assert (idle, await recycling) == (0, 0)
    assert await asking == 7  # which nobody else has the farm look at
    assert farm.idle == 1


async def test_a_slot_whose_worker_cannot_be_replaced_just_now_goes_on_later(
    start_farm, monkeypatch
):
    farm = await start_farm(1)

    with monkeypatch.context() as impatient, no_descriptors_left():
        impatient.setattr("twf_async.farm.post.STARTS", (0.05,))
        await farm.recycle()

    assert farm.idle == 1
    assert await farm.call(abs, -7) == 7


async def test_nothing_is_recycled_where_nobody_is_idle(start_farm, waiting_job, until):
    farm = await start_farm(1)
    waiting = waiting_job()
    drawing = asyncio.create_task(farm.render(waiting.job))
    await until(waiting.started)
    pid = farm.status()[0]["pid"]

    assert await farm.recycle() is None

    waiting.release()
    assert farm.status()[0]["pid"] == pid
    drawing.cancel()


async def test_idle_slots_go_at_once_and_busy_ones_after_their_job(start_farm, waiting_job, until):
    farm = await start_farm(3)
    waiting = waiting_job()
    drawing = asyncio.create_task(farm.render(waiting.job))
    await until(waiting.started)
    before = pids(farm)

    await farm.resize(1)
    assert (farm.size, states(farm)) == (1, {0: "busy"})
    await gone(before[2])

    await farm.resize(2)
    await farm.resize(1)
    assert states(farm) == {0: "busy"}
    os.kill(before[0], 9)  # its job goes on in a new worker of the same slot
    waiting.release()
    assert isinstance(await drawing, HourRendered)
    assert states(farm) == {0: "idle"}


async def test_a_busy_slot_that_is_too_many_ends_after_its_job(start_farm, waiting_job, until):
    farm = await start_farm(2)
    first, second = waiting_job(3), waiting_job(6)
    drawing = [asyncio.create_task(farm.render(waiting.job)) for waiting in (first, second)]
    await until(lambda: first.started() and second.started())

    await farm.resize(1)

    assert (farm.size, farm.idle, states(farm)) == (1, 0, {0: "busy", 1: "ending"})
    ending = pids(farm)[1]
    for waiting in (first, second):
        waiting.end()
    outcomes = await asyncio.gather(*drawing)
    assert all(len(outcome.frames) == 1 for outcome in outcomes)
    assert states(farm) == {0: "idle"}
    await gone(ending)


async def test_a_slot_on_its_way_out_stays_when_it_is_wanted_again(start_farm, waiting_job, until):
    farm = await start_farm(1)
    await farm.resize(2)
    waiting = waiting_job(3), waiting_job(6)
    drawing = [asyncio.create_task(farm.render(each.job)) for each in waiting]
    await until(lambda: all(each.started() for each in waiting))
    await farm.resize(1)

    await farm.resize(3)

    assert states(farm) == {0: "busy", 1: "busy", 2: "idle"}
    for task in drawing:
        task.cancel()


async def test_more_slots_draw_what_is_waiting(start_farm, waiting_job, light_job, until):
    farm = await start_farm(1)
    waiting = waiting_job()
    drawing = asyncio.create_task(farm.render(waiting.job))
    await until(waiting.started)
    other = asyncio.create_task(farm.render(light_job(0)))
    await until(lambda: farm.waiting == {"gfs": 1})

    await farm.resize(2)

    assert isinstance(await other, HourRendered)
    drawing.cancel()


async def test_a_farm_keeps_a_slot(farm):
    with pytest.raises(ValueError, match="at least one slot"):
        await farm.resize(0)


async def test_a_worker_that_has_grown_beyond_its_bound_is_replaced_after_its_job(
    start_farm, light_job
):
    farm = await start_farm(1, max_tasks_per_child=50, recycle_above_mb=1)

    first = await farm.render(light_job(0))
    second = await farm.render(light_job(1))

    assert first.pid != second.pid
    await gone(first.pid)


async def test_a_worker_within_its_bound_stays(start_farm, light_job):
    farm = await start_farm(1, max_tasks_per_child=50, recycle_above_mb=2000)

    first = await farm.render(light_job(0))

    assert (await farm.render(light_job(1))).pid == first.pid


async def test_the_status_tells_what_each_slot_does(start_farm, waiting_job, light_job, until):
    farm = await start_farm(2, max_tasks_per_child=50)
    await farm.render(light_job(0))
    waiting = waiting_job(6)
    drawing = asyncio.create_task(farm.render(waiting.job))
    await until(waiting.started)

    busy, idle = farm.status()

    assert busy["job"] == {"model": "gfs", "cycle": "2026012912", "hour": 6}
    assert (busy["state"], busy["jobs_done"], busy["pid"]) == ("busy", 1, pids(farm)[0])
    assert busy["busy_s"] >= 0
    assert busy["rss_mb"] > busy["pss_mb"] > 1
    assert (idle["state"], idle["job"], idle["jobs_done"]) == ("idle", None, 0)
    drawing.cancel()


async def test_a_stop_without_killing_waits_for_the_job_and_sends_those_who_wait_away(
    start_farm, waiting_job, light_job, until
):
    farm = await start_farm(1)
    waiting = waiting_job()
    drawing = asyncio.create_task(farm.render(waiting.job))
    await until(waiting.started)
    queued = asyncio.create_task(farm.render(light_job(9)))
    await until(lambda: farm.waiting)

    stopping = asyncio.create_task(farm.stop())
    with pytest.raises(FarmClosed):
        await queued
    assert not stopping.done()
    waiting.end()

    assert len((await drawing).frames) == 1
    await stopping
    assert farm.status()[0]["pid"] is None


async def test_a_reload_renews_idle_workers_at_once_and_busy_ones_after_their_job(
    start_farm, spec, waiting_job, light_job, until
):
    farm = await start_farm(2, max_tasks_per_child=50)
    waiting = waiting_job()
    drawing = asyncio.create_task(farm.render(waiting.job))
    await until(waiting.started)
    before = pids(farm)

    after = replace(spec, max_tasks_per_child=50, memory_limit_mb=999)
    farm.reload(after, job_timeout_s=BOUND_S)

    await gone(before[1])
    assert pids(farm)[0] == before[0]
    waiting.end()
    await drawing
    await gone(before[0])

    await farm.resize(3)
    limits = [farm.call(resource.getrlimit, resource.RLIMIT_DATA) for _ in range(3)]
    assert {soft for soft, _ in await asyncio.gather(*limits)} == {999 << 20}
    renewed = [(await farm.render(light_job(hour))).pid for hour in (0, 3)]
    assert renewed[0] == renewed[1]  # that is over then
