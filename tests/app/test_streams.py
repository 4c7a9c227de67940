"""A process that was started with its standard streams closed."""

import os
import subprocess
import sys

import pytest

SCRIPT = """
import os, sys
from twf_async import stops
stops.listen()
opened = os.open(sys.argv[1], os.O_CREAT | os.O_WRONLY)
for number in (1, 2):
    os.write(number, b"a line of the log")
print("and what is printed", flush=True)
print("there too", file=sys.stderr, flush=True)
os._exit(opened if sys.stdin.read() == "" else 0)
"""


@pytest.mark.parametrize("closed", ["2>&-", "1>&-", "0<&- 1>&- 2>&-"])
def test_what_is_logged_never_goes_into_a_file_that_was_opened_later(tmp_path, closed):
    """It would: the next file that is opened gets the lowest number that is free."""
    ledger = tmp_path / "ledger"
    command = ["sh", "-c", f'exec "$@" {closed}', "sh", sys.executable, "-c", SCRIPT, str(ledger)]

    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True)

    assert done.returncode > 2  # its number
    assert ledger.read_bytes() == b""


def test_streams_that_are_there_stay(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(tmp_path / "ledger")],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )

    assert done.stdout == b"a line of the logand what is printed\n"
    assert done.stderr == b"a line of the logthere too\n"
