"""The render farm: a fixed number of slots that any part of the service hands jobs to.

Owns retry and quarantine: a job whose worker died or hung is tried once more in a fresh worker,
then failed with its reason. Knows nothing of what a job means for a run.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import structlog

from render_farm.domain.jobs import HourFailed, HourRendered, Reason, RegionView, RenderJob
from render_farm.domain.places import Region
from render_farm.worker import entry
from twf_async.errors import FarmError
from twf_async.farm.errors import FarmBroken, FarmClosed, JobTimedOut, WorkerDied
from twf_async.farm.slot import Slot, SlotSpec

T = TypeVar("T")
ATTEMPTS = 2
DEATHS_IN_A_ROW = 8  # over different jobs with no success between: not the jobs' fault


class Farm:
    """Long-lived workers behind one awaitable call per job."""

    def __init__(self, spec: SlotSpec, workers: int, *, job_timeout_s: float) -> None:
        self._spec = spec
        self._job_timeout_s = job_timeout_s
        self._slots = [Slot(number, spec) for number in range(workers)]
        self._idle: asyncio.Queue[Slot] = asyncio.Queue()
        self._outdated: set[int] = set()
        self._deaths = 0
        self._closed = False
        self._log = structlog.get_logger(component="farm")

    async def start(self) -> None:
        """Start every worker and verify that its libraries came with the forkserver."""
        warm = await asyncio.gather(
            *(slot.run(entry.is_preloaded, timeout_s=60.0) for slot in self._slots)
        )
        for slot in self._slots:
            self._idle.put_nowait(slot)
        if not all(warm):
            self._log.warning("farm.preload_missed", mend="install the package, do not run a copy")
        self._log.info("farm.started", workers=len(self._slots))

    async def stop(self, *, kill: bool = False) -> None:
        """Take no more jobs and end every worker; jobs in flight are killed only if *kill*."""
        if self._closed:
            return
        self._closed = True
        await asyncio.gather(*(slot.close(kill=kill) for slot in self._slots))
        self._log.info("farm.stopped", killed=kill)

    def kill(self) -> None:
        """End every worker now, without waiting: the process is about to leave."""
        for slot in self._slots:
            slot.kill()

    def reload(self, spec: SlotSpec, *, job_timeout_s: float) -> None:
        """Have every worker replaced as it falls idle."""
        self._spec = spec
        self._job_timeout_s = job_timeout_s
        self._outdated = {slot.number for slot in self._slots}

    async def render(self, job: RenderJob) -> HourRendered | HourFailed:
        """Draw one hour. Always answers, but for FarmClosed and FarmBroken."""
        error: FarmError | None = None
        for attempt in range(1, ATTEMPTS + 1):
            try:
                outcome = await self.call(entry.render, job)
            except (WorkerDied, JobTimedOut) as fault:
                error = fault
                self._log.warning(
                    "farm.job_lost",
                    model=job.model,
                    cycle=job.cycle,
                    hour=job.hour,
                    attempt=attempt,
                    reason=str(fault),
                )
                self._count_death()
                continue
            self._deaths = 0
            return outcome
        reason = Reason.TIMED_OUT if isinstance(error, JobTimedOut) else Reason.WORKER_DIED
        self._log.error(
            "farm.job_quarantined", model=job.model, cycle=job.cycle, hour=job.hour, reason=reason
        )
        return HourFailed(job.model, job.cycle, job.hour, reason, f"{error}, {ATTEMPTS} times")

    async def region_views(self, regions: tuple[Region, ...]) -> tuple[RegionView, ...]:
        """The box that each region's frame really shows."""
        return await self.call(entry.region_views, regions)

    async def call(self, function: Callable[..., T], *arguments: object) -> T:
        """Run a function of the worker in the next idle slot, once."""
        async with self._slot() as slot:
            return await slot.run(function, *arguments, timeout_s=self._job_timeout_s)

    @asynccontextmanager
    async def _slot(self) -> AsyncIterator[Slot]:
        if self._closed:
            raise FarmClosed("the farm is stopping and takes no more jobs")
        slot = await self._idle.get()
        try:
            if slot.number in self._outdated:
                self._outdated.discard(slot.number)
                slot.renew(self._spec)
            yield slot
        finally:
            self._idle.put_nowait(slot)

    def _count_death(self) -> None:
        self._deaths += 1
        if self._deaths >= DEATHS_IN_A_ROW:
            raise FarmBroken(
                f"{self._deaths} workers died in a row; the installation is at fault, not the"
                " jobs: see the lines of the workers above"
            )

    def status(self) -> list[dict[str, Any]]:
        """One entry a slot, for status pages."""
        now = time.monotonic()
        return [
            {
                "slot": slot.number,
                "pid": slot.pid,
                "jobs_done": slot.jobs_done,
                "busy_s": None if slot.busy_since is None else round(now - slot.busy_since, 1),
            }
            for slot in self._slots
        ]
