"""What becomes of a job whose worker crashes, hangs, raises or is killed; with real workers."""

import asyncio
import os
import signal
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
from structlog.testing import capture_logs

from render_farm.domain.jobs import HourFailed, HourRendered, Reason
from render_farm.worker import entry
from tests.emergency.machine import has_ended
from tests.farm.limits import no_descriptors_left
from twf_async.farm.errors import FarmBroken
from twf_async.farm.losses import OUTSIDE_KILLS, STRIKES
from twf_async.farm.machine import Machine

KILL, SEGV, STOP = signal.SIGKILL, signal.SIGSEGV, signal.SIGSTOP


def pid_of(farm, hour):
    """The worker that draws an hour now; None while none does."""
    found = [s["pid"] for s in farm.status() if s["job"] and s["job"]["hour"] == hour]
    return found[0] if found else None


async def strike(farm, waiting, number, until, *, times=1):
    """Send a signal to each worker that has come as far as the job's second frame."""
    for _ in range(times):
        count = waiting.started()
        await until(lambda before=count: waiting.started() > before)
        os.kill(pid_of(farm, waiting.job.hour), number)


def forkserver():
    """The process that all workers are forked from."""
    children = psutil.Process().children(recursive=True)
    return next(child for child in children if "forkserver" in " ".join(child.cmdline()))


def stamp(job):
    path = Path(job.staging_dir) / "pnw.t2m.png"
    return path.stat().st_ino, path.stat().st_mtime_ns


async def test_workers_that_are_killed_from_outside_cost_no_strike_and_no_frame_twice(
    start_farm, waiting_job, until
):
    farm = await start_farm(1)
    waiting = waiting_job()
    drawing = asyncio.create_task(farm.render(waiting.job))
    await strike(farm, waiting, KILL, until)
    first = stamp(waiting.job)
    await strike(farm, waiting, KILL, until, times=3)
    count = waiting.started()
    await until(lambda: waiting.started() > count)

    waiting.release()  # the worker of now still waits for the old file
    os.kill(pid_of(farm, 6), KILL)
    outcome = await drawing

    assert isinstance(outcome, HourRendered)
    assert [frame.product for frame in outcome.frames] == ["t2m", "t850"]
    assert outcome.failures == ()
    assert stamp(waiting.job) == first  # drawn once, five workers ago


async def test_who_is_killed_from_outside_for_ever_is_given_up_and_that_is_said(
    start_farm, waiting_job, until
):
    farm = await start_farm(1)
    waiting = waiting_job()
    drawing = asyncio.create_task(farm.render(waiting.job))
    await strike(farm, waiting, KILL, until, times=10)

    outcome = await drawing

    assert [frame.product for frame in outcome.frames] == ["t2m"]
    (failure,) = outcome.failures
    assert (failure.product, failure.reason) == ("t850", Reason.WORKER_DIED)
    assert failure.detail == "the worker died (signal 9, SIGKILL), from outside, 10 times"


async def test_a_job_that_is_handed_back_time_and_again_is_done_in_the_end(
    start_farm, waiting_job, until
):
    farm = await start_farm(2)
    first, second = waiting_job(3), waiting_job(6)
    before = asyncio.create_task(farm.render(first.job))
    await until(first.started)
    with capture_logs() as logs:
        after = asyncio.create_task(farm.render(second.job))
        for count in range(1, OUTSIDE_KILLS + 3):
            await until(lambda expected=count: second.started() == expected)
            assert await farm.hand_back() is not None

        await until(lambda: second.started() == OUTSIDE_KILLS + 3)
        for waiting in (second, first):
            waiting.end()
        outcome = await after
        await before

    assert [frame.product for frame in outcome.frames] == ["t2m"]
    assert {failure.reason for failure in outcome.failures} == {Reason.BAD_DATA}
    lost = [line for line in logs if line["event"] == "farm.job_lost"]
    assert len(lost) == OUTSIDE_KILLS + 2
    assert all("took the job back" in line["reason"] and not line["strike"] for line in lost)


