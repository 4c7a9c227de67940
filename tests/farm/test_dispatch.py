"""The queue for slots, whatever they are: here those of a cluster, which run threads."""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from twf_async.farm.dispatch import Dispatcher
from twf_async.farm.errors import FarmClosed
from twf_async.farm.remote.slot import RemoteSlot, RemoteWorkerLost
from twf_async.farm.remote.slots import RemoteSlots
from twf_async.farm.turns import Kind

GFS, HRRR = Kind("gfs", 1, ("pnw",)), Kind("hrrr", 1, ("pnw",))


@pytest.fixture
def executor():
    with ThreadPoolExecutor(2) as executor:
        yield executor


@pytest.fixture
def slot(executor):
    def make(number):
        return RemoteSlot(number, f"tcp://127.0.0.1:{number}", executor)

    return make


class Queue:
    """A pool and the queue for it; who has had a slot, in order."""

    def __init__(self, may_start=lambda _, __: True):
        self.pool = RemoteSlots()
        self.queue = Dispatcher(self.pool, may_start)
        self.order, self.release = [], asyncio.Event()

    def offer(self, *slots):
        for slot in slots:
            self.pool.put_back(slot)
        self.queue.dispatch()

    def hold(self, kind, hour):
        return asyncio.create_task(self._hold(kind, hour))

    async def _hold(self, kind, hour):
        async with self.queue.slot(kind, "2026012912", hour) as held:
            self.order.append((kind.model, hour))
            await self.release.wait()
            return held


@pytest.fixture
def queue():
    return Queue()


async def test_models_take_turns_and_the_earliest_hour_of_a_run_goes_first(queue, slot):
    queue.release.set()
    wanted = [(GFS, 9), (GFS, 3), (GFS, 6), (HRRR, 2), (HRRR, 1)]
    tasks = [queue.hold(*each) for each in wanted]
    await asyncio.sleep(0)
    assert queue.queue.waiting == {"gfs": 3, "hrrr": 2}

    queue.offer(slot(1))
    await asyncio.gather(*tasks)

    assert queue.order == [("gfs", 3), ("hrrr", 1), ("gfs", 6), ("hrrr", 2), ("gfs", 9)]


async def test_a_slot_has_one_job_and_one_that_is_gone_has_none(queue, slot, until):
    good, gone, later = slot(1), slot(2), slot(3)
    gone.lose()
    queue.offer(gone, later, good)
    later.lose()
    tasks = [queue.hold(GFS, hour) for hour in range(3)]
    await until(lambda: queue.order)
    assert [*queue.queue.running] == [good]
    assert queue.queue.waiting == {"gfs": 2}

    queue.release.set()

    assert await asyncio.gather(*tasks) == [good] * 3


async def test_a_slot_whose_caller_was_cancelled_goes_to_the_next(queue, slot, until):
    first, second = queue.hold(GFS, 1), queue.hold(GFS, 2)
    await until(lambda: queue.queue.waiting == {"gfs": 2})

    queue.offer(slot(1))
    first.cancel()  # it has the slot, and has not run since
    queue.release.set()

    await until(second.done)
    assert first.cancelled()
    assert queue.order == [("gfs", 2)]


async def test_who_gives_up_waiting_waits_no_more(queue):
    waiting = queue.hold(GFS, 1)
    await asyncio.sleep(0)
    assert queue.queue.waiting == {"gfs": 1}

    waiting.cancel()
    await asyncio.wait({waiting})

    assert not queue.queue.waiting


async def test_nothing_runs_any_more_when_the_last_job_has_ended_not_the_first(queue, slot):
    ends = [asyncio.Event(), asyncio.Event()]

    async def hold(end):
        async with queue.queue.slot(GFS):
            await end.wait()

    queue.offer(slot(1), slot(2))
    first, last = (asyncio.create_task(hold(end)) for end in ends)
    await asyncio.sleep(0)
    settling = asyncio.create_task(queue.queue.settled())
    await asyncio.sleep(0)

    ends[0].set()
    await first
    for _ in range(5):
        await asyncio.sleep(0)
    assert not settling.done()
    ends[1].set()
    await asyncio.gather(settling, last)


async def test_who_may_not_start_is_asked_for_again_though_nothing_was_put_back(slot, until):
    calm = False
    queue = Queue(lambda _, running: calm or not running)
    tasks = [queue.hold(GFS, hour) for hour in range(2)]
    await until(lambda: queue.queue.waiting == {"gfs": 2})

    queue.offer(slot(1), slot(2))
    await until(lambda: queue.order)
    assert queue.queue.waiting == {"gfs": 1}

    calm = True
    await until(lambda: len(queue.order) == 2)
    assert len(queue.queue.running) == 2
    queue.release.set()
    await asyncio.gather(*tasks)


async def test_who_waits_is_told_when_the_farm_closes(queue):
    waiting = queue.hold(GFS, 1)
    await asyncio.sleep(0)

    queue.queue.close()

    with pytest.raises(FarmClosed):
        await waiting
    with pytest.raises(FarmClosed):
        await queue.hold(GFS, 2)


async def test_a_call_that_raises_raises_here_and_the_slot_goes_on(slot):
    here = slot(1)

    with pytest.raises(ZeroDivisionError):
        await here.run(divmod, 1, 0)

    assert await here.run(abs, -7) == 7
    assert here.busy_since is None


class Packing(ThreadPoolExecutor):
    """Takes its time to send a call off, as who packs a large one does."""

    def __init__(self):
        super().__init__(1)
        self.entered, self.packed = threading.Event(), threading.Event()

    def submit(self, *call):
        self.entered.set()
        assert self.packed.wait(60)
        return super().submit(*call)


async def test_a_slot_to_which_something_unwanted_is_still_on_its_way_is_not_idle(queue, until):
    done = threading.Event()
    with Packing() as executor:
        here = RemoteSlot(1, "tcp://127.0.0.1:1", executor)
        running = asyncio.create_task(here.run(done.wait, 60))
        await until(executor.entered.is_set)

        running.cancel()
        await asyncio.wait({running})
        queue.offer(here)
        assert queue.pool.idle == 0

        executor.packed.set()
        await asyncio.sleep(0)
        assert here.unwanted is not None
        assert not here.unwanted.done()
        done.set()
        assert await here.unwanted is True


async def test_a_slot_that_is_lost_while_something_is_packed_for_it_loses_that(until):
    done = threading.Event()
    with Packing() as executor:
        here = RemoteSlot(1, "tcp://127.0.0.1:1", executor)
        running = asyncio.create_task(here.run(done.wait, 60))
        await until(executor.entered.is_set)

        here.lose(with_cluster=True)
        executor.packed.set()

        with pytest.raises(RemoteWorkerLost, match="link"):
            await running
        done.set()
