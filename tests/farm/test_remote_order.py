"""Which workers of a cluster are taken, and how many at once: before anything is sent."""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from structlog.testing import capture_logs

from render_farm.domain.shipment import Makeup
from twf_async.farm.losses import Cause
from twf_async.farm.remote.attempts import RemoteAttempts
from twf_async.farm.remote.cluster import FAULTS, Cluster
from twf_async.farm.remote.connection import Seen, Unreachable
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


@pytest.fixture
async def attempts():
    made = RemoteAttempts(
        "tcp://nowhere:1", is_calm=lambda: True, job_timeout_s=0.05, ship_limit_mb=100.0
    )
    yield made
    await made.stop(kill=True)


async def test_a_worker_too_long_at_what_nobody_wants_any_more_is_given_nothing_else(
    attempts, workers, until
):
    begun, done = threading.Event(), threading.Event()
    (worker, _) = workers
    running = asyncio.create_task(worker.run(lambda: begun.set() or done.wait(60)))
    await until(begun.is_set)
    running.cancel()
    await asyncio.wait({running})

    attempts._unwind(worker)
    await until(lambda: worker.unwanted is None)

    assert (worker.is_gone, attempts.queue._pool.idle) == (True, 0)
    done.set()


class Severed(ThreadPoolExecutor):
    """Nothing can be sent by it any more."""

    def submit(self, *_):
        raise OSError("the stream is closed")


async def test_what_cannot_be_sent_because_the_link_is_broken_is_no_fault_of_the_job(attempts):
    with Severed() as executor:
        worker = RemoteSlot(1, "tcp://worker:1", executor)

        loss = await attempts._send(worker, None)

    assert (loss.cause, loss.told) == (Cause.LINK_LOST, "OSError: the stream is closed")
    assert worker.is_gone  # with the link


class Link:
    """Answers, or does not, as it is told; then for ever not."""

    lives = True

    def __init__(self, *answers):
        self.answers, self.looks = answers, 0

    def executor(self, _address):
        return Severed()

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


def test_what_is_known_of_an_address_goes_with_the_worker_that_had_it():
    cluster = Cluster("tcp://nowhere:1", lambda _: None)
    cluster.refused["tcp://worker:1"] = "its render_farm is of other sources"
    cluster._spent.add("tcp://worker:2")

    cluster._compare(Link(), {})

    assert (cluster.refused, cluster._spent) == ({}, set())


async def test_a_worker_that_cannot_be_asked_what_it_draws_with_is_refused(until):
    offered = []
    cluster = Cluster("tcp://nowhere:1", offered.append)

    cluster._compare(Link(), {"tcp://worker:1": Seen("tcp://worker:1", 90.0)})
    await until(lambda: cluster.refused or offered)
    await cluster.stop()

    (reason,) = cluster.refused.values()
    assert "install twf-async there" in reason
    assert (offered, cluster.slots) == ([], {})


async def test_a_worker_that_was_lost_and_is_still_there_is_greeted_anew(workers):
    cluster = Cluster("tcp://nowhere:1", lambda _: None)
    (lost, _) = workers
    lost.lose()
    cluster.slots[lost.address] = lost

    cluster._compare(Link(), {lost.address: Seen(lost.address, 90.0)})
    found = cluster.slots[lost.address]
    await cluster.stop()

    assert found is not lost
    assert not found.is_gone


class Fickle:
    """Where every link is lost at the first look, by a fault of the network's or of dask's."""

    lives = False

    def __init__(self, fault):
        self.fault, self.joined, self.left = fault, 0, 0

    async def connect(self, _address):
        self.joined += 1
        return self

    async def workers(self):
        raise self.fault("it is gone")

    async def close(self):
        self.left += 1

    async def stop(self):
        """Nothing runs here."""


@pytest.mark.parametrize("fault", [Unreachable, RuntimeError])
async def test_a_cluster_that_is_lost_again_and_again_is_joined_soon_each_time(fault, monkeypatch):
    monkeypatch.setattr("twf_async.farm.remote.cluster.BACK_OFF_S", (0.0, 3600.0))
    cluster = Cluster("tcp://nowhere:1", lambda _: None)
    cluster._loop = links = Fickle(fault)

    with capture_logs():
        cluster.start(OURS)
        for _ in range(100):
            await asyncio.sleep(0)
        await cluster.stop()

    assert links.joined > 3
    assert links.left == links.joined
    assert cluster.fault
