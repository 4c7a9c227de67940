"""The farm on a real dask cluster: a scheduler, and two workers that are processes of their own."""

import asyncio
import hashlib
import os
import shutil
import signal
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import pytest
from structlog.testing import capture_logs

pytest.importorskip("distributed", reason="dask.distributed is not installed (twf-async[dask])")

import render_farm
from render_farm.domain.jobs import HourFailed, HourRendered, Reason
from tests.farm.dask_cluster import Cluster, unused_port
from twf_async.farm.errors import FarmClosed
from twf_async.farm.remote.connection import _identity
from twf_async.farm.remote.farm import RemoteFarm
from twf_async.farm.remote.slot import RemoteWorkerLost

BOUND_S = 120


@pytest.fixture(scope="module")
def scratch(tmp_path_factory):
    return tmp_path_factory.mktemp("dask")


@pytest.fixture(scope="module")
def cluster(scratch):
    cluster = Cluster(scratch, unused_port())
    cluster.start_scheduler()
    cluster.start_workers(2)
    yield cluster
    cluster.stop()


@pytest.fixture
async def start_remote(spec):
    farms = []

    async def start(address, *, job_timeout_s=BOUND_S, ship_limit_mb=100):
        farm = RemoteFarm(spec, address, job_timeout_s=job_timeout_s, ship_limit_mb=ship_limit_mb)
        farms.append(farm)
        await farm.start()
        return farm

    yield start
    for farm in farms:
        await farm.stop(kill=True)


@pytest.fixture
async def remote(start_remote, cluster, until):
    farm = await start_remote(cluster.address)
    await until(lambda: farm.cluster_status()["workers"] == 2)
    return farm


@pytest.fixture
def two_regions(make_job, real_file, catalog, tmp_path):
    """Two products of an hour over two regions."""
    job = make_job(real_file("gfs", 6), "gfs", "2026012912", 6, ["t2m", "t850"], size=(240, 180))
    other = catalog["regions"]["puget_sound"].model_copy(update={"width_px": 240, "height_px": 180})
    keys = (job.regions[0].key, other.key)
    tasks = tuple(replace(task, regions=keys) for task in job.tasks)
    return replace(job, regions=(*job.regions, other), tasks=tasks)


async def ended(work):
    """The outcome of *work*, which must come to an end."""
    async with asyncio.timeout(BOUND_S):
        return await work


def digest(path):
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


async def test_frames_of_the_cluster_are_bit_for_bit_those_of_a_slot(
    remote, start_farm, two_regions, tmp_path
):
    here = await (await start_farm(1)).render(
        replace(two_regions, staging_dir=str(tmp_path / "here"))
    )

    there = await remote.render(two_regions)

    assert isinstance(there, HourRendered)
    assert there.failures == here.failures
    hashes = {(f.region, f.product): (f.sha256, f.values.sha256) for f in here.frames}
    assert hashes
    assert {(f.region, f.product): (f.sha256, f.values.sha256) for f in there.frames} == hashes
    assert all(digest(frame.path) == frame.sha256 for frame in there.frames)
    workers = {slot["pid"] for slot in remote.status()[1:]}
    assert there.pid in workers


async def test_many_jobs_at_once_are_drawn_by_both_workers_one_each_at_a_time(remote, light_job):
    outcomes = await asyncio.gather(*(remote.render(light_job(hour)) for hour in range(40)))

    assert [outcome.hour for outcome in outcomes] == [*range(40)]
    assert {outcome.pid for outcome in outcomes} == {slot["pid"] for slot in remote.status()[1:]}
    assert sum(slot["jobs_done"] for slot in remote.status()[1:]) == 40


async def test_a_job_too_large_to_send_is_drawn_here(start_remote, cluster, two_regions, until):
    farm = await start_remote(cluster.address, ship_limit_mb=0.001)

    outcome = await farm.render(two_regions)

    assert isinstance(outcome, HourRendered)
    own, *others = farm.status()
    assert own["jobs_done"] == 1
    assert sum(slot["jobs_done"] for slot in others) == 0


def workers_of(farm):
    return [slot for slot in farm.status()[1:] if slot["pid"] is not None]


def busy_pids(farm):
    return [slot["pid"] for slot in workers_of(farm) if slot["busy_s"] is not None]


