"""What the daemon does on signals. Each handler sets its state first and logs second: a log line
that cannot be written must never lose a stop.
"""

import asyncio
import io
import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable

import structlog

FORCED_STOP = 130


class Signals:
    """`stopping` is an event; a second stop does not return."""

    def __init__(self, reload: Callable[[], None], end_at_once: Callable[[], None]) -> None:
        self.stopping = asyncio.Event()
        self._reload = reload
        self._end_at_once = end_at_once
        self._log = structlog.get_logger(component="app")

    def install(self, loop: asyncio.AbstractEventLoop) -> None:
        """Listen to TERM, INT, HUP and USR1 on the main thread's loop."""
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop, number)
        loop.add_signal_handler(signal.SIGHUP, self._reload)
        loop.add_signal_handler(signal.SIGUSR1, self._dump)

    def _stop(self, number: int) -> None:
        if self.stopping.is_set():
            self._end_at_once()
            os._exit(FORCED_STOP)
        self.stopping.set()
        self._log.info("app.stopping", signal=signal.Signals(number).name)

    def _dump(self) -> None:
        tasks = asyncio.all_tasks()
        self._log.info("app.dumped", tasks=len(tasks), threads=threading.active_count())
        for task in sorted(tasks, key=lambda task: task.get_name()):
            text = io.StringIO()
            task.print_stack(limit=8, file=text)
            self._log.info("app.task_dumped", task=task.get_name(), stack=text.getvalue())
        frames = sys._current_frames()  # noqa: SLF001 - the documented way to see other threads
        for thread in threading.enumerate():
            if thread.ident in frames and thread is not threading.main_thread():
                stack = "".join(traceback.format_stack(frames[thread.ident], limit=8))
                self._log.info("app.thread_dumped", thread=thread.name, stack=stack)
