"""What the daemon does on signals. Each handler sets its state first and logs second: a log line
that cannot be written must never lose a stop.
"""

import asyncio
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import structlog

from twf_async import stops

DEEPEST = 8  # so many steps of a stack, the innermost, fit into a log line


class Stopping(Exception):
    """A stop was asked for before everything had started."""


class Signals:
    """`stopping` is an event; a second stop does not return (`stops`), not even of a hung loop."""

    def __init__(self, reload: Callable[[], None]) -> None:
        self.stopping = asyncio.Event()
        self._reload = reload
        self._log = structlog.get_logger(component="app")

    @contextmanager
    def heard(self, loop: asyncio.AbstractEventLoop) -> Iterator[None]:
        """Heed TERM, INT, HUP and USR1 on the main thread's loop, and one that came before."""

        def on_loop(handler: Callable[[], None]) -> Callable[[int, object], object]:
            return lambda _, __: loop.call_soon_threadsafe(handler)

        signal.signal(signal.SIGHUP, on_loop(self._reload))
        signal.signal(signal.SIGUSR1, on_loop(self.dump))
        try:
            with stops.heeded(lambda number: loop.call_soon_threadsafe(self._stop, number)):
                yield
        finally:
            # Before the loop is closed: what comes now finds nobody, and must not kill.
            for number in (signal.SIGHUP, signal.SIGUSR1):
                signal.signal(number, signal.SIG_IGN)

    async def require_going(self) -> None:
        """Raise Stopping where a stop was asked for; for those who start something."""
        if stops.asked() is not None:
            await self.stopping.wait()
            raise Stopping

    def _stop(self, number: signal.Signals) -> None:
        self.stopping.set()
        self._log.info("app.stopping", signal=number.name)

    def dump(self) -> None:
        """Log what every task and thread is doing."""
        tasks = asyncio.all_tasks()
        self._log.info("app.dumped", tasks=len(tasks), threads=threading.active_count())
        for task in sorted(tasks, key=lambda task: task.get_name()):
            stack = "".join(awaited(task.get_coro())[-DEEPEST:])
            self._log.info("app.task_dumped", task=task.get_name(), stack=stack)
        frames = sys._current_frames()  # noqa: SLF001 - the documented way to see other threads
        for thread in threading.enumerate():
            if thread.ident in frames and thread is not threading.main_thread():
                stack = "".join(traceback.format_stack(frames[thread.ident], limit=DEEPEST))
                self._log.info("app.thread_dumped", thread=thread.name, stack=stack)


def awaited(coroutine: object) -> list[str]:
    """Where a coroutine is and what it waits in, outermost first; asyncio tells only the first."""
    found: list[str] = []
    while coroutine is not None:
        frame = getattr(coroutine, "cr_frame", None) or getattr(coroutine, "gi_frame", None)
        if frame is not None:
            step = traceback.StackSummary.extract(iter([(frame, frame.f_lineno)]))
            found += step.format()
        coroutine = getattr(coroutine, "cr_await", getattr(coroutine, "gi_yieldfrom", None))
    return found