async def test_a_job_whose_worker_is_killed_is_drawn_by_another(remote, two_regions, until, capsys):
    pids = [slot["pid"] for slot in workers_of(remote)]
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)  # so that the job is surely in work when its worker dies
    rendering = asyncio.create_task(remote.render(two_regions))
    (victim,) = await until(lambda: busy_pids(remote))
    (other,) = {*pids} - {victim}

    os.kill(victim, signal.SIGKILL)
    os.kill(other, signal.SIGCONT)
    outcome = await ended(rendering)

    assert isinstance(outcome, HourRendered)
    assert len(outcome.frames) == 4
    assert outcome.pid == other
    assert "farm.job_lost" in capsys.readouterr().out


def lost_jobs(logs):
    return [line for line in logs if line["event"] == "farm.job_lost"]


PAUSED_ABOVE = """
from distributed import Worker
for worker in Worker._instances:
    worker.memory_manager.memory_pause_fraction = {}
"""


async def test_a_worker_that_dask_pauses_for_want_of_memory_is_not_taken_for_gone(remote, until):
    connection = remote._remote.cluster._connection
    client, address = connection._client, min(remote._remote.cluster.slots)

    async def becomes(status, fraction):
        told = PAUSED_ABOVE.format(fraction)
        await asyncio.to_thread(client.run, exec, told, workers=[address])
        async with asyncio.timeout(BOUND_S):
            while await known_as() != status:
                await asyncio.sleep(0.01)

    async def known_as():
        known = await asyncio.to_thread(client.sync, _identity, client)
        return known["workers"][address]["status"]

    await becomes("paused", 0.0001)
    seen = await connection.workers()
    await becomes("running", 0.99)

    assert len(seen) == 2


async def struck(remote, job, numbers, until):
    """The job, each of whose workers in turn was sent a signal while it was at work."""
    cluster = remote._remote.cluster
    offer = cluster._offer

    def stopped(slot):  # before it is given anything: else it may be done before it is struck
        os.kill(slot.pid, signal.SIGSTOP)
        offer(slot)

    cluster._offer = stopped
    for slot in workers_of(remote):
        os.kill(slot["pid"], signal.SIGSTOP)
    rendering = asyncio.create_task(remote.render(job))
    for number in numbers:
        (victim,) = await until(lambda: busy_pids(remote))
        os.kill(victim, number)
        if number != signal.SIGKILL:  # which alone reaches a stopped process
            os.kill(victim, signal.SIGCONT)
        await until(lambda gone=victim: gone not in busy_pids(remote))
    cluster._offer = offer
    for slot in workers_of(remote):
        os.kill(slot["pid"], signal.SIGCONT)
    return await ended(rendering)


async def test_a_job_that_costs_two_workers_is_given_up_and_the_next_is_drawn(
    remote, two_regions, light_job, until
):
    outcome = await struck(remote, two_regions, [signal.SIGSEGV] * 2, until)

    told = "the remote worker died (signal 11, SIGSEGV), 2 times"
    assert outcome == HourFailed("gfs", "2026012912", 6, Reason.WORKER_DIED, told)
    assert isinstance(await remote.render(light_job(9)), HourRendered)


async def test_a_job_whose_remote_workers_are_killed_from_outside_is_not_to_blame(
    remote, two_regions, until
):
    with capture_logs() as logs:
        outcome = await struck(remote, two_regions, [signal.SIGKILL] * 3, until)

    assert isinstance(outcome, HourRendered)
    assert len(outcome.frames) == 4
    lost = lost_jobs(logs)
    assert [line["strike"] for line in lost] == [False] * 3
    told = "the remote worker died (signal 9, SIGKILL), from outside"
    assert {line["reason"] for line in lost} == {told}


async def test_how_a_worker_without_a_nanny_died_is_not_known_and_counts(
    start_remote, away, two_regions, light_job, spec, until
):
    away.start_scheduler()
    away.start_workers(1, "--no-nanny")
    farm = await start_remote(away.address)
    (first,) = await until(lambda: workers_of(farm))
    os.kill(first["pid"], signal.SIGSTOP)
    rendering = asyncio.create_task(farm.render(two_regions))
    await until(lambda: busy_pids(farm))

    with capture_logs() as logs:
        os.kill(first["pid"], signal.SIGKILL)
        away.start_workers(1, "--no-nanny")
        assert isinstance(await ended(rendering), HourRendered)

    (lost,) = lost_jobs(logs)
    assert (lost["reason"], lost["strike"]) == ("the remote worker died", True)

    # Nor can anybody end such a one that takes too long: it is given nothing more.
    farm.reload(spec, job_timeout_s=0.2)
    (second,) = workers_of(farm)
    os.kill(second["pid"], signal.SIGSTOP)
    with capture_logs() as logs:
        rendering = asyncio.create_task(farm.render(light_job(9)))
        await until(lambda: any(line["event"] == "farm.remote_worker_stuck" for line in logs))
    os.kill(second["pid"], signal.SIGCONT)
    cluster = farm._remote.cluster
    seen = await cluster._connection.workers()
    cluster._compare(cluster._connection, seen)
    assert len(seen) == 1
    assert cluster.slots == {}
    await until(lambda: farm.waiting == {"gfs": 1})
    rendering.cancel()


