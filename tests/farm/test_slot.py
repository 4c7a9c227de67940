"""What a single slot makes of workers that end unnoticed, do not end, or cannot be made."""

import asyncio
import os
import shutil
import signal
import threading
import time
from concurrent.futures.process import BrokenProcessPool
from dataclasses import replace
from functools import partial
from multiprocessing import util
from pathlib import Path

import psutil
import pytest
from structlog.testing import capture_logs

from render_farm.worker.scratch import MARK
from tests.emergency.machine import frozen, has_ended
from tests.farm.limits import no_descriptors_left
from twf_async.farm.errors import (
    FarmClosed,
    JobHandedBack,
    JobTimedOut,
    WorkerDied,
    WorkerNotStarted,
)
from twf_async.farm.slot import Slot
from twf_async.farm.worker import Worker


@pytest.fixture
async def slot(spec):
    slot = Slot(0, replace(spec, max_tasks_per_child=2))
    yield slot
    await slot.close(kill=True)


async def test_a_worker_whose_end_its_executor_does_not_notice_is_noticed(slot):
    """An executor that counts a worker as idle makes no other when the last one has left."""
    await slot.run(abs, -1, timeout_s=60)
    executor = slot._post.worker._executor
    executor._idle_worker_semaphore.release()  # as one that was told late leaves behind
    await slot.run(abs, -2, timeout_s=60)
    async with asyncio.timeout(60):
        while slot.pid:  # it has had its two tasks
            await asyncio.sleep(0.01)

    with pytest.raises(WorkerDied) as death:
        await slot.run(os._exit, 3, timeout_s=60)

    assert death.value.exit_code_of_worker == 3
    assert await slot.run(abs, -3, timeout_s=60) == 3


async def test_a_worker_that_cannot_be_made_just_now_is_made_a_moment_later(slot):
    with capture_logs() as logs:
        with no_descriptors_left():
            running = asyncio.create_task(slot.run(abs, -1, timeout_s=60))
            async with asyncio.timeout(60):
                while not logs:
                    await asyncio.sleep(0)
        assert await running == 1
    assert logs[0]["event"] == "farm.worker_not_started"
    assert "Too many open files" in logs[0]["reason"]


async def test_time_in_which_the_service_itself_was_stopped_is_not_counted_against_a_job(
    slot, tmp_path, monkeypatch
):
    monkeypatch.setattr("twf_async.farm.waiting.STEP_S", 0.1)
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    await slot.run(abs, -1, timeout_s=60)
    running = asyncio.create_task(slot.run(eval, f"open({str(gate)!r}).read()", timeout_s=2))
    writer = await asyncio.to_thread(gate.open, "w")  # it has begun

    time.sleep(2.5)  # noqa: ASYNC251 - nothing of the service runs, as after a SIGSTOP
    writer.write("drawn")
    writer.close()

    assert await running == "drawn"


async def test_a_forkserver_whose_socket_was_deleted_is_replaced(slot):
    """As who cleans TMPDIR does."""
    await slot.run(abs, -1, timeout_s=60)
    directory = Path(util.get_temp_dir())
    shutil.rmtree(directory)
    slot.renew()

    with capture_logs() as logs:
        assert await slot.run(abs, -2, timeout_s=60) == 2

    assert "farm.forkserver_lost" in [line["event"] for line in logs]
    assert (directory / MARK).exists()


async def test_a_forkserver_that_died_after_its_socket_was_deleted_is_replaced_too(
    slot, forkserver, until
):
    await slot.run(abs, -1, timeout_s=60)
    shutil.rmtree(util.get_temp_dir())
    forkserver.kill()
    await until(lambda: has_ended(forkserver))

    assert await slot.run(abs, -2, timeout_s=60) == 2


async def test_a_worker_that_cannot_be_made_at_all_costs_the_call_and_not_the_slot(
    slot, monkeypatch
):
    with monkeypatch.context() as impatient, no_descriptors_left():
        impatient.setattr("twf_async.farm.post.STARTS", (0.05,))
        with pytest.raises(WorkerNotStarted, match="Too many open files"):
            await slot.run(abs, -1, timeout_s=60)

    assert slot.busy_since is None
    assert await slot.run(abs, -1, timeout_s=60) == 1


def is_forkserver(process):
    return process.status() != psutil.STATUS_ZOMBIE and "forkserver" in " ".join(process.cmdline())


@pytest.fixture
async def forkserver(spec):
    """The process that workers are forked from; it goes on at the end."""
    probe = Slot(9, spec)
    await probe.run(abs, -1, timeout_s=60)  # there is one
    await probe.close(kill=True)
    found = next(each for each in psutil.Process().children() if is_forkserver(each))
    yield found
    if found.is_running():
        found.resume()


FOREVER = partial(eval, "__import__('time').sleep(3600)")


def starting():
    return [each for each in threading.enumerate() if each.name == "start-0"]


