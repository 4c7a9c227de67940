"""A loop that lives beside a part that does not: systemd is told, where a start would help."""

import json
import signal
import sys
from pathlib import Path

import pytest

from tests.emergency.listener import listening
from tests.emergency.test_oom_kill import FIRST, stopped_at_work
from tests.integration.service import wait_for

STUCK_SERVICE = Path(__file__).with_name("stuck_service.py")


@pytest.fixture
def listener(tmp_path):
    with listening(tmp_path) as made:
        yield made


def fed(listener):
    return len(listener.said("WATCHDOG"))


def test_a_part_that_never_comes_back_stops_the_feeding_and_is_named(start, listener, tmp_path):
    fault = tmp_path / "fault"
    fault.touch()
    program = (sys.executable, str(STUCK_SERVICE), str(fault))
    service = start(program, TWF_WATCHDOG__STUCK_AFTER_S="2", **listener.environ)

    service.wait_event("app.part_stuck")
    status, told = service.get("/healthz")
    assert (status, json.loads(told)) == (503, {"status": "stuck", "parts": ["poller:gfs"]})
    assert list(service.json("/api/v1/status")["stuck"]) == ["poller:gfs"]
    assert "never" in "".join(line["stack"] for line in service.events("app.task_dumped"))
    before = fed(listener)
    service.process.send_signal(signal.SIGUSR1)  # the loop itself is alive
    wait_for(lambda: len(service.events("app.dumped")) > 1, "the loop answers")
    assert fed(listener) == before

    fault.unlink()
    service.wait_event("app.part_back")
    wait_for(lambda: fed(listener) > before, "it is fed again")
    assert service.get("/healthz")[0] == 200
    assert service.end() == 0


def test_a_worker_that_is_stopped_costs_its_job_a_second_attempt_and_no_start(start, listener):
    service = start(
        TWF_FARM__JOB_TIMEOUT_S="8", TWF_WATCHDOG__STUCK_AFTER_S="30", **listener.environ
    )
    service.wait_event("app.started")
    worker = stopped_at_work(service)
    before = fed(listener)

    service.wait_event("farm.job_lost")
    service.wait_published(FIRST)

    assert worker not in {slot["pid"] for slot in service.json("/api/v1/status")["farm"]}
    assert not service.events("app.part_stuck")
    wait_for(lambda: fed(listener) > before, "the watchdog is fed")
    assert service.end() == 0
