"""The farm with real processes; what they run is the standard library's."""

import asyncio
import ctypes
import fcntl
import os
import pickle
import signal
import subprocess
import sys
import time

import psutil
import pytest

from render_farm.domain.jobs import HourRendered
from render_farm.worker import entry
from twf_async.farm import socketdir
from twf_async.farm.errors import FarmClosed, JobTimedOut, WorkerDied
from twf_async.farm.slot import Slot


@pytest.fixture
async def slot(spec):
    slot = Slot(0, spec)
    yield slot
    await slot.close(kill=True)


@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    ("slots", "tasks", "jobs"),
    [(1, 2, 200), (2, 3, 1000), (3, 2, 200)],
)
async def test_many_jobs_queued_at_once_are_all_done_though_children_are_recycled(
    start_farm, light_job, slots, tasks, jobs
):
    """On Python 3.11 a pool of two with max_tasks_per_child=3 stops after six (gh-115634)."""
    farm = await start_farm(slots, max_tasks_per_child=tasks)

    outcomes = await asyncio.gather(*(farm.render(light_job(hour)) for hour in range(jobs)))

    assert [outcome.hour for outcome in outcomes] == [*range(jobs)]
    assert all(isinstance(outcome, HourRendered) for outcome in outcomes)
    assert len({outcome.pid for outcome in outcomes}) > jobs / tasks - slots


async def test_a_killed_worker_costs_its_job_only_and_the_exit_code_is_known(slot):
    with pytest.raises(WorkerDied, match="signal 9"):
        await slot.run(signal.raise_signal, signal.SIGKILL, timeout_s=30)

    assert await slot.run(abs, -7, timeout_s=30) == 7


async def test_a_segfault_is_named(slot):
    with pytest.raises(WorkerDied, match="signal 11"):
        await slot.run(ctypes.string_at, 0, timeout_s=30)


async def test_a_worker_heeds_the_usual_way_to_end_it(slot):
    with pytest.raises(WorkerDied, match="signal 15"):
        await slot.run(signal.raise_signal, signal.SIGTERM, timeout_s=30)


async def test_a_job_that_sleeps_for_ever_is_killed_and_the_slot_goes_on(slot):
    with pytest.raises(JobTimedOut, match="longer than 0.5 s"):
        await slot.run(time.sleep, 3600, timeout_s=0.5)

    assert await slot.run(abs, -7, timeout_s=30) == 7


async def test_an_exception_of_the_job_is_handed_on_and_the_worker_lives(slot):
    before = await slot.run(os.getpid, timeout_s=30)

    with pytest.raises(ZeroDivisionError):
        await slot.run(divmod, 1, 0, timeout_s=30)

    assert await slot.run(os.getpid, timeout_s=30) == before


async def test_a_worker_that_died_while_idle_is_replaced_without_blame(slot):
    pid = await slot.run(os.getpid, timeout_s=30)
    process = psutil.Process(pid)
    process.kill()
    await asyncio.to_thread(process.wait, 60)

    assert await slot.run(abs, -7, timeout_s=30) == 7


async def test_a_cancelled_job_is_killed_not_left_running(slot):
    pid = await slot.run(os.getpid, timeout_s=30)
    running = asyncio.create_task(slot.run(time.sleep, 3600, timeout_s=3600))
    while slot.busy_since is None:
        await asyncio.sleep(0)
    process = psutil.Process(pid)

    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running

    await asyncio.to_thread(process.wait, 60)


async def test_workers_ignore_the_signals_that_are_meant_for_the_service(slot):
    pid = await slot.run(os.getpid, timeout_s=30)

    os.kill(pid, signal.SIGHUP)
    os.kill(pid, signal.SIGINT)

    assert await slot.run(os.getpid, timeout_s=30) == pid


async def test_the_forkserver_has_loaded_the_renderer_and_no_service_code(farm):
    assert await farm.call(entry.is_preloaded)
    loaded = await farm.call(eval, "[m for m in __import__('sys').modules if 'aiohttp' in m]")
    assert loaded == []


async def test_a_question_whose_worker_is_killed_is_asked_again(farm, until):
    asking = asyncio.create_task(farm.call(eval, "[__import__('time').sleep(1), 7][1]"))
    await until(lambda: farm.idle < farm.size)
    os.kill(farm.status()[0]["pid"], signal.SIGKILL)

    assert await asking == 7


async def test_a_closed_farm_takes_no_jobs(farm, light_job):
    await farm.stop()
    await farm.stop()

    with pytest.raises(FarmClosed):
        await farm.render(light_job(0))
    with pytest.raises(FarmClosed):
        await farm.resize(3)
    with pytest.raises(FarmClosed):
        await farm.recycle()


def test_jobs_can_be_pickled(make_job, real_file):
    job = make_job(real_file("gfs", 6), "gfs", "2026012912", 6, ["t2m", "mslp_ptype"])

    assert pickle.loads(pickle.dumps(job)) == job


