"""The old system: 99 % of the memory in use, four workers with 14.8 GB of it, kswapd at 90 %."""

import signal

from tests.integration.service import wait_for

FIRST = {("pnw", "t2m", "f000"), ("pnw", "t2m", "f006")}
LIMIT_MB = 900
QUICK = {"TWF_WATCHDOG__INTERVAL_S": "0.1", "TWF_WATCHDOG__CALM_S": "0.3"}


def test_while_another_program_exhausts_memory_nothing_new_starts_and_what_is_online_is_served(
    group, start, hog
):
    thresholds = {"TWF_WATCHDOG__PAUSE_BELOW": "0.5", "TWF_WATCHDOG__RESUME_ABOVE": "0.6"}
    eater = hog(group.join)
    eater.eat(LIMIT_MB // 2)

    service = start(group.join, **QUICK, **thresholds)
    service.wait_event("app.started")
    status = service.json("/api/v1/status")
    assert status["gate"]["held_by"] == {"watchdog": "memory low"}
    assert status["watchdog"]["vitals"]["memory_limit_mb"] == LIMIT_MB
    assert service.get("/healthz")[0] == 200
    assert not service.events("pipeline.hour_published")

    eater.eat(0)
    service.wait_published(FIRST)

    eater.eat(LIMIT_MB // 2)
    wait_for(lambda: len(service.events("watchdog.paused")) == 2, "paused again")
    assert service.get("/maps/gfs/latest/pnw/t2m/f006.png")[0] == 200
    assert len(service.events("watchdog.resumed")) == 1
    assert service.end(signal.SIGTERM) == 0
    assert group.oom_kills() == 0
