"""A running `twf-async serve`, and waiting for what it does."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
GFS = "2026012912"
DEADLINE_S = 120


def wait_for(condition, what, *, within_s=DEADLINE_S, every_s=0.05):
    """Poll until *condition* gives something true; the test fails after *within_s*."""
    end = time.monotonic() + within_s
    while time.monotonic() < end:
        found = condition()
        if found:
            return found
        time.sleep(every_s)
    pytest.fail(f"not within {within_s} s: {what}")


def whole_lines(log: bytes) -> list[str]:
    """The JSON lines of a log that is being written: the last may not be whole yet."""
    whole, _, _ = log.rpartition(b"\n")
    return [line for line in whole.decode().splitlines() if line[:1] == "{"]


def unhurried(stderr: str) -> str:
    """What a command said, but for asyncio's debug mode: what a loaded machine held up."""
    lines = stderr.splitlines(keepends=True)
    return "".join(line for line in lines if not line.startswith("Executing <"))


class Service:
    """A running daemon and what it says; *prefix*: what it is started by.

    *prepared*: what it is forked from; None: it starts from nothing.
    """

    def __init__(self, environ, log: Path, config: Path, prefix=(), prepared=None):
        self.log_path, self.config = log, config
        self._log_start = log.stat().st_size if log.exists() else 0  # behind whoever ran before
        self._url = ""
        words = ("serve", "--config", config)
        given = {"cwd": REPOSITORY, "env": os.environ | environ | {"TWF_WEB__PORT": "0"}}
        with log.open("ab") as stderr:
            if prefix or prepared is None:
                words = (*prefix, sys.executable, "-m", "twf_async", *words)
                self.process = subprocess.Popen(words, **given, stderr=stderr)
            else:
                self.process = prepared.start(words, **given, stdout=1, stderr=stderr.fileno())

    @property
    def url(self):
        """Where it listens; "" until it says so. A port chosen before may be another's by then."""
        if not self._url:
            with self.log_path.open("rb") as log:
                log.seek(self._log_start)
                lines = whole_lines(log.read())
            started = (json.loads(line) for line in lines if '"web.started"' in line)
            self._url = next((line["url"] for line in started), "")
        return self._url

    @property
    def port(self):
        return urlsplit(self.url).port

    def get(self, path):
        if not self.url:
            return 0, b""
        try:
            with urllib.request.urlopen(self.url + path[1:], timeout=DEADLINE_S) as answer:
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
        return whole_lines(self.log_path.read_bytes())

    def wait_for(self, condition, what, **bound):
        """As `wait_for`; the test fails at once, and says why, when the service has ended."""

        def gone_or_met():
            gone = self.process.poll() is not None  # asked before: its last line may be the one
            return condition() or (gone and "gone")

        found = wait_for(gone_or_met, what, **bound)
        if found == "gone":
            last = "".join(self.log_path.read_text().splitlines(keepends=True)[-5:])
            pytest.fail(f"the service ended with {self.process.returncode} before {what}:\n{last}")
        return found

    def wait_event(self, name, count=1):
        self.wait_for(lambda: len(self.events(name)) >= count, name)

    def wait_published(self, frames, model="gfs", cycle=GFS):
        told = f"{frames} of {model} published"
        self.wait_for(lambda: frames <= self.published(model, cycle), told)

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
        return self.process.wait(DEADLINE_S)