def test_nothing_outlives_a_killed_service_even_inside_c_code_or_stopped(tmp_path):
    """The workers hold the GIL in C; one of them, and the forkserver, heed SIGKILL alone."""
    script = tmp_path / "service.py"
    script.write_text(
        "import asyncio, ctypes, multiprocessing.forkserver, os\n"
        "from twf_async.farm.boot import boot\n"
        "from twf_async.farm.post import SlotSpec\n"
        "from twf_async.farm.slot import Slot\n"
        "async def main(context):\n"
        "    slots = [Slot(n, SlotSpec(context, 50, 'info', False)) for n in range(2)]\n"
        "    pids = [await slot.run(os.getpid, timeout_s=60) for slot in slots]\n"
        "    calls = [slot.run(eval, \"__import__('ctypes').PyDLL(None).sleep(600)\","
        " timeout_s=600) for slot in slots]\n"
        "    tasks = [asyncio.create_task(call) for call in calls]\n"
        "    await asyncio.sleep(0.2)\n"
        "    server = multiprocessing.forkserver._forkserver._forkserver_pid\n"
        "    print(server, *pids, flush=True)\n"
        "    await asyncio.gather(*tasks)\n"
        "if __name__ == '__main__':\n"
        "    context = boot()\n"
        "    asyncio.run(main(context))\n"
    )
    service = subprocess.Popen(
        [sys.executable, str(script)],
        env={**os.environ, "TMPDIR": str(tmp_path)},
        stdout=subprocess.PIPE,
        text=True,
    )
    server, *workers = map(int, service.stdout.readline().split())
    family = psutil.Process(service.pid).children(recursive=True)
    for stopped in (server, workers[0]):
        os.kill(stopped, signal.SIGSTOP)
    service.kill()
    service.communicate()
    assert len(workers) == 2
    assert {server, *workers} < {process.pid for process in family}

    _, alive = psutil.wait_procs(family, timeout=60)
    for process in alive:
        process.kill()
    assert alive == []
    assert [*tmp_path.glob("pymp-*")]  # of its socket
    socketdir.sweep(tmp_path)
    assert [*tmp_path.glob("pymp-*")] == []


def test_who_begins_to_watch_a_service_that_is_gone_already_ends_too():
    """No signal comes any more of what had ended before."""
    script = (
        "import os; from render_farm.worker import lifeline\n"
        "reader, writer = os.pipe(); os.close(writer)\n"
        "lifeline._end_with(reader); print('alive')\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)

    assert (done.returncode, done.stdout) == (0, ""), done.stderr


def test_log_lines_are_whole_json_of_at_most_4_kib_from_four_processes_on_one_pipe(tmp_path):
    import json

    script = (
        "import sys, structlog; from render_farm.logs import lines; lines.configure('debug')\n"
        "log = structlog.get_logger(component='t')\n"
        "for i in range(60): log.info('test.ran', n=i, text='x' * (i * 185 % 9000))\n"
    )
    reader, writer = os.pipe()
    fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, 1 << 20)  # all of it: what finds no room is left out
    children = [subprocess.Popen([sys.executable, "-c", script], stderr=writer) for _ in range(4)]
    os.close(writer)
    data = b"".join(iter(lambda: os.read(reader, 65536), b""))
    os.close(reader)
    assert [child.wait() for child in children] == [0, 0, 0, 0]

    lines = data.splitlines()
    assert len(lines) == 240
    assert all(len(line) < 4096 and json.loads(line)["event"] == "test.ran" for line in lines)


def test_logging_to_a_pipe_nobody_reads_any_more_never_raises():
    script = (
        "import os, structlog; from render_farm.logs import lines\n"
        "r, w = os.pipe(); os.close(r); lines.configure('info', stream_fd=w)\n"
        "structlog.get_logger().info('test.ran'); print('alive')\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.stdout.strip() == "alive"


def test_logging_to_a_pipe_that_nobody_reads_just_now_never_waits_for_it_and_tells_what_is_lost():
    import json

    script = (
        "import os, structlog; from render_farm.logs import lines\n"
        "r, w = os.pipe(); lines.configure('info', stream_fd=w)\n"
        "log = structlog.get_logger()\n"
        "for i in range(300): log.info('test.ran', n=i, text='x' * 1000)\n"
        "seen = os.read(r, 1 << 20)\n"
        "log.info('test.read')\n"
        "print((seen + os.read(r, 1 << 20)).decode())\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)

    seen = [json.loads(line) for line in done.stdout.split("\n") if line]
    written = [line["n"] for line in seen if line["event"] == "test.ran"]
    assert written == [*range(len(written))]
    assert [line["event"] for line in seen[-2:]] == ["test.read", "log.lines_lost"]
    assert len(written) + seen[-1]["lines"] == 300


def test_the_entry_that_the_service_imports_loads_no_array_library():
    script = (
        "import sys, render_farm.worker.entry, twf_async.farm.farm, twf_async.settings.load\n"
        "heavy = {'numpy', 'xarray', 'eccodes', 'matplotlib', 'cartopy', 'pyproj', 'cv2'}\n"
        "print(sorted(heavy & set(sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.stdout.strip() == "[]", done.stderr


def test_what_libraries_say_becomes_a_line_too():
    import json

    script = (
        "import logging, warnings; from render_farm.logs import lines; lines.configure('info')\n"
        "logging.getLogger('cfgrib').error('cannot %s', 'read')\n"
        "warnings.warn('old')\n"
    )
    done = subprocess.run(
        [sys.executable, "-Wdefault", "-c", script], capture_output=True, text=True
    )

    first, second = map(json.loads, done.stderr.splitlines())
    assert (first["event"], first["library"]) == ("library.logged", "cfgrib")
    assert (first["text"], first["level"]) == ("cannot read", "error")
    assert "old" in second["text"]
