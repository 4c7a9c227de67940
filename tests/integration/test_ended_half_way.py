"""Commands that are ended half way leave nothing behind: no temporary file, no process."""

import os
import signal
import subprocess
import sys

import psutil
import pytest

from tests.integration.conftest import REPOSITORY
from tests.integration.service import wait_for


def family(session):
    """Processes of a session that are not dead yet."""
    found = []
    for process in psutil.process_iter(["status"]):
        try:
            same = os.getsid(process.pid) == session
        except ProcessLookupError:
            continue
        if same and process.info["status"] != psutil.STATUS_ZOMBIE:
            found.append(process)
    return found


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize(
    "command", [("gallery", "--out", "out"), ("bench", "render")], ids=" ".join
)
def test_nothing_is_left_of_a_command_that_is_ended(
    command, number, state, tmp_path, tmp_path_factory
):
    scratch = tmp_path_factory.mktemp("s")  # short: sockets lie below it
    process = subprocess.Popen(
        [sys.executable, "-m", "twf_async", *command, "--config", REPOSITORY / "config"],
        cwd=tmp_path,
        env=os.environ | state | {"TMPDIR": str(scratch)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    wait_for(lambda: list(scratch.glob("twf-*")), "the command is at work")

    process.send_signal(number)
    try:
        _, told = process.communicate(timeout=60)
    finally:
        process.kill()

    assert process.returncode == 130, told
    assert "KeyboardInterrupt" not in told  # the forkserver may tell of a worker it was making
    wait_for(lambda: not family(process.pid), "all its processes have ended")
    assert list(scratch.iterdir()) == []
