"""Who gets a slot, and when memory lets them, with real workers."""

import asyncio

import pytest

from render_farm.domain.jobs import HourRendered
from tests.emergency.machine import frozen
from twf_async.farm.errors import JobTimedOut
from twf_async.farm.machine import Machine, Room
from twf_async.farm.peaks import Peaks


async def in_order(farm, jobs):
    """What is done, in the order in which it is done."""
    done = []

    async def render(job):
        outcome = await farm.render(job)
        done.append((outcome.model, outcome.hour))

    await asyncio.gather(*(render(job) for job in jobs))
    return done


async def test_an_hour_of_hrrr_overtakes_a_whole_run_of_gfs(start_farm, light_job):
    farm = await start_farm(1, max_tasks_per_child=50)
    gfs = [light_job(hour) for hour in range(30)]

    done = await in_order(farm, [*gfs, light_job(1, model="hrrr", cycle="2026012917")])

    assert done.index(("hrrr", 1)) <= 1
    assert [hour for model, hour in done if model == "gfs"] == [*range(30)]


async def test_the_newest_run_is_drawn_before_an_older_one(start_farm, light_job):
    farm = await start_farm(1, max_tasks_per_child=50)
    first = light_job(0, cycle="2026012906")
    old = [light_job(hour, cycle="2026012906") for hour in (1, 2)]
    new = [light_job(hour) for hour in (12, 9)]

    done = await in_order(farm, [first, *old, *new])

    assert [hour for _, hour in done] == [0, 9, 12, 1, 2]


async def test_a_question_of_the_service_does_not_wait_behind_jobs(start_farm, light_job):
    farm = await start_farm(1, max_tasks_per_child=50)
    done = []
    jobs = [asyncio.create_task(farm.render(light_job(hour))) for hour in range(20)]
    for job in jobs:
        job.add_done_callback(done.append)
    await asyncio.sleep(0)

    assert await farm.call(abs, -7) == 7

    assert len(done) <= 2
    await asyncio.gather(*jobs)


@pytest.mark.parametrize(
    "short", [Room(500.0), Room(5000.0, 1500.0)], ids=["others take it", "a limit is low"]
)
async def test_a_job_waits_for_memory_and_starts_when_there_is_some(
    start_farm, waiting_job, light_job, until, short
):
    room = short
    farm = await start_farm(2, machine=Machine(lambda: room), peaks=Peaks(1000))
    waiting = waiting_job()
    first = asyncio.create_task(farm.render(waiting.job))  # alone, so it may
    await until(waiting.started)
    second = asyncio.create_task(farm.render(light_job(9)))
    await until(lambda: farm.held_for_memory)

    assert farm.idle == 1
    assert farm.waiting == {"gfs": 1}
    room = Room(5000.0)  # nothing of ours tells

    assert isinstance(await second, HourRendered)
    assert not farm.held_for_memory
    assert not first.done()
    first.cancel()


async def test_what_is_queued_when_the_gate_is_shut_goes_on_one_at_a_time(start_farm, light_job):
    farm = await start_farm(2, machine=Machine(is_calm=lambda: False))
    at_once = []

    async def render(hour):
        await farm.render(light_job(hour))
        at_once.append(farm.size - farm.idle)

    await asyncio.gather(*(render(hour) for hour in range(6)))

    assert len(at_once) == 6
    assert max(at_once) <= 1


async def test_the_newest_job_is_handed_back_and_done_later_without_blame(
    start_farm, waiting_job, until
):
    calm = True
    farm = await start_farm(2, machine=Machine(is_calm=lambda: calm))
    first, second = waiting_job(3), waiting_job(6)
    before = asyncio.create_task(farm.render(first.job))
    await until(first.started)
    assert await farm.hand_back() is None  # the only one goes on
    after = asyncio.create_task(farm.render(second.job))
    await until(second.started)

    calm = False
    assert await farm.hand_back() == 1
    await until(lambda: farm.waiting)
    assert (farm.busy, before.done()) == (1, False)

    first.end()
    await before
    await until(lambda: second.started() == 2)
    second.end()
    outcome = await after
    assert [frame.product for frame in outcome.frames] == ["t2m"]
    assert {failure.reason.value for failure in outcome.failures} == {"bad data"}


async def test_a_job_has_begun_when_a_worker_takes_it_and_not_before(
    start_farm, waiting_job, light_job, until
):
    farm = await start_farm(1)
    waiting, begun = waiting_job(3), []
    first = asyncio.create_task(farm.render(waiting.job, begun=lambda: begun.append(3)))
    await until(waiting.started)
    second = asyncio.create_task(farm.render(light_job(9), begun=lambda: begun.append(9)))
    await until(lambda: farm.waiting)
    assert begun == [3]

    waiting.end()
    await asyncio.gather(first, second)

    assert begun == [3, 9]


async def test_where_memory_stays_short_jobs_are_drawn_one_at_a_time(start_farm, light_job):
    farm = await start_farm(2, machine=Machine(lambda: Room(0.0)), peaks=Peaks(1000))
    at_once = []

    async def watch():
        while True:
            at_once.append(2 - farm.idle)
            await asyncio.sleep(0)

    watching = asyncio.create_task(watch())
    outcomes = await asyncio.gather(*(farm.render(light_job(hour)) for hour in range(12)))
    watching.cancel()

    assert len(outcomes) == 12
    assert max(at_once) == 1


async def test_what_a_worker_holds_that_does_not_heed_its_kill_is_told_and_counted(
    start_farm, waiting_job, light_job, until
):
    farm = await start_farm(2, machine=Machine(lambda: Room(5000.0, 201)), peaks=Peaks(100))
    stuck = farm.status()[0]["pid"]
    waiting = waiting_job()
    with frozen(stuck):
        with pytest.raises(JobTimedOut):
            await farm.call(abs, -1, timeout_s=0.1)
        await until(lambda: farm.status()[0]["stuck"] == [stuck])
        first = asyncio.create_task(farm.render(waiting.job))
        await until(waiting.started)
        second = asyncio.create_task(farm.render(light_job(9)))
        await until(lambda: farm.held_for_memory)
        assert farm.idle == 1

    assert isinstance(await second, HourRendered)
    await until(lambda: [slot["stuck"] for slot in farm.status()] == [[], []])
    assert not first.done()
    first.cancel()


async def test_what_a_job_took_is_what_the_next_of_its_kind_is_counted_with(start_farm, light_job):
    farm = await start_farm(1, peaks=Peaks(5000))
    assert farm.worker_mb == 5000

    outcome = await farm.render(light_job(0))

    assert farm.worker_mb == pytest.approx(1.1 * outcome.peak_rss_mb)
    assert 20 < outcome.peak_rss_mb < 500


async def test_a_caller_who_gives_up_leaves_the_queue_and_the_slot_free(
    start_farm, waiting_job, light_job, until
):
    farm = await start_farm(1)
    waiting = waiting_job()
    drawing = asyncio.create_task(farm.render(waiting.job))
    await until(waiting.started)
    queued = asyncio.create_task(farm.render(light_job(1)))
    await until(lambda: farm.waiting)

    queued.cancel()
    drawing.cancel()
    await asyncio.wait({queued, drawing})

    assert not farm.waiting
    assert isinstance(await farm.render(light_job(2)), HourRendered)
    assert farm.idle == 1
