"""Has the kernel end our processes when the service is gone, stopped ones and those in C code too.

PR_SET_PDEATHSIG watches the thread that started a process: of a forkserver that is made anew a
short-lived one, and of workers the forkserver, which they themselves keep alive. A watching thread
needs the GIL. A signal at the end of a pipe that the service holds needs neither, and SIGKILL is
heeded even by a process that somebody has stopped.
"""

import ctypes
import fcntl
import multiprocessing
import os
import re
import select
import signal
import stat
import sys
from contextlib import suppress

_PR_SET_PDEATHSIG = 1
# How multiprocessing starts it: python -c "...main(LISTENER, ALIVE, ...)"
_FORKSERVER = re.compile(r"from multiprocessing\.forkserver import main; main\(\d+, (\d+), ")


def die_with_parent() -> None:
    """Bind a worker to the service: its sentinel is a pipe that the service alone writes to.

    And to the forkserver: of one that has died nobody hears any more how its workers end, so they
    count as gone, and what they were drawing is drawn anew.
    """
    parent = multiprocessing.parent_process()
    if parent is None:
        return
    _end_with(parent.sentinel)
    if os.getppid() != parent.pid:  # else spawned, by a thread of the service that ends
        with suppress(OSError, AttributeError):  # Linux; elsewhere they end after their job
            ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def die_with_service() -> None:
    """Bind the forkserver to the service and its workers; elsewhere nothing is done."""
    if multiprocessing.parent_process() is None and (pipe := _alive_pipe()) is not None:
        _end_with(pipe)


def _alive_pipe() -> int | None:
    """What the service and every worker keep open; None in a process that is no forkserver."""
    found = next(filter(None, map(_FORKSERVER.match, sys.orig_argv)), None)
    if found is None:
        return None
    pipe = int(found[1])
    return pipe if stat.S_ISFIFO(os.fstat(pipe).st_mode) else None


def _end_with(pipe: int) -> None:
    """Be killed once nobody holds the other end of a pipe. Whatever it carried was read before."""
    if not hasattr(os, "O_ASYNC"):
        return
    signal.signal(signal.SIGIO, signal.SIG_DFL)  # deadly too, where no other can be chosen
    fcntl.fcntl(pipe, fcntl.F_SETOWN, os.getpid())
    if hasattr(fcntl, "F_SETSIG"):
        fcntl.fcntl(pipe, fcntl.F_SETSIG, signal.SIGKILL)
    flags = fcntl.fcntl(pipe, fcntl.F_GETFL)
    fcntl.fcntl(pipe, fcntl.F_SETFL, flags | os.O_ASYNC)
    if select.select([pipe], [], [], 0)[0]:  # it ended before this was armed
        os._exit(0)