async def test_a_job_for_which_no_worker_can_be_made_for_a_while_is_not_to_blame(
    start_farm, waiting_job, until, monkeypatch
):
    monkeypatch.setattr("twf_async.farm.post.STARTS", (0.05,))
    farm = await start_farm(1)
    waiting = waiting_job()
    waiting.release()
    process = psutil.Process(farm.status()[0]["pid"])
    process.kill()
    await until(lambda: not process.is_running())

    with capture_logs() as logs:
        with no_descriptors_left():
            drawing = asyncio.create_task(farm.render(waiting.job))
            await until(lambda: sum(line["event"] == "farm.job_lost" for line in logs) == STRIKES)
        outcome = await drawing

    assert len(outcome.frames) == 2
    lost = [line for line in logs if line["event"] == "farm.job_lost"]
    assert not any(line["strike"] for line in lost)
    assert "Too many open files" in lost[0]["reason"]


async def test_without_its_forkserver_the_farm_makes_another_and_no_job_is_to_blame(
    start_farm, waiting_job, light_job, until
):
    farm = await start_farm(2)
    waiting = waiting_job()
    drawing = asyncio.create_task(farm.render(waiting.job))
    count = 0
    for _ in range(2):
        await until(lambda before=count: waiting.started() > before)
        count, before = waiting.started(), stamp(waiting.job)
        pids = {slot["pid"] for slot in farm.status() if slot["pid"]}
        workers = [psutil.Process(pid) for pid in pids if psutil.pid_exists(pid)]
        forkserver().kill()
        await until(lambda gone=workers: all(has_ended(worker) for worker in gone))
    await until(lambda: waiting.started() > count)
    waiting.release()
    os.kill(pid_of(farm, 6), KILL)

    outcome = await drawing

    assert [frame.product for frame in outcome.frames] == ["t2m", "t850"]
    assert stamp(waiting.job) == before
    assert isinstance(await farm.render(light_job(9)), HourRendered)
    assert await farm.call(entry.is_preloaded)


@pytest.mark.usefixtures("adopting")
async def test_a_worker_of_a_dead_forkserver_is_buried_where_it_becomes_our_child(start_farm):
    farm = await start_farm(1)
    worker = farm.status()[0]["pid"]

    forkserver().kill()
    assert await farm.call(abs, -7) == 7

    async with asyncio.timeout(60):
        while psutil.pid_exists(worker):
            await farm.recycle()


async def test_a_product_that_crashes_every_worker_costs_its_own_frames_only(
    start_farm, waiting_job, light_job, until
):
    farm = await start_farm(1)
    waiting = waiting_job()
    fatal_first = replace(waiting.job, tasks=waiting.job.tasks[::-1])
    drawing = asyncio.create_task(farm.render(fatal_first))
    await strike(farm, waiting, SEGV, until, times=2)

    outcome = await drawing

    assert [frame.product for frame in outcome.frames] == ["t2m"]  # drawn by the second worker
    (failure,) = outcome.failures
    assert (failure.product, failure.reason) == ("t850", Reason.WORKER_DIED)
    assert failure.detail == "the worker died (signal 11, SIGSEGV), 2 times"
    assert isinstance(await farm.render(light_job(9)), HourRendered)


async def test_a_job_that_hangs_and_does_not_heed_sigterm_is_killed_twice_and_given_up(
    start_farm, spec, waiting_job, light_job
):
    farm = await start_farm(1, job_timeout_s=2)
    waiting = waiting_job()
    hangs = replace(waiting.job, tasks=waiting.job.tasks[1:])
    drawing = asyncio.create_task(farm.render(hangs))
    stopped = set()
    while not drawing.done():
        if (pid := pid_of(farm, 6)) not in {*stopped, None}:
            stopped.add(pid)
            os.kill(pid, STOP)  # only SIGKILL reaches a stopped process
        await asyncio.sleep(0.01)

    detail = "the job took longer than 2 s; its worker was killed, 2 times"
    assert await drawing == HourFailed("gfs", "2026012912", 6, Reason.TIMED_OUT, detail)
    assert len(stopped) >= 2
    farm.reload(spec, job_timeout_s=60)
    assert isinstance(await farm.render(light_job(9)), HourRendered)