async def test_while_the_forkserver_is_stopped_the_service_goes_on_and_then_so_does_the_call(
    slot, spec, forkserver, until
):
    other = Slot(1, replace(spec, max_tasks_per_child=50))
    await other.run(abs, -1, timeout_s=60)
    forkserver.suspend()
    running = asyncio.create_task(slot.run(abs, -7, timeout_s=60))
    await until(starting)

    assert await other.run(abs, -2, timeout_s=60) == 2
    assert not running.done()

    forkserver.resume()
    assert await running == 7
    await other.close(kill=True)


async def test_a_stopped_worker_does_not_outlive_its_forkserver(slot, forkserver, until):
    """It would go on drawing beside the one that was made in its place."""
    worker = psutil.Process(await slot.run(os.getpid, timeout_s=60))
    worker.suspend()

    forkserver.kill()

    await until(lambda: has_ended(worker))
    assert await slot.run(abs, -1, timeout_s=60) == 1


async def test_a_forkserver_that_makes_no_worker_in_time_is_replaced(spec, forkserver, until):
    slot = Slot(0, replace(spec, start_timeout_s=0.5))
    forkserver.suspend()
    running = asyncio.create_task(slot.run(abs, -7, timeout_s=60))
    with capture_logs() as logs:
        await until(lambda: has_ended(forkserver))
    slot._post.spec = replace(spec, start_timeout_s=60)  # for the imports of the next one

    assert await running == 7
    killed, missing = logs[:2]  # on a busy machine the next one may be too slow once, too
    assert killed["event"] == "farm.forkserver_killed"
    assert missing["event"] == "farm.worker_not_started"
    assert "within 0.5 s" in missing["reason"]
    await slot.close(kill=True)


async def test_a_worker_that_dies_while_nobody_can_tell_is_missed_before_its_time_is_over(
    slot, spec, forkserver, until
):
    """The forkserver is told of the end of what it made, and tells us: unless it is stopped."""
    running = asyncio.create_task(slot.run(FOREVER, timeout_s=3600))
    await until(lambda: slot.pid)
    forkserver.suspend()
    os.kill(slot.pid, signal.SIGKILL)

    with pytest.raises(WorkerDied):
        await running
    forkserver.resume()
    assert await slot.run(abs, -7, timeout_s=60) == 7


async def test_a_call_that_is_given_up_while_its_worker_is_being_made_leaves_none_behind(
    slot, forkserver, until
):
    forkserver.suspend()
    running = asyncio.create_task(slot.run(FOREVER, timeout_s=3600))
    await until(starting)

    running.cancel()
    await asyncio.wait({running})
    forkserver.resume()

    await until(lambda: not starting())
    await until(lambda: not reaping())
    assert await slot.run(abs, -7, timeout_s=60) == 7
    await alone(slot, forkserver)


@pytest.fixture
def refuse(monkeypatch):
    """Have the system refuse threads that are called, or of a class called, so."""
    start, refused = threading.Thread.start, []

    def refuse(name, *, times):
        def refusing(thread):
            if name in (thread.name, type(thread).__name__) and len(refused) < times:
                refused.append(thread.name)
                raise RuntimeError("can't start new thread")
            start(thread)

        monkeypatch.setattr(threading.Thread, "start", refusing)
        return refused

    return refuse


@pytest.mark.parametrize("thread", ["start-0", "_ExecutorManagerThread"])
async def test_where_no_thread_can_be_started_just_now_the_call_is_done_a_moment_later(
    slot, refuse, thread, forkserver
):
    refused = refuse(thread, times=2)

    with capture_logs() as logs:
        assert await slot.run(abs, -7, timeout_s=60) == 7

    assert len(refused) == 2
    assert [line["reason"] for line in logs] == ["can't start new thread"] * 2
    await alone(slot, forkserver)


@pytest.mark.parametrize("thread", ["start-0", "_ExecutorManagerThread"])
async def test_where_no_thread_can_be_started_at_all_the_call_is_lost_and_not_the_slot(
    slot, refuse, thread, tmp_path, monkeypatch
):
    refuse(thread, times=2)

    with monkeypatch.context() as impatient:
        impatient.setattr("twf_async.farm.post.STARTS", (0.05,))
        with pytest.raises(WorkerNotStarted, match="can't start new thread"):
            await slot.run(Path.touch, tmp_path / "done", timeout_s=60)

    assert await slot.run(abs, -7, timeout_s=60) == 7
    assert not (tmp_path / "done").exists()


def test_a_worker_that_was_let_go_before_it_was_made_is_not_made():
    worker = Worker(lambda: pytest.fail("it was made"))
    worker.end(kill=True)

    with pytest.raises(BrokenProcessPool):
        worker.submit(abs, -7)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")  # executor's
async def test_an_executor_that_can_start_no_thread_to_send_calls_by_is_given_up(
    slot, refuse, forkserver
):
    refuse("QueueFeederThread", times=1)

    with pytest.raises(WorkerDied):
        await slot.run(abs, -7, timeout_s=60)

    assert await slot.run(abs, -7, timeout_s=60) == 7
    await alone(slot, forkserver)


