"""A running `twf-async serve`, and waiting for what it does."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import psutil
import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
GFS = "2026012912"
DEADLINE_S = 60


def wait_for(condition, what, *, within_s=DEADLINE_S):
    """Poll until *condition* gives something true; the test fails after *within_s*."""
    end = time.monotonic() + within_s
    while time.monotonic() < end:
        found = condition()
        if found:
            return found
        time.sleep(0.05)
    pytest.fail(f"not within {within_s} s: {what}")


class Service:
    """A running daemon and what it says; *prefix*: what it is started by."""

    def __init__(self, environ, log: Path, config: Path, prefix=()):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.log_path = log
        with log.open("ab") as stderr:
            self.process = subprocess.Popen(
                [*prefix, sys.executable, "-m", "twf_async", "serve", "--config", config],
                cwd=REPOSITORY,
                env=os.environ | environ | {"TWF_WEB__PORT": str(self.port)},
                stderr=stderr,
            )

    def get(self, path):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}") as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.read()
        except OSError:
            return 0, b""

    def json(self, path):
        status, body = self.get(path)
        return json.loads(body) if status in {200, 503} else {}

    def events(self, name):
        return [line for line in map(json.loads, self.lines()) if line["event"] == name]

    def lines(self):
        """The service's own lines; Python's resource tracker speaks up after a kill -9."""
        return [line for line in self.log_path.read_text().splitlines() if line[:1] == "{"]

    def wait_event(self, name, count=1):
        wait_for(lambda: len(self.events(name)) >= count, name)

    def wait_published(self, frames):
        wait_for(lambda: frames <= self.published(), f"{frames} published")

    def published(self, model="gfs", cycle=GFS):
        manifest = self.json(f"/api/v1/runs/{model}/{cycle}")
        return {
            (region, product, hour)
            for region, products in manifest.get("frames", {}).items()
            for product, hours in products.items()
            for hour, record in hours.items()
            if record["state"] == "published"
        }

    def family(self):
        return [self.process, *psutil.Process(self.process.pid).children(recursive=True)]

    def end(self, number=signal.SIGTERM):
        self.process.send_signal(number)
        return self.process.wait(15)
