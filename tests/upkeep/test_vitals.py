"""What the sampler sees of a real machine."""

import subprocess
import sys
import time
from collections import namedtuple

import psutil

from twf_async.upkeep.vitals import SystemSampler

# The parent of a vfork sleeps uninterruptibly until its child ends, as if a disk did not answer.
ASLEEP = """
import ctypes, sys, time
libc = ctypes.PyDLL(None)
if libc.vfork() == 0:
    print(flush=True)
    time.sleep(600)
"""


def test_workers_in_d_state_are_counted(tmp_path):
    sampler = SystemSampler({"cache_dir": tmp_path})
    with subprocess.Popen([sys.executable, "-c", ASLEEP], stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout.readline()
            end = time.monotonic() + 60
            while (seen := sampler.sample().blocked_workers) == 0 and time.monotonic() < end:
                time.sleep(0.01)
            assert seen == 1
        finally:
            for child in psutil.Process(process.pid).children():
                child.kill()
            process.kill()
    assert sampler.sample().blocked_workers == 0


def test_processes_that_wait_for_a_disk_are_counted_as_the_kernel_does(tmp_path):
    proc = tmp_path / "proc"
    proc.mkdir()
    sampler = SystemSampler({"cache_dir": tmp_path}, proc=proc)
    assert sampler.sample().blocked == 0
    (proc / "stat").write_text("cpu 1 2 3\nprocs_running 9\nprocs_blocked 7\nsoftirq 1\n")
    assert sampler.sample().blocked == 7


def test_io_wait_is_a_share_of_the_time_since_the_last_look(tmp_path, monkeypatch):
    times = namedtuple("times", "user system idle iowait guest")  # noqa: PYI024 - as psutil's
    looks = [times(10, 5, 80, 5, 2), times(11, 6, 81, 12, 3), times(11, 6, 81, 12, 3)]
    monkeypatch.setattr(psutil, "cpu_times", lambda: looks.pop(0))
    sampler = SystemSampler({"cache_dir": tmp_path})
    assert sampler.sample().iowait_pct == 70.0
    assert sampler.sample().iowait_pct == 0.0


def test_a_machine_without_swap_has_none_in_use(tmp_path):
    vitals = SystemSampler({"cache_dir": tmp_path}).sample()
    if psutil.swap_memory().total == 0:
        assert (vitals.swap_total_mb, vitals.swap_used_pct) == (0, 0)
    assert 0 <= vitals.swap_used_pct <= 100


def test_the_figures_of_a_log_line_say_nothing_where_nothing_is_known(tmp_path):
    figures = SystemSampler({}).sample().figures()
    assert figures["disk_free_gb"] is None
    assert figures["limit_mb"] > figures["available_mb"] > 0
