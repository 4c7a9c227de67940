"""A worker: an executor of one process, which it makes and, after its last task, makes anew.

One process to an executor because a pool of several with `max_tasks_per_child` hangs when more is
queued than it has workers (gh-115634, never mended on 3.11), and because the death of one worker
breaks a whole pool. Here it costs one call, and it is known which.
"""

import threading
from collections.abc import Callable
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from multiprocessing.connection import wait
from multiprocessing.process import BaseProcess
from typing import TypeVar

import psutil

from twf_async.farm.memory import Held

T = TypeVar("T")


class Worker:
    """What of an executor a slot needs. `submit` and `end` may block for ever: call in a thread.

    They wait for the forkserver, or for a process that does not end.
    """

    def __init__(self, make: Callable[[], ProcessPoolExecutor]) -> None:
        self.asked = 0  # calls that it was to be given
        self.held = Held()  # memory, when it was last weighed
        self._make = make
        self._executor: ProcessPoolExecutor | None = None
        self._ends = False
        self._at_it = threading.Lock()  # who makes a process is waited for before it is ended

    @property
    def processes(self) -> list[BaseProcess]:
        """The process, if there is one now."""
        # No public way before 3.14's kill_workers(); None once a shutdown has ended.
        found = getattr(self._executor, "_processes", None) or {}
        return list(found.values())

    @property
    def pid(self) -> int | None:
        """The process's number, if there is one now."""
        return next((process.pid for process in self.processes), None)

    @property
    def has_ended(self) -> bool:
        """Whether there is a process that has ended. It tells at once, the executor later."""
        return bool(wait([process.sentinel for process in self.processes], timeout=0))

    @property
    def is_stopped(self) -> bool:
        """Whether somebody has stopped the process (SIGSTOP): it answers nothing."""
        return self._status() == psutil.STATUS_STOPPED

    def _status(self) -> str:
        """The process's, in psutil's words; "" where there is none."""
        with suppress(psutil.Error):
            return "" if self.pid is None else str(psutil.Process(self.pid).status())
        return ""

    @property
    def is_deserted(self) -> bool:
        """Whether no answer can come: the process has ended, or the executor's own thread.

        An executor does not notice the end of a process that it made while its thread was looking
        at the one before; nor does anybody while the forkserver, which tells, is stopped; and the
        thread ends where it can start no other to send calls by.
        """
        thread = getattr(self._executor, "_executor_manager_thread", None)
        return (
            self.has_ended
            or self._status() == psutil.STATUS_ZOMBIE
            or (thread is not None and not thread.is_alive())
        )

    def submit(self, call: Callable[..., T], *arguments: object) -> "Future[T]":
        """Hand a call over, for which a process is made if there is none.

        raises  OSError, EOFError, RuntimeError where none, or no thread, can be had;
                BrokenProcessPool where it has ended
        """
        with self._at_it:
            if self._ends:
                raise BrokenProcessPool("it was let go")
            if self._executor is None:
                self._executor = self._make()
            return self._executor.submit(call, *arguments)

    def kill(self) -> None:
        """End the process now, in whatever it is doing; nothing if there is none yet.

        Its executor makes another if it had just left after its last task: to be done again.
        """
        for process in self.processes:
            if not wait([process.sentinel], timeout=0):  # else its number may be another's by now
                process.kill()

    def end(self, *, kill: bool) -> None:
        """End it, after its call unless *kill*; returns when it has ended."""
        with self._at_it:
            self._ends = True
            if kill:
                self.kill()
            if self._executor is not None:
                # shutdown(wait=False) loses futures (gh-119592). RuntimeError: its thread could
                # not be started, so there is nobody to wait for.
                with suppress(RuntimeError):
                    self._executor.shutdown()
