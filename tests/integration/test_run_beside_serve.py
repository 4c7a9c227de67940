"""`run` where a service runs on the same state: who does the work, and how it ends."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from contextlib import contextmanager

from tests.acquisition.redated import RedatedTree
from tests.acquisition.rehearsal import Stage
from tests.integration.service import GFS, REPOSITORY, unhurried, wait_for
from twf_async.replica.running import running

OLDER = "2026012906"


def drawn(service):
    wait_for(lambda: ("pnw", "t2m", "f006") in service.published(), "f006 of the newest run")


def test_what_the_service_does_anyway_is_shown_and_ends_as_a_run_of_its_own(start, twf, config):
    service = start()
    drawn(service)

    def run(*words, **environ):
        return twf("run", "--config", config, "--model", "gfs", *words, **environ)

    there = run("--hours", "0,6", "--products", "t2m", "--regions", "pnw", "--json")
    lacking = run("--hours", "6,9", "--products", "t2m,refc")
    newer = run("--cycle", "2026012918")
    elsewhere = run(TWF_PUBLISH_DIR=str(twf.root / "other"))

    report = json.loads(there.out)
    assert there.code == 0, there.err
    assert {key: report[key] for key in ("model", "cycle", "published", "drawn", "missing")} == {
        "model": "gfs", "cycle": GFS, "published": 2, "drawn": 0, "missing": [],
    }  # fmt: skip
    process = f"the running service (process {service.process.pid})"
    assert there.err == f"{process} is working on gfs {GFS}\n"
    assert lacking.code == 3
    field = "REFC:entire atmosphere:6 hour fcst is not in the file of hour 6"
    assert set(lacking.err.splitlines()[1:]) == {
        f"missing pnw/refc/f006: field missing ({field})",
        "missing pnw/t2m/f009: not published",
        "missing pnw/refc/f009: not published",
    }
    assert (newer.code, len(newer.err.splitlines())) == (2, 1)
    assert newer.err.startswith("gfs 2026012918 is newer than the newest run, 2026012912")
    assert (elsewhere.code, len(elsewhere.err.splitlines())) == (2, 1)
    assert elsewhere.err.startswith("a service with this state publishes to")
    assert not (twf.root / "other").exists()
    assert service.end() == 0


@contextmanager
def asking(twf, config, *words):
    """`run` of the older run while the service is paused; it says what it waits for."""
    command = ["run", "--config", config, "--model", "gfs", "--cycle", OLDER, *words]
    process = subprocess.Popen(
        [sys.executable, "-m", "twf_async", *command],
        cwd=REPOSITORY,
        env=os.environ | twf.environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        said = (line for line in process.stderr if unhurried(line))
        yield process, [next(said), next(said)]
    finally:
        process.kill()
        process.communicate()


async def test_what_a_command_hands_over_goes_on_without_it(start, twf, config, test_data):
    stage = Stage(
        {"gfs": (OLDER, GFS)},
        hours="0-6/3",
        products={"gfs": ("t2m", "precip_total")},
        speed=1.0,
        settings={"TWF_CLOCK__START": "2026-01-29T17:30:00Z", "TWF_FARM__WORKERS": "1"},
    )
    async with running(RedatedTree(test_data, stage.cycles)) as replica:
        twf.environ |= stage.environment(twf.root, replica)
        await asyncio.to_thread(begun_and_left, start, twf, config)


def begun_and_left(start, twf, config):
    service = start(**twf.environ)
    complete = f"/api/v1/runs/gfs/{GFS}"
    wait_for(lambda: service.json(complete).get("state") == "complete", "the newest run")
    part = ("--hours", "3,6", "--products", "t2m")
    twf("pause", "not", "yet", "--config", config)
    with asking(twf, config, *part) as (process, heard):
        process.send_signal(signal.SIGINT)
        _, rest = process.communicate(timeout=60)
        left, rest = process.returncode, unhurried(rest)
    working = json.loads(twf("status", "--json", "--config", config).out)["models"]["gfs"]["runs"]
    less = twf("run", "--config", config, "--model", "gfs", "--cycle", OLDER)
    twf("resume", "--config", config)
    ended = twf("run", "--config", config, "--model", "gfs", "--cycle", OLDER, *part)
    manifest = twf.manifest("gfs", OLDER)
    whole = twf("run", "--config", config, "--model", "gfs", "--cycle", OLDER, "--json")
    twf("pause", "again", "--config", config)
    with asking(twf, config, "--products", "t2m") as (process, _):
        service.end(signal.SIGKILL)
        _, told = process.communicate(timeout=60)
        killed, told = process.returncode, unhurried(told)

    assert f"works through gfs {OLDER}" in heard[0]
    assert heard[1] == "the service waits: not yet\n"
    assert left == 130
    assert rest == f"gfs {OLDER} goes on in the service; `twf-async status` shows how far it is\n"
    assert OLDER in working
    assert (less.code, less.err) == (
        2,
        f"less of gfs {OLDER} is being worked on; ask again when that is done\n",
    )
    assert ended.code == 0, ended.err
    assert f"gfs {OLDER}: 2 of 2 frames published" in ended.out
    assert {hour for hours in manifest["frames"]["west"].values() for hour in hours} == {
        "f003",
        "f006",
    }
    report = json.loads(whole.out)
    assert whole.code == 0, whole.err
    assert (report["state"], report["published"], report["drawn"]) == ("complete", 5, 3)
    assert killed == 1
    assert told.startswith(
        f"the service ended before gfs {OLDER} was done; start the command again"
    )
    assert len(told.splitlines()) == 1
