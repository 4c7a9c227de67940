"""Which workers of a cluster are taken, and how many at once: before anything is sent."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from render_farm.domain.shipment import Makeup
from twf_async.farm.remote.attempts import RemoteAttempts
from twf_async.farm.remote.cluster import FAULTS, Cluster
from twf_async.farm.remote.connection import Unreachable
from twf_async.farm.remote.likeness import difference
from twf_async.farm.remote.slot import RemoteSlot
from twf_async.farm.remote.slots import RemoteSlots
from twf_async.farm.turns import Kind

OURS = Makeup(7, "1.0", "c0de", "numpy 2.0; cartopy 0.24")
KIND = Kind("gfs", 21, ("pnw",))


@pytest.fixture
def workers():
    with ThreadPoolExecutor(1) as threads:
        yield [RemoteSlot(n, f"tcp://worker:{n}", threads) for n in (1, 2)]


def test_a_worker_of_other_libraries_is_not_of_use_though_its_program_is_ours():
    assert difference(OURS, replace(OURS, pid=8)) == ""
    for other in ({"software": "0.9"}, {"code": "beef"}, {"libraries": "numpy 1.26"}):
        assert difference(OURS, replace(OURS, **other)) != ""


def test_the_worker_that_has_been_idle_for_longest_is_taken(workers):
    slots = RemoteSlots()
    for worker in workers:
        slots.put_back(worker)

    taken = slots.take()
    slots.put_back(taken)

    assert (taken, slots.take()) == tuple(workers)


@pytest.mark.parametrize(("calm", "at_once"), [(True, 2), (False, 1)])
async def test_while_the_gate_is_shut_one_job_is_sent_off_after_the_other(workers, calm, at_once):
    attempts = RemoteAttempts(
        "tcp://nowhere:1", is_calm=lambda: calm, job_timeout_s=60.0, ship_limit_mb=100.0
    )
    may, most, sent = asyncio.Event(), 0, 0

    async def send(hour):
        nonlocal most, sent
        async with attempts.queue.slot(KIND, "2026012912", hour):
            most = max(most, len(attempts.queue.running))
            await may.wait()
            sent += 1

    for worker in workers:
        attempts.cluster._offer(worker)
    sending = [asyncio.create_task(send(hour)) for hour in (0, 3)]
    for _ in range(20):
        await asyncio.sleep(0)
    may.set()
    await asyncio.gather(*sending)
    await attempts.stop(kill=True)

    assert (most, sent) == (at_once, 2)


class Link:
    """Answers, or does not, as it is told; then for ever not."""

    lives = True

    def __init__(self, *answers):
        self.answers, self.looks = answers, 0

    async def workers(self):
        self.looks += 1
        if self.looks <= len(self.answers) and self.answers[self.looks - 1]:
            return {}
        raise Unreachable("it does not answer")


async def test_a_scheduler_is_lost_when_it_is_silent_time_after_time_not_now_and_then(monkeypatch):
    monkeypatch.setattr("twf_async.farm.remote.cluster.LOOK_S", 0.0)
    often = [False] * (FAULTS - 1)
    link = Link(*often, True, *often, True)
    cluster = Cluster("tcp://nowhere:1", lambda _: None)
    cluster._connection = link

    with pytest.raises(Unreachable):
        await cluster._follow()

    assert link.looks == len(link.answers) + FAULTS
    assert cluster.fault == "the scheduler was lost"