async def test_a_job_that_raises_is_tried_once_more_in_a_fresh_worker(start_farm, waiting_job):
    farm = await start_farm(1, max_tasks_per_child=50)
    job = waiting_job().job
    broken = replace(job, tasks=(replace(job.tasks[0], inputs={"t2m": None}),))
    before = farm.status()[0]["pid"]

    outcome = await farm.render(broken)

    assert isinstance(outcome, HourFailed)
    assert outcome.reason is Reason.RENDER_ERROR
    assert "TypeError" in outcome.detail
    assert outcome.detail.endswith(", 2 times")
    assert farm.status()[0]["pid"] not in {before, None}


async def test_a_job_that_wants_more_memory_than_a_worker_may_have_fails_by_itself(
    start_farm, make_job, real_file, light_job
):
    farm = await start_farm(1, max_tasks_per_child=50, memory_limit_mb=250)
    job = make_job(real_file("gfs", 6), "gfs", "2026012912", 6, ["t2m"], size=(5000, 4000))

    outcome = await farm.render(job)

    detail = "the worker ran out of memory, 2 times"
    assert outcome == HourFailed("gfs", "2026012912", 6, Reason.OUT_OF_MEMORY, detail)
    assert (await farm.render(light_job(9))).peak_rss_mb < 600


async def test_a_job_whose_worker_the_kernel_took_for_memory_is_tried_again_alone(
    start_farm, waiting_job, light_job, until
):
    kills = 0
    farm = await start_farm(2, machine=Machine(oom_kills=lambda: kills))
    greedy, other = waiting_job(3), waiting_job(6)
    drawing = asyncio.create_task(farm.render(greedy.job))
    beside = asyncio.create_task(farm.render(other.job))
    await until(lambda: greedy.started() and other.started())

    kills += 1  # the kernel counts, and kills
    os.kill(pid_of(farm, 3), KILL)
    await until(lambda: farm.waiting)
    assert (farm.idle, pid_of(farm, 3)) == (1, None)  # though a slot is free

    other.end()
    await beside
    await until(lambda: greedy.started() == 2)
    later = asyncio.create_task(farm.render(light_job(9)))
    await until(lambda: farm.waiting)
    assert farm.idle == 1
    greedy.release()
    os.kill(pid_of(farm, 3), KILL)  # no strike either: the kernel has not counted

    outcome = await drawing
    assert len(outcome.frames) == 2
    assert isinstance(await later, HourRendered)


async def test_a_job_that_the_kernel_takes_even_alone_is_given_up(start_farm, waiting_job, until):
    kills = 0
    farm = await start_farm(2, machine=Machine(oom_kills=lambda: kills))
    waiting = waiting_job()
    drawing = asyncio.create_task(farm.render(waiting.job))
    for _ in range(3):
        count = waiting.started()
        await until(lambda before=count: waiting.started() > before)
        kills += 1
        os.kill(pid_of(farm, 6), KILL)

    outcome = await drawing

    (failure,) = outcome.failures
    assert failure.reason is Reason.OUT_OF_MEMORY
    assert failure.detail.endswith("SIGKILL): the kernel was out of memory, 3 times")


async def test_workers_that_all_crash_stop_the_service_rather_than_fail_the_catalogue(
    start_farm, waiting_job, until
):
    farm = await start_farm(2)
    waiting = [waiting_job(hour) for hour in range(8)]
    drawing = [asyncio.create_task(farm.render(each.job)) for each in waiting]
    struck = set()

    async def crash_all():
        while True:
            for slot in farm.status():
                at_work = slot["job"] and waiting[slot["job"]["hour"]].started()
                if at_work and slot["pid"] and slot["pid"] not in struck:
                    struck.add(slot["pid"])
                    os.kill(slot["pid"], SEGV)
            await asyncio.sleep(0.005)

    crashing = asyncio.create_task(crash_all())
    done, _ = await asyncio.wait(drawing, return_when=asyncio.FIRST_EXCEPTION, timeout=120)
    crashing.cancel()
    for task in drawing:
        task.cancel()

    with pytest.raises(FarmBroken, match="8 jobs in a row"):
        [task.result() for task in done]
