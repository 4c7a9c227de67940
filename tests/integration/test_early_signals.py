"""A stop at any moment from a command's first: nothing is left, and nothing is said that is none
of our lines.

Moments are counted from when the command listens. Before that it is Python's own start, in which
SIGTERM simply kills: nothing is there yet that could be left.
"""

import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from tests.integration.service import REPOSITORY, wait_for

INT, TERM = signal.SIGINT, signal.SIGTERM
NOISE = ("Traceback", "KeyboardInterrupt", "resource_tracker", "Exception ignored", "Warning:")
UNTIL_STOPPED = {"serve", "demo", "replica"}
REGIONS = "pnw,puget_sound,willamette_valley,west,conus"
SIZE = "4000x3200"  # of maps; smaller ones are done in less than the three seconds
COMMANDS = {  # so much to do that none is done by itself before it is stopped
    "serve": (),
    "demo": (),
    "replica": ("--demo", "--port", "0", "--cache-dir", "replica"),
    "run": ("--model", "gfs"),
    "gallery": ("--out", "out"),
    "bench": ("render",),
    "render": ("--product", "t2m,t850", "--region", REGIONS, "--size", SIZE, "--out", "out"),
}
GFS = "nomads/pub/data/nccf/com/gfs/prod/gfs.20260129/12/atmos/gfs.t12z.pgrb2.0p25.f006"


def listens(pid):
    """Whether a process has handlers of its own for both signals, or is gone."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except FileNotFoundError:
        return True
    caught = int(status.partition("SigCgt:")[2].split()[0], 16) if "SigCgt:" in status else 0
    return all(caught >> (number - 1) & 1 for number in (INT, TERM)) or "(zombie)" in status


def processes_with(directory):
    """Those that are not dead and were started with this directory for temporary files."""
    found = []
    for process in psutil.process_iter(["status"]):
        with suppress(psutil.Error):
            is_alive = process.info["status"] != psutil.STATUS_ZOMBIE
            if is_alive and process.environ().get("TMPDIR") == str(directory):
                found.append(process)
    return found


@pytest.fixture
def silent():
    """A server that takes a request and never answers: no command is done before its stop."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield "http://{}:{}".format(*server.getsockname())


@pytest.fixture
def stopped(request, state, silent, tmp_path, tmp_path_factory):
    """Start a command, send it signals at a moment; how it ended, and its lines on stderr."""
    scratch = tmp_path_factory.mktemp("s")  # short: sockets lie below it

    def _stopped(name, numbers, moment_s, *, to_all):
        files = [request.getfixturevalue("test_data") / GFS] if name == "render" else []
        process = subprocess.Popen(
            [sys.executable, "-m", "twf_async", name, *files, *COMMANDS[name]],
            cwd=tmp_path,
            env=os.environ
            | state
            | {
                "TWF_CONFIG": str(REPOSITORY / "config"),
                "TWF_UPSTREAM__NOMADS_URL": silent,
                "TWF_WEB__PORT": "0",
                "TMPDIR": str(scratch),
            },
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        wait_for(lambda: listens(process.pid), "it listens")
        time.sleep(moment_s)  # whatever it is doing then
        for number in numbers:
            with suppress(ProcessLookupError):
                (os.killpg if to_all else os.kill)(process.pid, number)
        _, told = process.communicate(timeout=60)
        wait_for(lambda: not processes_with(scratch), "all its processes have ended")
        assert list(scratch.iterdir()) == []
        return process.returncode, told.splitlines()

    return _stopped


def no_noise(name, lines):
    if name == "serve":
        assert all(json.loads(line)["event"] for line in lines)
    return not [line for line in lines if any(word in line for word in NOISE)]


@pytest.mark.parametrize(
    ("name", "number", "to_all", "moment_s"),
    [
        ("serve", INT, True, 0.0),
        ("serve", INT, True, 0.3),
        ("serve", INT, True, 0.7),
        ("serve", INT, True, 1.1),
        ("serve", INT, True, 1.6),
        ("serve", TERM, False, 0.5),
        ("serve", TERM, True, 0.9),
        ("serve", TERM, True, 1.3),
        ("demo", INT, True, 0.4),
        ("demo", INT, True, 2.5),
        ("replica", INT, True, 0.2),
        ("run", INT, True, 0.9),
        ("run", TERM, False, 1.4),
        ("gallery", INT, True, 0.8),
        ("gallery", TERM, False, 1.8),
        ("bench", INT, True, 1.3),
        ("render", INT, True, 0.3),
    ],
)
def test_a_stop_at_any_moment_ends_well_and_leaves_nothing(name, number, to_all, moment_s, stopped):
    code, lines = stopped(name, [number], moment_s, to_all=to_all)

    assert no_noise(name, lines), lines
    assert code == (0 if name in UNTIL_STOPPED else 130), lines


@pytest.mark.parametrize(
    ("name", "moment_s"),
    [("serve", 0.1), ("serve", 0.8), ("serve", 1.4), ("demo", 3.0), ("gallery", 1.2)],
)
def test_a_second_stop_at_any_moment_leaves_nothing_either(name, moment_s, stopped):
    code, lines = stopped(name, [TERM, INT], moment_s, to_all=True)

    assert no_noise(name, lines), lines
    assert code in {0, 130}  # the first may have been through


@pytest.mark.soak
@pytest.mark.parametrize("name", COMMANDS)
@pytest.mark.parametrize("numbers", [[INT], [TERM], [INT, INT]], ids=["int", "term", "twice"])
@pytest.mark.parametrize("seed", range(12))
def test_no_moment_is_a_bad_one(name, numbers, seed, stopped):
    moment_s = random.Random(f"{name}{numbers}{seed}").uniform(0.0, 3.0)
    code, lines = stopped(name, numbers, moment_s, to_all=numbers != [TERM])

    assert no_noise(name, lines), lines
    assert code in ({0, 130} if name in UNTIL_STOPPED else {130}), lines
