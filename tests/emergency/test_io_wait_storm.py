"""The old system: 63 % I/O wait, and every worker in uninterruptible sleep (state D)."""

import signal
from pathlib import Path

import psutil
import pytest

from tests.emergency.machine import covering, frozen, has_ended
from tests.emergency.test_oom_kill import FIRST, stopped_at_work
from tests.integration.service import wait_for
from twf_async.upkeep.cgroup import own_group

QUICK = {"TWF_WATCHDOG__INTERVAL_S": "0.1", "TWF_WATCHDOG__CALM_S": "0.3"}


@pytest.fixture
def storm(tmp_path):
    """A file that says how long disks are waited for, and what makes a program believe it."""
    fake = tmp_path / "io.pressure"

    def blow(percent):
        line = f"avg10={percent:.2f} avg60=0.00 avg300=0.00 total=1\n"
        fake.write_text(f"some {line}full {line}")

    blow(0)
    group = own_group()
    places = [group / "io.pressure"] if group else []
    real = next((p for p in [*places, Path("/proc/pressure/io")] if p.exists()), None)
    if real is None:
        pytest.skip("this kernel tells nothing of stalls (PSI)")
    return blow, covering(fake, real)


def test_in_a_storm_of_io_wait_nothing_new_starts_until_it_is_over(start, storm):
    blow, prefix = storm
    blow(85)
    service = start(prefix, **QUICK)
    service.wait_event("app.started")

    status = service.json("/api/v1/status")
    assert status["gate"]["held_by"] == {"watchdog": "disk stalls"}
    assert status["watchdog"]["vitals"]["io_stall_pct"] == 85.0
    assert not service.events("pipeline.hour_published")

    blow(2)
    service.wait_published(FIRST)
    (paused,) = service.events("watchdog.paused")
    assert paused["io_stall_pct"] == 85.0
    assert service.end(signal.SIGTERM) == 0


def test_a_worker_in_state_d_costs_its_slot_the_time_limit_and_never_the_end(start):
    service = start(TWF_FARM__JOB_TIMEOUT_S="10", **QUICK)
    service.wait_event("app.started")
    stuck = stopped_at_work(service)
    worker = psutil.Process(stuck)

    with frozen(stuck):
        wait_for(lambda: worker.status() == psutil.STATUS_DISK_SLEEP, "it is in state D")
        wait_for(
            lambda: service.json("/api/v1/status")["watchdog"]["vitals"]["blocked_workers"],
            "the watchdog sees it",
        )
        service.wait_published(FIRST)
        assert worker.status() == psutil.STATUS_DISK_SLEEP  # SIGKILL waits, too
        (lost,) = service.events("farm.job_lost")
        assert "took longer than 10 s" in lost["reason"]
        assert service.end(signal.SIGTERM) == 0
        (left,) = service.events("app.workers_left")
        assert left["pids"] == [stuck]
    assert has_ended(worker)
