"""The forkserver of a command that is forked itself (forking.py): forked too, loaded already.

It is started by multiprocessing as ever, in a process of its own with a command line of its own.
But Python and what a worker imports are there, which else take more than most commands do.
"""

import faulthandler
import importlib
import os
import signal
import sys
import traceback
import types
from itertools import pairwise
from multiprocessing import util

import structlog

from render_farm.worker import PRELOADED


def load():
    """Import what a forkserver imports; it then goes through its own module alone again."""
    importlib.import_module(PRELOADED)
    del sys.modules[PRELOADED]


def fork_the_first():
    """Have this process fork the forkserver that it starts first: it has no threads by then."""
    as_ever = util.spawnv_passfds

    def start(path, args, passed):
        if "forkserver" not in args[-1]:
            return as_ever(path, args, passed)
        util.spawnv_passfds = as_ever
        if pid := os.fork():
            return pid
        return _become(args, passed)

    util.spawnv_passfds = start


def _become(args, passed):
    """What Python is when it has just started: its files, signals, command line, and no main."""
    code = 1
    try:
        last = os.sysconf("SC_OPEN_MAX")
        for below, above in pairwise(sorted({0, 1, 2, *map(int, passed), last})):
            os.closerange(below + 1, above)
        faulthandler.disable()
        for number in signal.valid_signals():
            if callable(signal.getsignal(number)):
                signal.signal(number, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        structlog.reset_defaults()
        structlog.contextvars.clear_contextvars()
        sys.argv, sys.orig_argv = ["-c"], [*map(os.fsdecode, args)]
        sys.modules["__main__"] = main = types.ModuleType("__main__")
        exec(args[-1], vars(main))
    except SystemExit:
        code = 0
    except BaseException:  # noqa: BLE001 - nobody is left to catch it
        traceback.print_exc()
    finally:
        os._exit(code)
