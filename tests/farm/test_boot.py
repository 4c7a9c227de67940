"""Where no worker can be had at all, a start ends with a sentence that says what to look at."""

import subprocess
import sys

import pytest

SCRIPT = """
import resource, signal, sys
from multiprocessing import set_executable
from twf_async.farm.boot import NoWorkers, boot
{hindrance}
try:
    boot()
except NoWorkers as error:
    print(error)
"""


@pytest.mark.parametrize(
    ("hindrance", "why"),
    [
        ("set_executable('/bin/false')", "the first was ended at its start"),
        ("resource.setrlimit(resource.RLIMIT_NOFILE, (12, 12))", "Too many open files"),
    ],
    ids=["the forkserver ends at once", "no descriptors"],
)
def test_that_no_worker_can_be_started_is_said_with_what_to_look_at(hindrance, why):
    script = SCRIPT.format(hindrance=hindrance)

    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)

    assert done.stdout.startswith("no worker can be started ("), done.stderr
    assert why in done.stdout
    assert "memory" in done.stdout
