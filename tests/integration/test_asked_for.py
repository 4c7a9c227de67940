"""What somebody asked a service for, when that is killed, stopped or loses its ledger.

The truth is the manifest on disk, the service's log, and the files by their inodes.
"""

import json
import os
import signal
import subprocess
import sys

import pytest

from tests.integration.coarse import CYCLE, Coarse, Upstream, small_config
from tests.integration.service import REPOSITORY, unhurried, wait_for
from twf_async.app.control.client import ask as control

pytestmark = pytest.mark.timeout(300)  # real services, several of them

OLDER, OLDEST = "2026012906", "2026012900"
HOURS = "0-21/3"
PACE = "300"  # or a run would be there before anybody is killed
ALL = 8 + 8 + 7 + 6  # frames; totals begin at hours 3 and 6
GONE = {"ledger.sqlite", "ledger.sqlite-wal", "ledger.sqlite-shm"}


@pytest.fixture(scope="module")
def upstream(test_data):
    with Upstream(test_data, {"gfs": [OLDEST, OLDER, CYCLE]}) as upstream:
        yield upstream


@pytest.fixture
def config(tmp_path):
    return small_config(tmp_path / "config")


@pytest.fixture
def start(tmp_path, upstream, config, prepared):
    started = []

    def _start(**more):
        options = {"hours": HOURS, "TWF_UPSTREAM__REQUESTS_PER_MIN": PACE} | more
        started.append(Coarse(tmp_path / "s", upstream, config, prepared=prepared, **options))
        return started[-1]

    yield _start
    for service in started:
        if service.process.poll() is None:
            service.process.kill()
            service.process.wait()


