"""Disk, old runs and cleaning, as an operator meets them at a running service."""

import itertools
import json
import os
import re
import signal
import subprocess
import sys
import time

from tests.integration.service import GFS, REPOSITORY, wait_for
from tests.publish.conftest import staged as staged  # noqa: PLC0414 - a fixture of that room
from tests.publish.test_keeping_and_evicting import publish
from twf_async.publish.tree import PublishedTree

FIRST = ("pnw", "t2m", "f000")
OLD = ("2026012800", "2026012806", "2026012812")


async def older_runs(directory, staged):
    """Three runs of days before, of which the oldest is pinned."""
    tree = PublishedTree(directory)
    await tree.start()
    for cycle in OLD:
        await publish(tree, staged, cycle)
        await tree.finish_run("gfs", cycle, tree.manifest("gfs", cycle).state.COMPLETE)
    await tree.pin("gfs", OLD[0], "the storm")
    await tree.stop()


async def test_a_full_disk_old_runs_and_cleaning_at_a_running_service(
    start, config, twf, tmp_path, staged
):
    await older_runs(tmp_path / "publish", staged)
    toml = config / "service.toml"
    normal = toml.read_text()
    toml.write_text(normal.replace("[watchdog]\n", "[watchdog]\ndisk_floor_gb = 1000000\n"))
    service = start(TWF_PUBLISH__KEEP_RUNS="2")
    service.wait_event("app.started")

    downloads_are_held(service)
    toml.write_text(normal)
    service.process.send_signal(signal.SIGHUP)
    service.wait_published({FIRST})
    downloads_come_again(service)
    old_runs_went(service)
    cleaning_is_done_by_the_service(service, twf)

    assert service.end() == 0


def test_a_run_by_hand_holds_its_downloads_too_when_the_disk_is_full(rehearsal):
    with subprocess.Popen(
        [sys.executable, "-m", "twf_async", "run", "--model", "gfs", "--cycle", GFS],
        cwd=REPOSITORY,
        env=os.environ | rehearsal.environ | {"TWF_WATCHDOG__DISK_FLOOR_GB": "1000000"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        lines = (json.loads(line)["event"] for line in process.stderr if line.startswith("{"))
        seen = [*itertools.takewhile(lambda event: event != "pipeline.run_started", lines)]
        process.send_signal(signal.SIGTERM)
        rest = [*lines]

    assert process.returncode == 130
    assert "watchdog.fetch_held" in seen
    assert not [event for event in rest if event.startswith(("fetch.finished", "pipeline.hour"))]
    assert rehearsal.manifest("gfs", GFS)["held"] == "disk nearly full"
    assert not list((rehearsal.root / "cache").rglob("*.grib2"))


def test_a_start_keeps_the_downloads_of_the_run_that_it_goes_on_with(start, twf):
    service = start()
    service.wait_published({FIRST})
    service.end(signal.SIGKILL)
    kept = {*(twf.root / "cache" / "grib" / "gfs" / GFS).glob("*.grib2")}
    assert kept

    again = start(TWF_CACHE__MAX_GB="0.000001")
    again.wait_event("app.started", 2)

    assert again.events("cache.cleaned") == []
    assert [line["max_gb"] for line in again.events("cache.overfull")] == [0.000001]
    assert all(path.exists() for path in kept)
    assert again.end() == 0


def downloads_are_held(service):
    status = service.json("/api/v1/status")
    assert status["watchdog"]["fetch_held"] == "disk nearly full"
    assert status["gate"]["fetch_held_by"] == {"disk": "disk nearly full"}
    code, body = service.get("/readyz")
    assert (code, b"nothing new is fetched: disk nearly full" in body) == (503, True)
    assert metric(service, "twf_watchdog_fetch_held") == 1.0
    (held,) = service.events("watchdog.fetch_held")
    assert held["level"] == "error"
    assert held["disk_free_gb"] > 0
    assert not service.events("pipeline.run_started")


def downloads_come_again(service):
    status = service.json("/api/v1/status")["watchdog"]
    assert (status["fetch_held"], status["slots"], status["slots_configured"]) == ("", 1, 1)
    assert status["changes"][0]["event"] == "watchdog.fetch_released"
    wait_for(lambda: metric(service, "twf_watchdog_fetch_held") == 0.0, "the metric")
    assert metric(service, "twf_memory_available_bytes") > 1e6
    assert metric(service, 'twf_watchdog_changes_total{event="watchdog.fetch_held"}') == 1.0


def old_runs_went(service):
    """By their number, but not the pinned one; and their maps are told to be gone."""
    gone, body = service.get(f"/maps/gfs/{OLD[1]}/pnw/t2m/f006.png")
    kept, _ = service.get(f"/maps/gfs/{OLD[0]}/pnw/t2m/f006.png")
    unknown, _ = service.get("/maps/gfs/2026012818/pnw/t2m/f006.png")
    runs = service.json("/api/v1/runs?model=gfs")["runs"]
    assert (gone, body[:4], kept, unknown) == (410, b"\x89PNG", 200, 404)
    assert [(run["cycle"], run["pinned"]) for run in runs] == [
        (GFS, None),
        (OLD[2], None),
        (OLD[0], "the storm"),
    ]
    assert [line["cycle"] for line in service.events("retention.run_deleted")] == [OLD[1]]


def cleaning_is_done_by_the_service(service, twf):
    stale = twf.root / "cache" / "grib" / "gfs" / OLD[1] / "f006.aa.grib2"
    stale.parent.mkdir(parents=True)
    stale.write_bytes(b"GRIB" * 1000)
    os.utime(stale, (time.time() - 9 * 3600,) * 2)
    nobody = twf.root / "nobody"
    dry = twf("clean", "--dry-run", "--state", twf.root / "state", TWF_STATE_DIR=str(nobody))
    assert dry.out == "    4.0 kB  1 old download\n    4.0 kB  would be freed\n"
    assert stale.exists()
    alone = twf("clean", "--state", nobody)
    assert (alone.code, stale.exists()) == (1, True)
    assert "no service runs here" in alone.err
    wet = twf("clean", "--json")
    assert (dry.code, wet.code, json.loads(wet.out)["bytes"]) == (0, 0, 4000)
    assert not stale.exists()
    assert service.events("sweeper.swept")


def metric(service, name):
    text = service.get("/metrics")[1].decode()
    found = re.search(rf"^{re.escape(name)} (\S+)$", text, re.MULTILINE)
    return None if found is None else float(found[1])
