"""What a tree of real processes is seen to hold and to have used."""

import os
import subprocess
import sys
import time

import pytest

from twf_async.app.bench.service import measured_service
from twf_async.app.bench.tree import Role, look
from twf_async.app.bench.waiting import Waiting, share_pct
from twf_async.errors import TwfError

# A forkserver with one worker, told over stdin what to do next.
FAMILY = """
import multiprocessing, sys, time
from concurrent.futures import ProcessPoolExecutor

def hold(megabytes):
    global held
    held = bytearray(b"x") * (megabytes << 20)

def work(cpu_s):
    while time.process_time() < cpu_s:
        pass

if __name__ == "__main__":
    context = multiprocessing.get_context("forkserver")
    with ProcessPoolExecutor(1, mp_context=context) as pool:
        pool.submit(hold, 80).result()
        pool.submit(work, 0.5).result()
        print("working", flush=True)
        sys.stdin.readline()
    print("worker gone", flush=True)
    sys.stdin.readline()
"""


@pytest.fixture
def family(tmp_path):
    script = tmp_path / "family.py"
    script.write_text(FAMILY)
    process = subprocess.Popen(
        [sys.executable, script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "working\n"
    yield process
    process.communicate("\n\n", timeout=60)


def test_every_process_is_known_by_what_it_is_for(family):
    tree = look(family.pid)

    roles = sorted(process.role.value for process in tree.processes)
    assert roles == ["forkserver", "resource tracker", "service", "worker"]
    assert tree.of(Role.SERVICE)[0].pid == family.pid


def test_memory_is_laid_at_the_door_of_the_process_that_holds_it(family):
    tree = look(family.pid)

    (worker,), (server,) = tree.of(Role.WORKER), tree.of(Role.FORKSERVER)
    assert 80 < worker.anon_mb < 110
    assert worker.anon_mb <= worker.pss_mb <= worker.hwm_mb
    assert server.pss_mb < 60
    assert tree.pss_mb == pytest.approx(sum(process.pss_mb for process in tree.processes))


def test_the_work_of_a_worker_still_counts_when_it_has_ended(family):
    before = look(family.pid)
    family.stdin.write("\n")
    family.stdin.flush()
    assert family.stdout.readline() == "worker gone\n"
    end = time.monotonic() + 60
    while look(family.pid).of(Role.WORKER) and time.monotonic() < end:
        time.sleep(0.05)
    after = look(family.pid)

    assert after.of(Role.WORKER) == ()
    assert before.workers_cpu_s > 0.4  # the kernel counts in hundredths
    assert after.workers_cpu_s >= before.workers_cpu_s - 0.02


HOLDS = """
import os, sys, threading
print("ready", flush=True)
sys.stdin.readline()
held = open(os.devnull), open(os.devnull)
threading.Thread(target=sys.stdin.read).start()
print("holds", flush=True)
"""


def test_descriptors_and_threads_are_those_of_the_process():
    with subprocess.Popen(
        [sys.executable, "-c", HOLDS], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout.readline() == "ready\n"
        (before,) = look(process.pid).of(Role.SERVICE)
        process.stdin.write("\n")
        process.stdin.flush()
        assert process.stdout.readline() == "holds\n"
        (held,) = look(process.pid).of(Role.SERVICE)
        process.stdin.close()

    assert held.fds - before.fds == 2
    assert (before.threads, held.threads) == (1, 2)


SERVICE = """
import sys, time
for line in ['{"event": "a.began"}', 'no JSON', '{"event": "a.ended", "n": 1}']:
    print(line, file=sys.stderr)
sys.stderr.write('{"event": "a.en'); sys.stderr.flush()
time.sleep(0.8)
print('ded", "n": 2}', file=sys.stderr, flush=True)
time.sleep(60)
"""


def test_lines_are_heard_whole_however_they_come(tmp_path):
    command = [sys.executable, "-c", SERVICE]
    with measured_service(command, os.environ, tmp_path / "log", 1) as service:
        service.until("a.ended", n=1)
        service.until("a.began")  # said before, in the same breath
        service.until("a.ended", n=2)

        assert [line.get("n") for line in service.said("a.ended")] == [1, 2]
        assert service.trees


def test_a_service_that_ends_too_early_is_told_of_with_its_last_words(tmp_path):
    command = [sys.executable, "-c", "import sys; sys.exit('no room')"]

    with (
        measured_service(command, os.environ, tmp_path / "log", 1) as service,
        pytest.raises(TwfError, match="ended with 1: no room"),
    ):
        service.until("app.started")


def test_a_service_is_bound_to_the_processors_it_may_have(tmp_path):
    say = "import os, sys, time; n = len(os.sched_getaffinity(0));"
    say += ' print(\'{"event": "a.b", "n": %d}\' % n, file=sys.stderr, flush=True); time.sleep(60)'

    with measured_service([sys.executable, "-c", say], os.environ, tmp_path / "log", 1) as service:
        assert service.until("a.b")["n"] == 1


def proc(root, *, iowait, some=None):
    (root / "pressure").mkdir(parents=True)
    (root / "stat").write_text(f"cpu  1000 0 500 4000 {iowait} 0 0 100 0 0\ncpu0 1 1 1\n")
    if some is not None:
        (root / "pressure" / "io").write_text(
            f"some avg10=1.00 avg60=0.00 avg300=0.00 total={some}\n"
            f"full avg10=0.00 avg60=0.00 avg300=0.00 total={some // 2}\n"
        )
    return Waiting.now(root)


def test_waiting_for_disks_is_read_from_the_kernel(tmp_path):
    before = proc(tmp_path / "a", iowait=100, some=1_000_000)
    after = proc(tmp_path / "b", iowait=600, some=3_000_000)

    assert (after.busy_s, after.iowait_s) == (15.0, 6.0)
    assert after.cpu_s - before.cpu_s == pytest.approx(5.0)
    assert (after.some_s, after.full_s) == (3.0, 1.5)
    assert share_pct(after.some_s, before.some_s, 10.0) == pytest.approx(20.0)


def test_a_kernel_without_pressure_says_nothing_of_it(tmp_path):
    found = proc(tmp_path / "a", iowait=100)

    assert (found.some_s, found.full_s) == (None, None)
    assert share_pct(found.some_s, 1.0, 10.0) is None