class Asking:
    """The commands of an operator, over the state of a service."""

    def __init__(self, root, config, prepared):
        self._prepared = prepared
        self.environ = os.environ | {
            "TWF_STATE_DIR": str(root / "s" / "state"),
            "TWF_PUBLISH_DIR": str(root / "s" / "publish"),
            "TWF_CACHE_DIR": str(root / "s" / "cache"),
        }
        self.config = config

    def begin(self, *words):
        return subprocess.Popen(
            [sys.executable, "-m", "twf_async", *words, "--config", self.config],
            cwd=REPOSITORY,
            env=self.environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def __call__(self, *words):
        words = [*words, "--config", str(self.config)]
        done = self._prepared.run(words, cwd=REPOSITORY, env=self.environ, timeout=90)
        return done.returncode, done.stdout, unhurried(done.stderr)


@pytest.fixture
def ask(tmp_path, config, prepared):
    return Asking(tmp_path, config, prepared)


def asked(service):
    """Cycle -> what the service says is asked for; None where it says nothing."""
    return service.json("/api/v1/status").get("models", {}).get("gfs", {}).get("asked")


def on_disk(service, cycle):
    run = service.root / "publish" / "maps" / "gfs" / cycle
    try:
        return run, json.loads((run / "manifest.json").read_text())
    except FileNotFoundError:
        return run, {"state": "", "frames": {}}


def online(service, cycle):
    """(region, product, hour) -> which file it is, of what the manifest on disk says is online."""
    run, manifest = on_disk(service, cycle)
    return {
        (region, product, hour): (run / region / product / f"{hour}.png").stat().st_ino
        for region, products in manifest["frames"].items()
        for product, hours in products.items()
        for hour, record in hours.items()
        if record["state"] == "published"
    }


def state(service, cycle):
    return on_disk(service, cycle)[1]["state"]


def drawn(service, cycle):
    """Frames of a run that all services together brought online, counted as often as they did."""
    lines = service.events("pipeline.hour_published")
    return sum(line["frames"] for line in lines if line["cycle"] == cycle)


def wait_newest(service):
    wait_for(lambda: state(service, CYCLE) == "complete", "the newest run")


def wait_midway(service, cycle, count):
    """Until some of a run is there; then nothing new begins, or a test may come too late."""
    wait_for(lambda: len(online(service, cycle)) >= count, f"{count} frames of {cycle}")
    control(service.root / "state", "pause", {"reason": "in the middle"})


def test_a_backfill_outlives_kills_and_a_stop_and_nothing_of_it_is_drawn_twice(start, ask):
    service = start()
    wait_newest(service)
    code, out, err = ask("backfill", "gfs", OLDER)
    assert (code, err) == (0, "")
    assert f"gfs {OLDER} is being fetched and drawn" in out
    seen = {}
    for number in (signal.SIGKILL, signal.SIGKILL, signal.SIGTERM):
        wait_midway(service, OLDER, len(seen) + 1)
        assert OLDER in asked(service)
        service.end(number)
        before, seen = seen, online(service, OLDER)
        assert before.items() <= seen.items()
        assert len(seen) < ALL
        assert state(service, OLDER) == "running"
        service = start()
    wait_for(lambda: state(service, OLDER) == "complete", "the older run")
    wait_for(lambda: asked(service) == {}, "nothing is asked for any more")
    after = online(service, OLDER)

    assert seen.items() <= after.items()
    assert len(after) == ALL
    assert drawn(service, OLDER) <= ALL
    assert len(service.events("poller.asked_resumed")) == 3
    assert service.end() == 0


def test_a_command_that_waited_is_told_of_a_stop_and_attaches_again_after_the_next_start(
    start, ask
):
    service = start()
    wait_newest(service)
    some = ("--hours", "0-12/3", "--products", "t2m,t850")
    part = ("run", "--model", "gfs", "--cycle", OLDER, *some)
    waiting = ask.begin(*part)
    wait_midway(service, OLDER, 2)
    assert service.end(signal.SIGTERM) == 0
    _, told = waiting.communicate(timeout=90)
    without = ask("status")
    service = start()
    wait_for((service.root / "state" / "control.sock").is_socket, "the next service listens")
    code, out, err = again(ask, part)

    assert without[0] == 1
    assert f"asked for: gfs {OLDER}; the next start goes on with it" in without[1].splitlines()
    assert waiting.returncode == 1
    sentence = told.strip().splitlines()[-1]
    assert sentence.startswith(("the service is stopping;", "the service ended before"))
    assert (code, out.partition(" in ")[0].partition(" (")[0]) == (
        0,
        f"gfs {OLDER}: 10 of 10 frames published",
    ), err
    assert f"gfs {OLDER}" in err  # what the service is doing
    assert drawn(service, OLDER) == len(online(service, OLDER)) == 10
    assert service.end() == 0


def again(ask, words):
    """The command, once the service that was just started takes it."""
    outcome = []

    def taken():
        outcome[:] = ask(*words)
        return outcome[0] != 1 or "just starting" not in outcome[2]

    wait_for(taken, "the service takes it")
    return outcome


def test_without_its_ledger_it_goes_on_by_the_manifest_and_closes_what_nobody_asked_for(
    start, ask, tmp_path
):
    service = start()
    wait_newest(service)
    ask("backfill", "gfs", OLDER)
    wait_midway(service, OLDER, 3)
    service.end(signal.SIGKILL)
    seen = online(service, OLDER)
    assert state(service, OLDER) == "running"
    for name in GONE:
        (service.root / "state" / name).unlink(missing_ok=True)
    service = start()
    wait_for(lambda: state(service, OLDER) == "complete", "the older run")
    after = online(service, OLDER)
    wait_for(lambda: asked(service) == {}, "nothing is asked for any more")
    service.end(signal.SIGKILL)
    # Now somebody deletes a picture of it: nobody has asked for that, and the ledger is there.
    (service.root / "publish" / "maps" / "gfs" / OLDER / "west" / "t2m" / "f003.png").unlink()
    service = start()
    wait_for(lambda: service.events("pipeline.run_closed"), "it is closed")
    left = on_disk(service, OLDER)[1]

    assert seen.items() <= after.items()
    assert len(after) == ALL
    assert drawn(service, OLDER) <= ALL
    assert left["state"] == "partial"
    record = left["frames"]["west"]["t2m"]["f003"]
    assert (record["state"], record["reason"]) == ("failed", "unfinished")
    assert ask("backfill", "gfs", OLDER)[0] == 0
    wait_for(lambda: state(service, OLDER) == "complete", "what was deleted is back")
    assert service.end() == 0


def test_what_was_asked_for_is_kept_whatever_its_age_until_it_is_there(start, ask):
    kept = {"TWF_PUBLISH__KEEP_RUNS": "1", "hours": "0-9/3"}
    service = start(**kept)
    wait_newest(service)
    ask("backfill", "gfs", OLDEST)
    wait_midway(service, OLDEST, 3)
    impatient = ask("run", "--model", "gfs", "--cycle", OLDEST, "--patience", "1")
    service.end(signal.SIGKILL)
    seen = online(service, OLDEST)
    ask.environ |= {"TWF_PUBLISH__KEEP_RUNS": "1"}
    code, _, err = ask("clean")
    assert code == 0, err
    service = start(**kept)
    wait_for(lambda: state(service, OLDEST) == "complete", "the oldest run")
    after = online(service, OLDEST)

    assert len(seen) >= 3
    assert seen.items() <= after.items()
    assert service.events("retention.run_deleted") == []
    assert impatient[:2] == (3, "")
    assert f"nothing of gfs {OLDEST} has come for 1 s" in impatient[2]
    assert "Traceback" not in impatient[2]

    again = ("run", "--model", "gfs", "--cycle", OLDEST, "--hours", "0-9/3")
    beside = ask(*again)
    assert service.end() == 0
    alone = ask(*again)
    for code, out, err in (beside, alone):
        assert (code, out.count("frames published")) == (0, 1), err
        assert f"gfs {OLDEST} is older than the runs that are kept" in err
        assert f"to keep it: twf-async pin gfs {OLDEST} REASON" in err
