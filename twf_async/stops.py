"""A stop that somebody asks for: SIGINT or SIGTERM, from a command's first moment to its last.

One set of handlers for the life of the process; what changes is who heeds them. Until somebody
does, a stop is noted, and what begins to heed it is told. Handlers that come and go would leave
moments in which a signal kills, or ends in a traceback in the middle of an import.

A second stop does not wait: the process is gone, with whatever it had made.

Loads nothing heavy: it is the first thing that a command loads.
"""

import _thread
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import NoReturn

from twf_async import streams

FORCED = 130  # exit code of a stop that did not wait
SIGNALS = (signal.SIGINT, signal.SIGTERM)
TIDY_S = 2.0  # what a command that is interrupted has for removing its files before a second stop
LOST_S = 0.02  # until a stop that was ignored is raised again
LEFT_ALONE = "left-alone"  # begins the names of threads that no end waits for: a disk may hold them
PATIENCE = 3  # stops, after which not even the making of a process is waited for

Heed = Callable[[signal.Signals], object]


class _Stops:
    """What was asked of this process; signals are a process's own, so there is one of it."""

    def __init__(self) -> None:
        self.asked: signal.Signals | None = None
        self.heed: Heed | None = None
        self._asked_at_s = 0.0
        self._times = 0
        self._told = False
        self._held = 0
        self._lost = False

    def take(self, number: int, _: object = None) -> None:
        """A signal has come."""
        if self._lost:
            self._lost = self._told = False
            self.tell()
            return
        self._times += 1
        if self.asked is None:
            self.asked, self._asked_at_s = signal.Signals(number), time.monotonic()
            self.tell()
        elif self._held:
            if self._times >= PATIENCE:
                end_at_once()
        elif not self._is_tidying():
            end_at_once()

    def tell(self) -> None:
        """Pass the stop on to who heeds it, if there is any, once."""
        if self.asked is None or self._held or self._told or self.heed is None:
            return
        self._told = True
        self.heed(self.asked)

    def hold(self, change: int) -> None:
        """Of 1: keep a stop until -1."""
        self._held += change
        if not self._held:
            if self._times > 1 and self.heed is not _interrupt:
                end_at_once()
            self.tell()

    def repeat(self) -> None:
        """What was raised is lost: have it raised again, once whoever ignored it has returned."""
        if self.asked is not None:
            self._lost = True
            _thread.start_new_thread(_signal_later, (self.asked,))

    def _is_tidying(self) -> bool:
        in_time = time.monotonic() - self._asked_at_s < TIDY_S
        return self.heed is _interrupt and self._told and in_time


_stops = _Stops()
_last_acts: list[Callable[[], object]] = []


def listen() -> None:
    """Take stops from here on; who started this process may have kept them back for it.

    May be called again. Only on the main thread.
    """
    streams.stand_in()  # before a file is opened; whoever listens is at a command's first line
    # Until somebody listens to it, a reload would kill.
    if signal.getsignal(signal.SIGHUP) is signal.SIG_DFL:
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
    for number in SIGNALS:
        signal.signal(number, _stops.take)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)


def asked() -> signal.Signals | None:
    """The first stop that was asked for."""
    return _stops.asked


def note() -> None:
    """Only note a stop: somebody is about to heed it, or it is too late to."""
    _stops.heed = None


def heed(then: Heed) -> None:
    """Have *then* called on a stop; now, if there was one. It runs between any two steps."""
    _stops.heed = then
    _stops.tell()


@contextmanager
def heeded(then: Heed) -> Iterator[None]:
    """Have *then* called on a stop while the block runs."""
    heed(then)
    try:
        yield
    finally:
        note()


def interrupt() -> None:
    """Have a stop raise KeyboardInterrupt, whatever is being done; now, if there was one.

    It comes once: what tidies up is not interrupted again for TIDY_S. But again where it came in
    the middle of a finalizer or the like, which Python lets raise nothing.
    """
    sys.unraisablehook = _repeat_if_lost
    heed(_interrupt)


@contextmanager
def held() -> Iterator[None]:
    """Keep a stop until the block is done: what it makes is whole, or was never begun."""
    _stops.hold(1)
    try:
        yield
    finally:
        _stops.hold(-1)


@contextmanager
def at_last(act: Callable[[], object]) -> Iterator[None]:
    """Have *act* done even where a second stop ends the block; what it raises is lost."""
    _last_acts.append(act)
    try:
        yield
    finally:
        _last_acts.remove(act)


def keep_back() -> None:
    """Have the kernel keep stops for the program that this process is about to become."""
    signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)


def ignore() -> None:
    """The end is near anyway: no signal shall make it an unclean one."""
    for number in (*SIGNALS, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)


def kill_children() -> None:
    """All but Python's resource tracker, which removes what we leave and then ends by itself."""
    from pathlib import Path

    module = sys.modules.get("multiprocessing.resource_tracker")
    spared = getattr(getattr(module, "_resource_tracker", None), "_pid", None)
    with suppress(OSError):
        for thread in Path("/proc/self/task").iterdir():
            for pid in map(int, (thread / "children").read_text("ascii").split()):
                if pid != spared:
                    with suppress(OSError):
                        os.kill(pid, signal.SIGKILL)


def end_at_once() -> NoReturn:
    """End every process that is ours, and this one, without waiting."""
    with suppress(Exception):
        _kill_workers()
    kill_children()
    for act in (*_last_acts, _remove_sockets):
        with suppress(Exception):
            act()
    os._exit(FORCED)


def _interrupt(_: signal.Signals) -> NoReturn:
    _kill_workers()  # or whoever unwinds would wait for a job
    raise KeyboardInterrupt


def _repeat_if_lost(ignored: "sys.UnraisableHookArgs") -> None:
    if issubclass(ignored.exc_type, KeyboardInterrupt) and _stops.heed is _interrupt:
        _stops.repeat()
    else:
        sys.__unraisablehook__(ignored)


def _signal_later(number: int) -> None:
    time.sleep(LOST_S)
    os.kill(os.getpid(), number)


def _kill_workers() -> None:
    if (multiprocessing := sys.modules.get("multiprocessing")) is not None:
        for child in multiprocessing.active_children():
            child.kill()


def _remove_sockets() -> None:
    """Python's directory of the forkserver's socket, which it removes itself at a usual end."""
    import shutil
    from multiprocessing import process

    config: dict[str, str] = getattr(process.current_process(), "_config", {})
    if (directory := config.get("tempdir")) is not None:
        shutil.rmtree(directory, ignore_errors=True)
