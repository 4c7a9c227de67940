"""A running service with few file descriptors, and strangers who take as many as they can get."""

import shutil
import socket

import pytest

from tests.emergency import conftest as small
from tests.integration import conftest as commands
from tests.integration.service import wait_for

FILES = 260
FIRST = ("pnw", "t2m", "f000")

config = commands.config
replica = commands.replica
start = commands.start_from_nothing
state = small.state


def test_strangers_who_hold_every_connection_stop_no_map_from_coming_online(start):
    if shutil.which("prlimit") is None:
        pytest.skip("no limit of open files can be set here")
    service = start(prefix=("prlimit", f"--nofile={FILES}:{FILES}", "--"))
    service.wait_event("web.started")
    port = int(service.events("web.started")[0]["url"].rstrip("/").rpartition(":")[2])
    crowd = []
    try:
        place = ("127.0.0.1", port)
        crowd.extend(socket.create_connection(place, timeout=60) for _ in range(2 * FILES))
        service.wait_event("web.crowded")
        wait_for(
            lambda: any(e["hour"] == 0 for e in service.events("pipeline.hour_published")),
            "an hour is online",
        )
        assert not [e for e in service.events("library.logged") if "accept" in e["text"]]
        assert service.events("web.crowded")[0]["connections"] == FILES // 2
    finally:
        for each in crowd:
            each.close()
    assert FIRST in wait_for(service.published, "readers are let in again")
    assert len(service.events("web.crowded")) == 1
    assert service.end() == 0
