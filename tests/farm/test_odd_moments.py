"""What is asked of the farm at moments that are seldom."""

import asyncio
import os
from dataclasses import replace
from pathlib import Path

from twf_async.farm.dispatch import Dispatcher
from twf_async.farm.turns import kind_of


class Places:
    """A pool of one."""

    def __init__(self):
        self.free = ["slot"]

    @property
    def idle(self):
        return len(self.free)

    def take(self):
        return self.free.pop()

    def put_back(self, slot):
        self.free.append(slot)


async def test_a_place_that_falls_free_before_a_cancelled_caller_has_left_is_not_lost():
    places = Places()
    queue = Dispatcher(places, lambda *_: True)

    async def take():
        async with queue.slot():
            pass

    async with queue.slot():
        waiting = asyncio.create_task(take())
        await asyncio.sleep(0)
        waiting.cancel()
    await asyncio.wait({waiting})

    assert places.free == ["slot"]
    async with asyncio.timeout(60):
        await take()


async def test_a_question_is_no_job_in_work(start_farm, tmp_path, until):
    farm = await start_farm(1)
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)

    asking = asyncio.create_task(farm.call(Path.read_bytes, fifo))
    await until(lambda: farm.idle == 0)
    busy = farm.busy
    await asyncio.to_thread(fifo.write_bytes, b"answer")

    assert (busy, await asking) == (0, b"answer")


def test_what_memory_jobs_take_is_kept_apart_by_their_regions(make_job, real_file):
    job = make_job(real_file("gfs", 6), "gfs", "2026012912", 6, ["t2m"])
    (task,) = job.tasks
    wider = replace(job, tasks=(replace(task, regions=(*task.regions, "conus")),))

    assert kind_of(job) == kind_of(replace(job, hour=9, cycle="2026012918"))
    assert kind_of(job) != kind_of(wider)
