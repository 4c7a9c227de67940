"""The loopback NOMADS as a child process, for whoever shows or measures with synthetic weather."""

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from twf_async.errors import TwfError

PR_SET_PDEATHSIG = 1
STOP_S = 5.0


@contextmanager
def loopback_nomads(*arguments: str) -> Iterator[str]:
    """A replica while the block runs, on a free port; yields its address.

    arguments  of `twf-async replica`, but for the port
    raises     TwfError where it does not start
    """
    process = subprocess.Popen(  # noqa: S603 - our own module, our own arguments
        [sys.executable, "-m", "twf_async.replica", "--port", "0", *arguments],
        stdout=subprocess.PIPE,
        text=True,
        env={"TWF_LOGS__LEVEL": "warning", **os.environ},  # that it runs is ours to tell
        start_new_session=True,  # Ctrl-C is ours; we end it after our drain
        preexec_fn=die_with_parent,  # noqa: PLW1509 - no thread exists yet
    )
    try:
        url = process.stdout.readline().strip() if process.stdout else ""
        if not url.startswith("http"):
            raise TwfError("the loopback NOMADS did not start; see its lines above")
        yield url
    finally:
        end(process)
        if process.stdout:
            process.stdout.close()


def end(process: "subprocess.Popen[str]", *, within_s: float = STOP_S) -> int:
    """Ask a child to end, make it end when it does not; its exit code."""
    process.terminate()
    try:
        return process.wait(within_s)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait()


def die_with_parent() -> None:
    """For a child, before it becomes another program: not even a kill of ours leaves it behind.

    Linux; elsewhere nothing happens.
    """
    with suppress(AttributeError, OSError):
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
