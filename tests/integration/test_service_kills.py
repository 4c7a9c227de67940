"""kill -9 of the service at any moment of a run: nothing online is lost, changed or drawn again."""

import json
import os
import random
import signal
import statistics
import subprocess
import sys
import time
import uuid
from datetime import datetime
from pathlib import Path

import pytest

from tests.integration.coarse import CYCLE, Coarse, Upstream, small_config
from tests.integration.service import REPOSITORY, wait_for

MARKER = "SERVICE_KILLS_MARKER"  # in the environment of the whole family
AT_WORK = {"fetch.finished", "pipeline.hour_published"}
ALL = 11 + 11 + 10 + 9  # frames from 0 to 30 by 3; totals begin at hours 3 and 6


@pytest.fixture(scope="module")
def upstream(test_data):
    with Upstream(test_data, {"gfs": [CYCLE]}) as upstream:
        yield upstream


def alive(marker):
    """Processes whose environment has the marker; those of a family that share nothing else."""
    found = []
    for place in Path("/proc").glob("[0-9]*/environ"):
        try:
            environ = place.read_bytes()
        except OSError:  # it has ended, or is somebody else's
            continue
        if f"{MARKER}={marker}".encode() in environ.split(b"\0"):
            found.append(int(place.parent.name))
    return found


def online(root):
    """What the manifest on disk says is published, and the files: which they are, not how alike."""
    run = root / "publish" / "maps" / "gfs" / CYCLE
    try:
        manifest = json.loads((run / "manifest.json").read_text())
    except FileNotFoundError:
        return {}
    found = {}
    for region, products in manifest["frames"].items():
        for product, hours in products.items():
            for hour, record in hours.items():
                if record["state"] == "published":
                    picture = (run / region / product / f"{hour}.png").stat()
                    values = (run / region / product / f"{hour}.vgrid").stat()
                    assert (picture.st_size, values.st_size) == (
                        record["bytes"],
                        record["values"]["bytes"],
                    )
                    found[region, product, hour] = (
                        record["hash"],
                        record["values"]["hash"],
                        (picture.st_ino, picture.st_mtime_ns),
                        (values.st_ino, values.st_mtime_ns),
                    )
    return found


class Killed:
    """One state that outlives many services."""

    def __init__(self, root, upstream, **options):
        self._options = options | {MARKER: (marker := uuid.uuid4().hex)}
        self._upstream, self.root, self.marker = upstream, root, marker
        self._config = small_config(root / "config")
        self.seen, self.resumed_s = {}, []
        self.service = None
        self.start()

    def start(self):
        self._began = time.time()
        self._lines_before = 0 if self.service is None else len(self.service.lines())
        self.service = Coarse(self.root / "service", self._upstream, self._config, **self._options)

    def kill(self):
        """End it in whatever it is doing, and look at what is left."""
        self.service.end(signal.SIGKILL)
        wait_for(lambda: not alive(self.marker), "no process of it is left")
        self._note_resumption()
        self.look()

    def look(self):
        """Everything that was ever online is, as it was."""
        now = online(self.service.root)
        assert {name: now.get(name) for name in self.seen} == self.seen
        self.seen = now

    def finish(self):
        """Let the run end; what was drawn by all services together."""
        self.service.wait_ended(within_s=240)
        assert self.service.files_are_as_said()
        assert self.service.end() == 0
        wait_for(lambda: not alive(self.marker), "no process of it is left")
        self.look()
        return sum(line["frames"] for line in self.service.events("pipeline.hour_published"))

    def _note_resumption(self):
        for line in map(json.loads, self.service.lines()[self._lines_before :]):
            if line["event"] in AT_WORK:
                at = datetime.fromisoformat(line["ts"]).timestamp()
                self.resumed_s.append(at - self._began)
                return


def test_killed_at_any_moment_it_goes_on_and_draws_nothing_twice(tmp_path, upstream):
    chance = random.Random(20260129)
    killed = Killed(tmp_path, upstream, hours="0-30/3")
    time.sleep(chance.uniform(0.2, 1.0))  # in the middle of a start
    for _ in range(3):
        killed.kill()
        killed.start()
        more = min(len(killed.seen) + chance.randrange(1, 8), ALL)
        wait_for(lambda more=more: len(online(killed.service.root)) >= more, f"{more} frames")
        time.sleep(chance.uniform(0.0, 0.2))
    killed.kill()
    killed.start()

    drawn = killed.finish()

    assert len(killed.seen) == ALL
    assert drawn <= len(killed.seen)


ASKS_ONCE = """
import time
from functools import partial
from twf_async.farm.boot import ask_once, boot
context = boot()
print("asking", flush=True)
ask_once(context, partial(time.sleep, 600))
"""


def test_a_worker_that_is_asked_but_once_dies_with_whoever_asks():
    """The first worker of a start is such a one: a kill during the start must not leave it."""
    marker = uuid.uuid4().hex
    asking = subprocess.Popen(
        [sys.executable, "-c", ASKS_ONCE],
        cwd=REPOSITORY,
        env=os.environ | {MARKER: marker},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert asking.stdout.readline() == "asking\n"
    family = {"asking", "resource tracker", "forkserver", "worker"}
    wait_for(lambda: len(alive(marker)) == len(family), "the worker is there")

    asking.kill()
    asking.communicate()

    wait_for(lambda: not alive(marker), "no process of it is left")


@pytest.mark.soak
@pytest.mark.timeout(1800)
def test_fifty_kills_at_random_moments_of_a_run_of_85_hours(tmp_path, upstream, capsys):
    chance = random.Random(int(os.environ.get("SOAK_SEED", "1")))
    pace = {"TWF_UPSTREAM__REQUESTS_PER_MIN": "300"}  # or it would end before it is killed so often
    killed = Killed(tmp_path, upstream, hours="0-252/3", **pace)
    moments = []
    for _ in range(50):
        time.sleep(chance.uniform(0.3, 6.0))
        killed.kill()
        moments.append(len(killed.seen))
        killed.start()

    drawn = killed.finish()

    total, resumed = len(killed.seen), sorted(killed.resumed_s)
    with capsys.disabled():
        sys.stdout.write(
            f"\n50 kills, {sum(count < total for count in moments)} of them before the run's end,"
            f" {total} frames, {drawn} drawn; from the start of the process to its first file or"
            f" frame: median {statistics.median(resumed):.2f} s, longest {resumed[-1]:.2f} s"
            f" ({len(resumed)} starts that lived so long)\n"
        )
    assert total == 85 + 85 + 84 + 83
    assert drawn <= total
