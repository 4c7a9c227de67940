"""The command line's front door: listens for stops before it loads anything, and leaves cleanly.

Light: it is part of `__main__`, which every worker loads again.
"""

import os
import sys
from typing import NoReturn

from twf_async import stops

LAST_WAIT_S = 1.0  # for a worker that is on its way out


def main() -> NoReturn:
    """Run the command line and exit with its code."""
    stops.listen()
    try:
        from twf_async.cli.group import run

        code = run()
        stops.ignore()
    except KeyboardInterrupt:
        stops.ignore()
        code = stops.FORCED
    _leave(code)


def _leave(code: int) -> NoReturn:
    """Exit; without Python's own clean-up where that would wait for a worker that cannot be ended.

    A process that waits for a disk does not heed SIGKILL before the disk answers, and Python joins
    every child at its end. Workers die with us once they can.
    """
    if "multiprocessing" in sys.modules:
        import multiprocessing

        for child in multiprocessing.active_children():
            child.join(LAST_WAIT_S)
        if stuck := [child.pid for child in multiprocessing.active_children()]:
            import structlog

            structlog.get_logger(component="app").warning("app.workers_left", pids=stuck)
            sys.stdout.flush()
            os._exit(code)
        stops.kill_children()  # the forkserver, which may still import what is not needed any more
    if _is_held_by_a_thread():
        sys.stdout.flush()
        os._exit(code)
    sys.exit(code)


def _is_held_by_a_thread() -> bool:
    """Whether one hangs that is to be left alone: Python would wait for it for ever."""
    import threading

    left = [each for each in threading.enumerate() if each.name.startswith(stops.LEFT_ALONE)]
    for thread in left:
        thread.join(LAST_WAIT_S)
    return any(thread.is_alive() for thread in left)
