"""The old system: one worker killed for want of memory broke the pool, and the run with it."""

import itertools
import os
import signal

import pytest

from tests.integration.service import wait_for

FIRST = {("pnw", "t2m", "f000"), ("pnw", "t2m", "f006")}
LIMIT_MB = 900
# Memory is to run out before the watchdog holds work: it must not be what saves the worker.
BLIND = {
    "TWF_WATCHDOG__INTERVAL_S": "0.2",
    "TWF_WATCHDOG__CRITICAL_BELOW": "0.0001",
    "TWF_WATCHDOG__PAUSE_BELOW": "0.0002",
    "TWF_WATCHDOG__RESUME_ABOVE": "0.0003",
    "TWF_WATCHDOG__MEMORY_STALL_PCT": "100",
}


def stopped_at_work(service):
    """The worker, held in the middle of a job; the first of the two takes it half a second."""

    def at_work():
        slots = service.json("/api/v1/status").get("farm", [])
        return [(slot["pid"], slot["job"]) for slot in slots if slot["job"] and slot["pid"]]

    def held():
        for pid, job in at_work():
            os.kill(pid, signal.SIGSTOP)
            # Its last word may have been on its way; three answers later it has been heard.
            if all(at_work() == [(pid, job)] for _ in range(3)):
                return pid
            os.kill(pid, signal.SIGCONT)
        return None

    return wait_for(held, "a worker is held in a job", every_s=0.005)


def test_a_worker_that_the_kernel_kills_for_memory_costs_neither_a_map_nor_the_service(
    group, start, hog
):
    service = start(group.join, **BLIND)
    service.wait_event("app.started")
    eaters = [hog(group.join) for _ in range(3)]  # none as large as to be taken instead
    victim = stopped_at_work(service)

    # Held too, or the next worker begins, and is taken as well, before memory is given back.
    service.process.send_signal(signal.SIGSTOP)
    for eater in itertools.cycle(eaters):
        eater.eat(4)
        if group.oom_kills():
            break
    for eater in eaters:
        eater.eat(0)
    service.process.send_signal(signal.SIGCONT)

    service.wait_published(FIRST)
    (lost,) = service.events("farm.job_lost")
    assert lost["reason"].endswith("(signal 9, SIGKILL): the kernel was out of memory")
    assert (lost["strike"], group.oom_kills()) == (False, 1)  # it was not tried alone before
    assert not service.events("farm.job_quarantined")
    assert victim not in {slot["pid"] for slot in service.json("/api/v1/status")["farm"]}
    assert service.end(signal.SIGTERM) == 0


@pytest.mark.soak
def test_a_worker_that_is_killed_from_outside_costs_nothing_either(start):
    service = start()
    service.wait_event("app.started")

    os.kill(stopped_at_work(service), signal.SIGKILL)

    service.wait_published(FIRST)
    (lost,) = service.events("farm.job_lost")
    assert not lost["strike"]
    assert service.end(signal.SIGTERM) == 0
