"""The queue for workers of a cluster. Places here run what they are given in a thread."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

import pytest

from twf_async.farm.errors import FarmClosed
from twf_async.farm.remote.berths import Berths
from twf_async.farm.remote.place import Place
from twf_async.farm.turns import Kind

GFS, HRRR = Kind("gfs", 1, ("pnw",)), Kind("hrrr", 1, ("pnw",))


@pytest.fixture
def executor():
    with ThreadPoolExecutor(2) as executor:
        yield executor


@pytest.fixture
def place(executor):
    def make(number):
        return Place(number, f"tcp://127.0.0.1:{number}", executor)

    return make


async def hold(berths, kind, hour, order, release):
    async with berths.place(kind, "2026012912", hour) as held:
        order.append((kind.model, hour))
        await release.wait()
        return held


async def test_models_take_turns_and_the_earliest_hour_of_a_run_goes_first(place):
    berths, order, release = Berths(), [], asyncio.Event()
    release.set()
    wanted = [(GFS, 9), (GFS, 3), (GFS, 6), (HRRR, 2), (HRRR, 1)]
    tasks = [asyncio.create_task(hold(berths, *each, order, release)) for each in wanted]
    await asyncio.sleep(0)
    assert berths.waiting == {"gfs": 3, "hrrr": 2}

    berths.offer(place(1))
    await asyncio.gather(*tasks)

    assert order == [("gfs", 3), ("hrrr", 1), ("gfs", 6), ("hrrr", 2), ("gfs", 9)]


async def test_a_place_has_one_job_and_one_that_is_gone_has_none(place, until):
    berths, order, release = Berths(), [], asyncio.Event()
    good, gone = place(1), place(2)
    berths.offer(gone)
    berths.offer(good)
    gone.lose()
    tasks = [asyncio.create_task(hold(berths, GFS, hour, order, release)) for hour in range(3)]
    await until(lambda: order)
    assert [*berths.running] == [good]
    assert berths.waiting == {"gfs": 2}

    release.set()

    assert await asyncio.gather(*tasks) == [good] * 3


async def test_a_place_whose_caller_was_cancelled_goes_to_the_next(place, until):
    berths, order, release = Berths(), [], asyncio.Event()
    first = asyncio.create_task(hold(berths, GFS, 1, order, release))
    second = asyncio.create_task(hold(berths, GFS, 2, order, release))
    await until(lambda: berths.waiting == {"gfs": 2})

    berths.offer(place(1))
    first.cancel()  # it has the place, and has not run since
    release.set()

    await until(second.done)
    assert first.cancelled()
    assert order == [("gfs", 2)]


async def test_while_work_is_held_jobs_are_sent_one_at_a_time(place, until):
    calm = False
    berths, order, release = Berths(lambda: calm), [], asyncio.Event()
    tasks = [asyncio.create_task(hold(berths, GFS, hour, order, release)) for hour in range(2)]
    await until(lambda: berths.waiting == {"gfs": 2})

    berths.offer(place(1))
    berths.offer(place(2))
    await until(lambda: order)
    assert berths.waiting == {"gfs": 1}

    calm = True
    await until(lambda: len(order) == 2)
    assert len(berths.running) == 2
    release.set()
    await asyncio.gather(*tasks)


async def test_who_waits_is_told_when_the_farm_closes(place):
    berths, order, release = Berths(), [], asyncio.Event()
    waiting = asyncio.create_task(hold(berths, GFS, 1, order, release))
    await asyncio.sleep(0)

    berths.close()

    with pytest.raises(FarmClosed):
        await waiting
    with pytest.raises(FarmClosed):
        await hold(berths, GFS, 2, order, release)


async def test_a_call_that_raises_raises_here_and_the_place_goes_on(place):
    here = place(1)

    with pytest.raises(ZeroDivisionError):
        await here.run(divmod, 1, 0)

    assert await here.run(abs, -7) == 7
    assert here.busy_since is None
