"""The process that workers are forked from, when it makes none any more."""

import os
import signal
from contextlib import suppress
from multiprocessing import forkserver
from multiprocessing.context import BaseContext
from pathlib import Path

from twf_async.farm import socketdir
from twf_async.farm.socketdir import NoPlace


def end_forkserver(context: BaseContext) -> bool:
    """Kill it, whatever holds it up; whether there was one.

    Everybody who waits for a worker of it is told EOFError, and every worker of it counts as gone;
    the next start makes another forkserver.
    """
    if context.get_start_method() != "forkserver":
        return False
    # No public way; until it is reaped, which the next start does, its number is nobody else's.
    pid = getattr(getattr(forkserver, "_forkserver", None), "_forkserver_pid", None)
    if pid is None:
        return False
    with suppress(ProcessLookupError):  # the next start has just reaped it
        os.kill(pid, signal.SIGKILL)
    return True


def end_unreachable(context: BaseContext) -> bool:
    """Kill it where its socket was deleted, as who cleans TMPDIR does; whether it was."""
    if context.get_start_method() != "forkserver":
        return False
    with suppress(NoPlace):  # the next start says so
        socketdir.claim()  # the directory may be gone along with the forkserver
    address = getattr(getattr(forkserver, "_forkserver", None), "_forkserver_address", None)
    with suppress(OSError):
        if address is not None and not Path(address).exists():
            return end_forkserver(context)
    return False
