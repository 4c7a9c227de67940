"""One worker's place: an executor of one process with exactly one job in flight.

One process to an executor because a pool of several with `max_tasks_per_child` hangs when more is
queued than it has workers (gh-115634, never mended on 3.11), and because the death of one worker
breaks a whole pool. Here it costs one slot one job, and it is known which.
"""

import asyncio
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from dataclasses import dataclass
from math import inf
from multiprocessing.connection import wait
from multiprocessing.context import BaseContext
from multiprocessing.process import BaseProcess
from typing import TypeVar

import structlog

from render_farm.worker import entry
from twf_async.farm.errors import JobTimedOut, WorkerDied
from twf_async.farm.memory import Held, held

T = TypeVar("T")
REAP_S = 5.0  # how long to wait for the exit code of a worker that died


@dataclass(frozen=True, slots=True)
class SlotSpec:
    """How the workers of a farm are made.

    memory_limit_mb    what one may allocate; beyond it a job fails with MemoryError. None: no limit
    recycle_above_mb   a worker that holds more (PSS) after a job is replaced
    """

    context: BaseContext
    max_tasks_per_child: int
    log_level: str
    console: bool
    memory_limit_mb: float | None = None
    recycle_above_mb: float = inf


class Slot:
    """Runs one call at a time in a long-lived child process, which it replaces when it dies."""

    def __init__(self, number: int, spec: SlotSpec) -> None:
        self.number = number
        self.jobs_done = 0  # counted by whoever knows what a job is
        self.held = Held()  # memory, when it was last weighed
        self.busy_since: float | None = None
        self._spec = spec
        self._log = structlog.get_logger(component="farm", slot=number)
        self._submitted = 0  # to the executor of now
        self._executor = _executor(number, spec)

    @property
    def pid(self) -> int | None:
        """The worker's process, if there is one now."""
        return next((process.pid for process in self._processes()), None)

    async def run(self, call: Callable[..., T], *arguments: object, timeout_s: float) -> T:
        """Call a function of the worker; WorkerDied or JobTimedOut cost this call only.

        A cancelled run kills the worker: a slot is never left busy with something unwanted.
        """
        self.busy_since = time.monotonic()
        future = self._submit(call, *arguments)
        try:
            async with asyncio.timeout(timeout_s):
                result = await asyncio.wrap_future(future)
        except BrokenProcessPool:
            raise WorkerDied(await self._replace()) from None
        except TimeoutError:
            if future.done():
                raise
            await self._replace(kill=True)
            raise JobTimedOut(timeout_s) from None
        except asyncio.CancelledError:
            self._abandon()
            raise
        finally:
            self.busy_since = None
        return result

    async def weigh(self) -> None:
        """Note what memory the worker holds."""
        self.held = await asyncio.to_thread(held, self.pid)

    @property
    def is_fresh(self) -> bool:
        """Whether the worker has not been asked anything yet, or is yet to be made."""
        return self._submitted % self._spec.max_tasks_per_child == 0

    def _submit(self, call: Callable[..., T], *arguments: object) -> "Future[T]":
        # The sentinel tells at once; the executor's own thread may not have noticed yet. After
        # its last task a worker leaves of its own accord, and the executor makes the next.
        retired = self._submitted % self._spec.max_tasks_per_child == 0
        if not retired and wait([p.sentinel for p in self._processes()], timeout=0):
            self._replace_idle()
        self._submitted += 1
        try:
            return self._executor.submit(call, *arguments)
        except BrokenProcessPool:
            self._replace_idle()
            return self._executor.submit(call, *arguments)

    def _replace_idle(self) -> None:
        # It died with nothing to do (the OOM killer likes idle fat ones): no job is to blame.
        self._log.warning("farm.idle_worker_replaced")
        self._abandon()

    def _processes(self) -> list[BaseProcess]:
        # No public way before 3.14's kill_workers(); None while a shutdown has begun.
        processes = getattr(self._executor, "_processes", None) or {}
        return list(processes.values())

    async def _replace(self, *, kill: bool = False) -> int | None:
        """Put a new executor in place; return the exit code of the worker that is gone."""
        processes = self._processes()
        if kill:
            self.kill()
        old = self._fresh_executor()
        reaper = self._reap(old)
        with suppress(TimeoutError):  # a process in uninterruptible sleep is left to the reaper
            async with asyncio.timeout(REAP_S):
                await asyncio.to_thread(reaper.join, REAP_S)
        # Read only now: polled by two threads a forkserver child's code can be lost (gh-130895).
        return processes[0].exitcode if processes and not reaper.is_alive() else None

    def _abandon(self) -> None:
        self.kill()
        self._reap(self._fresh_executor())

    def _fresh_executor(self) -> ProcessPoolExecutor:
        """Put a new executor in place; returns the old one."""
        old, self._executor = self._executor, _executor(self.number, self._spec)
        self._submitted, self.held = 0, Held()
        return old

    def _reap(self, executor: ProcessPoolExecutor) -> threading.Thread:
        # shutdown(wait=False) loses futures (gh-119592); a daemon thread never holds our exit.
        thread = threading.Thread(
            target=executor.shutdown, name=f"reaper-{self.number}", daemon=True
        )
        thread.start()
        return thread

    def renew(self, spec: SlotSpec | None = None) -> None:
        """Replace the idle worker by a fresh one, made after *spec* from now on."""
        self._spec = spec or self._spec
        self._reap(self._fresh_executor())

    def retire(self) -> None:
        """End the idle worker for good."""
        self._reap(self._executor)

    def kill(self) -> None:
        """End the worker now, in whatever it is doing."""
        for process in self._processes():
            process.kill()

    async def close(self, *, kill: bool = False) -> None:
        """End the worker; with *kill* at once, else after what it is doing."""
        if kill:
            self.kill()
        reaper = self._reap(self._executor)
        await asyncio.to_thread(reaper.join, REAP_S)


def _executor(number: int, spec: SlotSpec) -> ProcessPoolExecutor:
    return ProcessPoolExecutor(
        max_workers=1,
        mp_context=spec.context,
        initializer=entry.initialise,
        initargs=(number, spec.log_level, spec.console, spec.memory_limit_mb),
        max_tasks_per_child=spec.max_tasks_per_child,
    )