async def test_where_no_thread_can_be_started_to_see_a_worker_off_it_is_killed(
    slot, refuse, forkserver
):
    before = await slot.run(os.getpid, timeout_s=60)
    refused = refuse("reaper-0", times=1)

    slot.renew()

    assert refused
    assert await slot.run(os.getpid, timeout_s=60) != before
    await alone(slot, forkserver)


async def alone(slot, forkserver):
    """Return once the slot's worker is the only one."""
    async with asyncio.timeout(60):
        while {child.pid for child in forkserver.children()} != {slot.pid}:
            await asyncio.sleep(0.01)


async def test_a_slot_that_was_retired_makes_no_worker_any_more(slot, forkserver):
    await slot.run(abs, -1, timeout_s=60)
    slot.retire()

    with pytest.raises(FarmClosed):
        await slot.run(abs, -1, timeout_s=60)

    assert slot.pid is None


async def test_a_slot_that_is_closed_between_two_attempts_to_make_a_worker_makes_none(slot):
    with no_descriptors_left():
        with capture_logs() as logs:
            running = asyncio.create_task(slot.run(abs, -1, timeout_s=60))
            async with asyncio.timeout(60):
                while not logs:
                    await asyncio.sleep(0)
        await slot.close(kill=True)

    with pytest.raises(FarmClosed):
        await running
    assert slot.pid is None


async def test_an_idle_worker_that_somebody_stopped_is_replaced_and_no_call_is_to_blame(
    slot, until
):
    stopped = await slot.run(os.getpid, timeout_s=60)
    os.kill(stopped, signal.SIGSTOP)
    await until(lambda: psutil.Process(stopped).status() == psutil.STATUS_STOPPED)

    assert await slot.run(os.getpid, timeout_s=60) != stopped

    await until(lambda: not psutil.pid_exists(stopped))


async def test_an_idle_worker_that_is_stopped_when_it_shall_end_is_killed(slot, monkeypatch, until):
    monkeypatch.setattr("twf_async.farm.reaper.REAP_S", 0.2)
    stopped = await slot.run(os.getpid, timeout_s=60)
    os.kill(stopped, signal.SIGSTOP)

    slot.renew()

    await until(lambda: not psutil.pid_exists(stopped))


async def test_a_worker_that_is_replaced_while_it_is_killed_ends_though_it_left_a_lock_held(
    spec, forkserver, tmp_path, until
):
    """Killed when it has just told its last result: so late that its executor makes the next."""
    slot = Slot(0, replace(spec, max_tasks_per_child=1))
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    running = asyncio.create_task(slot.run(eval, f"open({str(gate)!r}).read()", timeout_s=60))
    await until(lambda: slot.pid)
    executor = slot._post.worker._executor
    with executor._shutdown_lock:  # the next is not made yet
        await asyncio.to_thread(gate.write_text, "go on")
        await running
        await until(lambda: slot.pid is None)
        executor._result_queue._wlock.acquire()  # so the killed one left it
        closing = asyncio.create_task(slot.close(kill=True))
        await until(reaping)

    await closing

    await until(lambda: not reaping())
    await until(lambda: not forkserver.children())


async def test_a_worker_that_dies_after_an_earlier_job_was_handed_back_has_died(slot, tmp_path):
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    running = asyncio.create_task(slot.run(eval, f"open({str(gate)!r}).read()", timeout_s=60))
    with await asyncio.to_thread(gate.open, "w"):  # it has begun
        slot.hand_back()
        with pytest.raises(JobHandedBack):
            await running

    with pytest.raises(WorkerDied):
        await slot.run(signal.raise_signal, signal.SIGKILL, timeout_s=60)


async def test_a_worker_that_has_crashed_when_its_job_is_handed_back_has_crashed(slot, tmp_path):
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    running = asyncio.create_task(slot.run(eval, f"open({str(gate)!r}).read()", timeout_s=60))
    with await asyncio.to_thread(gate.open, "w"):
        worker = psutil.Process(slot.pid)
        worker.send_signal(signal.SIGSEGV)
        while not has_ended(worker):
            time.sleep(0.001)  # noqa: ASYNC251 - its end is not noticed yet

        slot.hand_back()
        with pytest.raises(WorkerDied, match="SIGSEGV"):
            await running


def reaping():
    return [thread for thread in threading.enumerate() if thread.name == "reaper-0"]


async def test_a_worker_that_does_not_heed_its_kill_is_told_until_it_ends_and_the_slot_goes_on(
    slot, until
):
    stuck = await slot.run(os.getpid, timeout_s=60)
    with capture_logs() as logs, frozen(stuck):
        with pytest.raises(JobTimedOut):
            await slot.run(abs, -1, timeout_s=0.1)
        await until(lambda: slot.stuck == [stuck])
        assert await slot.run(os.getpid, timeout_s=60) != stuck
        (told,) = [line for line in logs if line["event"] == "farm.worker_stuck"]
        assert (told["slot"], told["pid"]) == (0, stuck)
        assert told["held_mb"] > 1

    with capture_logs() as logs:
        await until(lambda: slot.stuck == [])
    assert [line["event"] for line in logs] == ["farm.stuck_worker_ended"]
