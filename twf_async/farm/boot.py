"""Starts the forkserver, before the event loop exists.

The first submit() to a forkserver that still has to import everything blocks the loop for a
second; after `boot()` a worker is ready in hundredths of one.
"""

import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import forkserver, resource_tracker
from multiprocessing.context import BaseContext, ForkServerContext
from typing import ParamSpec, TypeVar

from render_farm.worker import PRELOADED
from render_farm.worker.lifeline import die_with_parent
from twf_async import stops
from twf_async.errors import FarmError
from twf_async.farm import socketdir

P = ParamSpec("P")
T = TypeVar("T")

# What systemd is told is told by the service alone.
SYSTEMD = {"NOTIFY_SOCKET": None, "WATCHDOG_USEC": None, "WATCHDOG_PID": None}
# Python's tracker removes the semaphores of whoever was killed, and says so on our stderr.
TRACKER_IS_SILENT = "ignore:resource_tracker:UserWarning"


class NoWorkers(FarmError):
    """The forkserver, or the first worker, has ended at its start."""

    def __init__(self, error: Exception) -> None:
        killed = isinstance(error, (EOFError, BrokenProcessPool, ConnectionError))
        why = "the first was ended at its start" if killed else str(error)
        super().__init__(
            f"no worker can be started ({why}); see what is said above, whether there is memory for"
            " one (200 MB), and whether /dev/shm and TMPDIR can be written"
        )


class OneWorker(ProcessPoolExecutor):
    """An executor of one process. A stop waits while it makes that: it is there whole, or not."""

    def submit(self, function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> "Future[T]":
        """As every executor's; may make the process."""
        with stops.held():
            return super().submit(function, *args, **kwargs)


def begin() -> ForkServerContext:
    """Start the forkserver and return while it imports what a worker needs.

    Before any event loop. Workers inherit the environment of this moment for good. Loads nothing
    heavy: whoever calls this first imports the rest of the service at the same time.
    """
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([PRELOADED])
    rules = os.environ.get("PYTHONWARNINGS")
    with stops.held(), _environment(SYSTEMD):
        silent = f"{rules},{TRACKER_IS_SILENT}" if rules else TRACKER_IS_SILENT
        with _environment({"PYTHONWARNINGS": silent}):
            resource_tracker.ensure_running()
        socketdir.claim()
        socketdir.sweep()
        with _deaf_to_the_terminal():
            forkserver.ensure_running()
    return context


def boot() -> ForkServerContext:
    """Return once the forkserver has imported everything; starts it where `begin` has not.

    A stop meanwhile is heeded afterwards.

    raises  KeyboardInterrupt after a stop that came before, or ended what was started
            NoWorkers, NoPlace
    """
    if stops.asked() is not None:
        raise KeyboardInterrupt
    with stops.held():
        context = begin()
        try:
            ask_once(context, int)
        except (OSError, EOFError, BrokenProcessPool) as error:
            if stops.asked() is None:
                raise NoWorkers(error) from error
            raise KeyboardInterrupt from None
    return context


def ask_once(context: BaseContext, function: Callable[[], T]) -> T:
    """Call a function of the worker in a process made for it; blocks, so not on a loop."""
    with OneWorker(1, context, die_with_parent) as probe:
        return probe.submit(function).result()


@contextmanager
def _environment(changes: Mapping[str, str | None]) -> Iterator[None]:
    """What starts meanwhile has these variables, or (None) does not; what is set is kept."""
    before = {name: os.environ.get(name) for name in changes}
    _set(changes)
    try:
        yield
    finally:
        _set(before)


def _set(values: Mapping[str, str | None]) -> None:
    for name, value in values.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value


@contextmanager
def _deaf_to_the_terminal() -> Iterator[None]:
    """What starts meanwhile, and all that it makes, is never interrupted by Ctrl-C.

    It would end in a traceback, in the middle of its imports. Blocked, not ignored: one that comes
    to us now is not lost. The tracker must run by now; its start takes every signal's block away.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