async def test_a_job_that_takes_more_memory_than_a_nanny_allows_is_given_up_for_that(
    start_remote, away, light_job, until
):
    away.start_scheduler()
    away.start_workers(1, "--memory-limit", "600MB")
    farm = await start_remote(away.address)
    await until(lambda: workers_of(farm))
    (slot,) = farm._remote.cluster.slots.values()
    hoarding = asyncio.create_task(slot.run(eval, HOARD))

    with pytest.raises(RemoteWorkerLost):
        await ended(hoarding)

    ending = await farm._remote.cluster.ending(slot)
    assert ending.for_memory
    assert ending.exit_code in {-signal.SIGTERM, -signal.SIGKILL}


HOARD = "(bytearray(b'x') * (700 << 20), __import__('time').sleep(600))"


async def test_a_job_that_takes_too_long_costs_its_worker_and_is_given_up_the_second_time(
    start_remote, cluster, two_regions, spec, until
):
    farm = await start_remote(cluster.address, job_timeout_s=0.001)
    await until(lambda: len(workers_of(farm)) == 2)
    before = {slot["pid"] for slot in workers_of(farm)}
    for pid in before:
        os.kill(pid, signal.SIGSTOP)  # nothing is drawn in that, however slow this process is

    outcome = await ended(farm.render(two_regions))
    for pid in before:
        os.kill(pid, signal.SIGCONT)  # their nannies end them in peace

    assert isinstance(outcome, HourFailed)
    assert outcome.reason is Reason.TIMED_OUT
    farm.reload(spec, job_timeout_s=BOUND_S)
    assert isinstance(await ended(farm.render(two_regions)), HourRendered)
    assert {slot["pid"] for slot in workers_of(farm)}.isdisjoint(before)


@pytest.fixture
def away(tmp_path):
    """A cluster that is not there yet."""
    cluster = Cluster(tmp_path, unused_port())
    yield cluster
    cluster.stop()


@pytest.fixture
def other_program(tmp_path):
    """The renderer with another comment in it, on a path that goes first."""
    source = Path(render_farm.__file__).parent
    copy = tmp_path / "other/render_farm"
    shutil.copytree(source, copy, ignore=shutil.ignore_patterns("data", "__pycache__"))
    (copy / "basedata/data").symlink_to(source / "basedata/data")
    with (copy / "worker/entry.py").open("a") as stream:
        stream.write("# changed\n")
    return str(copy.parent)


async def test_the_farm_starts_without_a_cluster_and_jobs_wait_for_workers_of_the_same_program(
    start_remote, away, other_program, light_job, until, catalog
):
    farm = await start_remote(away.address)
    rendering = asyncio.create_task(farm.render(light_job(6)))
    await until(lambda: farm.cluster_status()["fault"])
    assert not farm.cluster_status()["joined"]
    assert farm.waiting == {"gfs": 1}
    (view,) = await farm.region_views((catalog["regions"]["pnw"],))  # questions need no cluster
    assert view.region == "pnw"

    away.start_scheduler()
    away.start_workers(1, PYTHONPATH=other_program)
    (reason,) = await until(lambda: farm.cluster_status()["refused"])
    assert "render_farm is of other sources" in reason
    assert farm.cluster_status() == {"joined": True, "fault": "", "workers": 0, "refused": [reason]}
    assert not rendering.done()
    cluster = farm._remote.cluster
    cluster._compare(cluster._connection, await cluster._connection.workers())
    assert cluster.slots == {}  # it is not asked again

    await farm.stop()
    with pytest.raises(FarmClosed):
        await ended(rendering)


async def test_a_farm_that_stopped_leaves_no_thread_and_tells_who_waits(
    start_remote, cluster, light_job, until
):
    before = {thread.ident for thread in threading.enumerate()}
    farm = await start_remote(cluster.address)
    await until(lambda: workers_of(farm))
    stopped = [slot["pid"] for slot in workers_of(farm)]
    for pid in stopped:
        os.kill(pid, signal.SIGSTOP)
    rendering = [asyncio.create_task(farm.render(light_job(hour))) for hour in range(5)]
    await until(lambda: busy_pids(farm))

    await farm.stop(kill=True)
    outcomes = await ended(asyncio.gather(*rendering, return_exceptions=True))
    for pid in stopped:
        os.kill(pid, signal.SIGCONT)

    assert all(isinstance(outcome, FarmClosed) for outcome in outcomes)

    def left():
        names = [thread.name for thread in threading.enumerate() if thread.ident not in before]
        return [name for name in names if not name.startswith(("asyncio_", "Dask-Offload"))]

    await until(lambda: not left())  # some are still seeing workers off


