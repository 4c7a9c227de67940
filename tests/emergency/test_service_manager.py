"""The service as systemd sees it: what it is told, in which order, and what every end costs."""

import os
import signal
from contextlib import suppress

import psutil
import pytest

from tests.emergency.listener import listening
from tests.emergency.test_oom_kill import FIRST, stopped_at_work
from tests.integration.coarse import CYCLE, Coarse, Upstream, small_config
from tests.integration.service import wait_for


@pytest.fixture
def start(start_from_nothing):
    return start_from_nothing


@pytest.fixture
def listener(tmp_path):
    with listening(tmp_path) as made:
        yield made


def nothing_left(family):
    _, alive = psutil.wait_procs(family, timeout=60)
    return not alive


def test_ready_reload_and_end_are_told_in_order_and_a_refused_reload_ends_ready_too(
    start, config, listener
):
    # Fed every half second: what is told beside it finds the queue not full of that.
    service = start(**listener.environ | {"WATCHDOG_USEC": "1500000"})
    wait_for(lambda: listener.states() == ["READY"], "it is ready")
    assert service.get("/healthz")[0] == 200
    service.process.send_signal(signal.SIGHUP)
    reloaded = ["READY", "RELOADING", "READY"]
    wait_for(lambda: listener.states() == reloaded, "it has reloaded")
    (config / "service.toml").write_text("[web]\nprot = 1\n")
    service.process.send_signal(signal.SIGHUP)
    wait_for(lambda: listener.states() == [*reloaded, *reloaded[1:]], "it has refused")
    wait_for(lambda: len(listener.said("WATCHDOG")) > 1, "the watchdog is fed")

    assert service.end() == 0
    assert listener.states() == [*reloaded, *reloaded[1:], "STOPPING"]
    assert len(listener.said("MONOTONIC_USEC")) == 2
    assert "refused" in listener.said("STATUS")[-1]


@pytest.mark.soak
def test_a_manager_that_reads_nothing_holds_up_neither_maps_nor_the_end(start, listener):
    service = start(**listener.environ | {"WATCHDOG_USEC": "30000"})  # fed every 10 ms
    service.wait_published(FIRST)

    assert service.end() == 0
    assert len(listener.states()) <= 11


def test_a_stop_lets_the_job_in_work_end_and_publishes_it(start):
    service = start(TWF_FARM__DRAIN_S="60")
    service.wait_event("app.started")
    worker = stopped_at_work(service)
    family = service.family()[1:]

    service.process.send_signal(signal.SIGTERM)
    service.wait_event("app.stopping")
    os.kill(worker, signal.SIGCONT)

    assert service.process.wait(60) == 0
    assert nothing_left(family)
    assert service.events("pipeline.hour_published")
    assert not service.events("farm.job_lost")


@pytest.mark.soak
def test_a_job_that_outlasts_the_drain_is_given_up_and_drawn_after_the_next_start(start):
    service = start(TWF_FARM__DRAIN_S="0.5")
    service.wait_event("app.started")
    stopped_at_work(service)
    family = service.family()[1:]

    assert service.end() == 0
    assert nothing_left(family)
    start().wait_published(FIRST)


@pytest.mark.soak
def test_a_second_signal_ends_a_drain_at_once_and_leaves_nobody(start):
    service = start(TWF_FARM__DRAIN_S="600")
    service.wait_event("app.started")
    stopped_at_work(service)
    family = service.family()[1:]
    service.process.send_signal(signal.SIGTERM)
    service.wait_event("app.stopping")

    assert service.end() == 130
    assert nothing_left(family)


@pytest.mark.soak
def test_killed_with_a_worker_that_is_stopped_it_leaves_none_once_that_may_run(start):
    service = start()
    service.wait_event("app.started")
    worker = stopped_at_work(service)
    family = service.family()[1:]

    service.end(signal.SIGKILL)
    os.kill(worker, signal.SIGCONT)

    assert nothing_left(family)


@pytest.mark.soak
def test_a_farm_whose_workers_all_crash_ends_the_service_with_1_and_leaves_nobody(
    test_data, tmp_path
):
    with Upstream(test_data, {"gfs": [CYCLE]}) as upstream:
        service = Coarse(tmp_path / "root", upstream, small_config(tmp_path / "config"))
        service.wait_event("app.started")
        family = service.family()[1:]
        crashed = set()
        while service.process.poll() is None:
            for slot in service.json("/api/v1/status").get("farm", []):
                if slot["job"] and slot["pid"] and slot["pid"] not in crashed:
                    crashed.add(slot["pid"])
                    with suppress(ProcessLookupError):
                        os.kill(slot["pid"], signal.SIGSEGV)

    assert service.process.returncode == 1
    assert nothing_left(family)
    assert "jobs in a row" in service.log_path.read_text().splitlines()[-1]
