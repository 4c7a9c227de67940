"""Has the worker of a slot there when one is needed: makes it, and leaves it to the reaper."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from functools import partial
from math import inf
from multiprocessing.context import BaseContext
from typing import TypeVar

import structlog

from render_farm.worker import entry
from twf_async.farm.errors import FarmClosed, WorkerNotStarted
from twf_async.farm.forkserver import end_forkserver, end_unreachable
from twf_async.farm.reaper import REAP_S, Reaper
from twf_async.farm.threads import in_thread
from twf_async.farm.worker import Worker

T = TypeVar("T")
STARTS = (0.05, 0.2, 1.0, 3.0)  # pauses before a worker is tried to be made again
ENDED = "the slot has ended and takes no more calls"
NOT_STARTED = (OSError, EOFError, RuntimeError)  # no descriptors, threads, forkserver, or time


@dataclass(frozen=True, slots=True)
class SlotSpec:
    """How the workers of a farm are made.

    memory_limit_mb    what one may allocate; beyond it a job fails with MemoryError. None: no limit
    recycle_above_mb   a worker that holds more (PSS) after a job is replaced
    start_timeout_s    for the forkserver to make one: its imports on a busy machine included
    """

    context: BaseContext
    max_tasks_per_child: int
    log_level: str
    console: bool
    memory_limit_mb: float | None = None
    recycle_above_mb: float = inf
    start_timeout_s: float = 60.0


class Post:
    """One worker at a time, made after `spec` when something is handed to it.

    retired  no other is made
    """

    def __init__(self, number: int, spec: SlotSpec, reaper: Reaper) -> None:
        self.spec = spec
        self.worker: Worker | None = None
        self.retired = False
        self._number, self._reaper = number, reaper
        self._log = structlog.get_logger(component="farm", slot=number)

    @property
    def is_fresh(self) -> bool:
        """Whether the worker has not been asked anything yet, or is yet to be made."""
        return self.worker is None or self.worker.asked % self.spec.max_tasks_per_child == 0

    async def hand(self, call: Callable[..., T], *arguments: object) -> "Future[T]":
        """Hand a call to the worker; WorkerNotStarted where none can be made, FarmClosed.

        A forkserver that has just died refuses, or hangs up, until its end is noticed.
        """
        for pause_s in STARTS:
            try:
                return await self._submit(call, *arguments)
            except BrokenProcessPool:
                self._replace_idle()
            except NOT_STARTED as error:
                self.let_go(kill=True)  # it may hold a call that nobody will answer
                self._log.warning("farm.worker_not_started", reason=str(error))
                if end_unreachable(self.spec.context):
                    self._log.warning("farm.forkserver_lost")
                await asyncio.sleep(pause_s)
        try:
            return await self._submit(call, *arguments)
        except NOT_STARTED as error:
            self.let_go(kill=True)
            raise WorkerNotStarted(error) from error

    def let_go(self, *, kill: bool = False) -> "asyncio.Future[None]":
        """Leave the worker to the reaper; the next call makes another. Done when it has ended."""
        old, self.worker = self.worker, None
        if old is not None:
            return self._reaper.take(old, self._number, kill=kill)
        gone: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        gone.set_result(None)
        return gone

    async def see_off(self, *, kill: bool = False) -> int | None:
        """Let the worker go; its exit code. None of one in state D, which is left to the reaper."""
        processes = self.worker.processes if self.worker else []
        ended = self.let_go(kill=kill)
        await asyncio.wait({ended}, timeout=REAP_S)
        # Read only now: polled by two threads a forkserver child's code can be lost (gh-130895).
        return processes[0].exitcode if processes and ended.done() else None

    async def _submit(self, call: Callable[..., T], *arguments: object) -> "Future[T]":
        """In a thread: it waits for the forkserver, which somebody may have stopped."""
        if self.retired:
            raise FarmClosed(ENDED)
        # After its last task a worker leaves of its own accord, and the executor makes the next.
        worker = self.worker
        if worker and not self.is_fresh and (worker.has_ended or worker.is_stopped):
            self._replace_idle()
        if self.worker is None:
            self.worker = Worker(partial(_executor, self._number, self.spec))
        self.worker.asked += 1
        submitting = in_thread(f"start-{self._number}", self.worker.submit, call, *arguments)
        limit_s = self.spec.start_timeout_s
        try:
            async with asyncio.timeout(limit_s):
                return await asyncio.wrap_future(submitting)
        except TimeoutError:
            if end_forkserver(self.spec.context):
                self._log.warning("farm.forkserver_killed", waited_s=limit_s)
            raise TimeoutError(f"the forkserver made none within {limit_s:g} s") from None

    def _replace_idle(self) -> None:
        # It died with nothing to do (the OOM killer likes idle fat ones): no job is to blame.
        self._log.warning("farm.idle_worker_replaced")
        self.let_go(kill=True)


def _executor(number: int, spec: SlotSpec) -> ProcessPoolExecutor:
    return ProcessPoolExecutor(
        max_workers=1,
        mp_context=spec.context,
        initializer=entry.initialise,
        initargs=(number, spec.log_level, spec.console, spec.memory_limit_mb),
        max_tasks_per_child=spec.max_tasks_per_child,
    )