async def test_a_stop_without_haste_finishes_what_is_in_work(
    start_remote, cluster, light_job, until
):
    farm = await start_remote(cluster.address)
    await until(lambda: workers_of(farm))
    rendering = asyncio.create_task(farm.render(light_job(6)))
    await until(lambda: busy_pids(farm) or rendering.done())

    await farm.stop()

    assert isinstance(await ended(rendering), HourRendered)


async def test_a_job_that_nobody_wants_any_more_holds_its_place_until_it_is_done(
    start_remote, cluster, two_regions, light_job, until
):
    farm = await start_remote(cluster.address)
    await until(lambda: len(workers_of(farm)) == 2)
    pids = [slot["pid"] for slot in workers_of(farm)]
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    rendering = [asyncio.create_task(farm.render(two_regions)) for _ in range(2)]
    await until(lambda: len(busy_pids(farm)) == 2)

    for task in rendering:
        task.cancel()
    await asyncio.wait(rendering)
    following = asyncio.create_task(farm.render(light_job(9)))
    await until(lambda: farm.waiting == {"gfs": 1})
    for pid in pids:
        os.kill(pid, signal.SIGCONT)

    assert isinstance(await ended(following), HourRendered)
    assert all(task.cancelled() for task in rendering)


async def test_a_link_that_breaks_and_is_mended_at_once_costs_no_job(
    start_remote, cluster, light_job, until
):
    farm = await start_remote(cluster.address)
    await until(lambda: workers_of(farm))
    pids = [slot["pid"] for slot in workers_of(farm)]
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    rendering = [asyncio.create_task(farm.render(light_job(hour))) for hour in range(3)]
    await until(lambda: busy_pids(farm))
    client = farm._remote.cluster._connection._client

    with capture_logs() as logs:
        client.loop.add_callback(client.scheduler_comm.comm.abort)
        await until(lambda: any(line["event"] == "farm.cluster_lost" for line in logs))
    for pid in pids:
        os.kill(pid, signal.SIGCONT)
    outcomes = await ended(asyncio.gather(*rendering))

    assert all(isinstance(outcome, HourRendered) for outcome in outcomes)
    assert not any(line["strike"] for line in lost_jobs(logs))


async def test_a_scheduler_that_dies_with_all_workers_costs_no_job(
    start_remote, cluster, light_job, until
):
    """The last that uses this cluster as it was: it is another one afterwards."""
    farm = await start_remote(cluster.address)
    await until(lambda: workers_of(farm))
    for slot in workers_of(farm):
        os.kill(slot["pid"], signal.SIGSTOP)
    rendering = [asyncio.create_task(farm.render(light_job(hour))) for hour in range(3)]
    await until(lambda: busy_pids(farm))

    cluster.stop()
    with capture_logs() as logs:
        await until(lambda: not farm.cluster_status()["joined"])
        await until(lambda: farm.waiting == {"gfs": 3})
    assert not any(line["strike"] for line in lost_jobs(logs))
    assert farm.cluster_status()["fault"].startswith("the scheduler")

    cluster.start_scheduler()
    cluster.start_workers(1)
    outcomes = await ended(asyncio.gather(*rendering))
    assert [outcome.hour for outcome in outcomes] == [0, 1, 2]
    assert all(isinstance(outcome, HourRendered) for outcome in outcomes)


def test_without_the_extra_the_service_says_what_to_install():
    script = (
        "import sys\n"
        "from twf_async.farm.remote import connection\n"
        "assert 'distributed' not in sys.modules\n"
        "sys.path[:] = []\n"
        "connection.require_dask()\n"
    )
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)

    assert ended.returncode == 1
    assert "BadConfiguration" in ended.stderr
    assert "pip install 'twf-async[dask]'" in ended.stderr


def test_nothing_of_dask_is_loaded_unless_it_is_asked_for():
    script = (
        "import sys, twf_async.app.daemon, twf_async.farm.remote.farm, render_farm.worker.shipped\n"
        "print(sorted({'dask', 'distributed', 'tornado', 'numpy'} & sys.modules.keys()))\n"
    )
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)

    assert ended.stdout == "[]\n", ended.stderr
