"""The render farm: a number of slots that any part of the service hands jobs to.

The one face of its rooms: slots, whose turn it is (dispatch) and whether memory carries it
(carrying), what becomes of a job whose worker is lost (trials, attempts). Knows nothing of what a
job means for a run.
"""

import time
from collections import Counter
from collections.abc import Callable
from typing import Any, TypeVar

import structlog

from render_farm.domain.jobs import HourFailed, HourRendered, RegionView, RenderJob
from render_farm.domain.places import Region
from render_farm.worker import entry
from twf_async.farm.attempts import SlotAttempts
from twf_async.farm.carrying import Carrying
from twf_async.farm.dispatch import Dispatcher
from twf_async.farm.errors import FarmClosed
from twf_async.farm.machine import Machine
from twf_async.farm.memory import rss_mb
from twf_async.farm.peaks import Peaks
from twf_async.farm.post import SlotSpec
from twf_async.farm.slot import Slot
from twf_async.farm.slots import Slots
from twf_async.farm.trials import Trials

T = TypeVar("T")
UNKNOWN_PEAK_MB = 400.0


class Farm:
    """Long-lived workers behind one awaitable call per job."""

    def __init__(
        self,
        spec: SlotSpec,
        workers: int,
        *,
        job_timeout_s: float,
        machine: Machine | None = None,
        peaks: Peaks | None = None,
    ) -> None:
        """Without *machine* memory is plenty; without *peaks* nothing is known of any job."""
        machine = machine or Machine()
        self._peaks = peaks or Peaks(UNKNOWN_PEAK_MB)
        self._slots = Slots(spec, workers)
        self._carrying = Carrying(self._slots, machine, self._peaks)
        self._queue: Dispatcher[Slot] = Dispatcher(self._slots, self._carrying.may_start)
        self._attempts = SlotAttempts(
            self._queue, machine, self._peaks, job_timeout_s=job_timeout_s
        )
        self._trials = Trials(self._attempts)
        self._closed = False
        self._log = structlog.get_logger(component="farm")

    async def start(self) -> None:
        """Start every worker and verify that its libraries came with the forkserver."""
        if not await self._slots.start():
            self._log.warning("farm.preload_missed", mend="install the package, do not run a copy")
        self._log.info("farm.started", workers=self.size, worker_mb=round(self.worker_mb))

    async def stop(self, *, kill: bool = False) -> None:
        """Take no more jobs and end every worker; jobs in flight are killed only if *kill*."""
        if self._closed:
            return
        self._closed = True
        self._queue.close()
        if not kill:
            await self._queue.settled()
        cut_short = self.busy
        await self._slots.close(kill=kill)
        self._log.info("farm.stopped", cut_short=cut_short)

    def kill(self) -> None:
        """End every worker now, without waiting: the process is about to leave."""
        self._slots.kill()

    def reload(self, spec: SlotSpec, *, job_timeout_s: float) -> None:
        """Have every worker replaced as it falls idle."""
        self._attempts.job_timeout_s = job_timeout_s
        self._slots.renew(spec)

    @property
    def size(self) -> int:
        """Slots there are, without those that end after their job."""
        return self._slots.size

    @property
    def idle(self) -> int:
        """Slots without a job."""
        return self._slots.idle

    @property
    def busy(self) -> int:
        """Slots with a job, those that end after it included."""
        return len(self._with_job())

    @property
    def worker_mb(self) -> float:
        """What one more worker is counted with: the highest peak of any model's jobs."""
        return self._peaks.largest_mb

    async def recycle(self) -> int | None:
        """Replace the largest idle worker by a fresh one; its slot, None when none is idle."""
        self._require_open()
        number = await self._slots.recycle()
        self._queue.dispatch()
        return number

    async def resize(self, slots: int) -> None:
        """Have so many slots, at least one. Those too many end when they are idle."""
        self._require_open()
        await self._slots.resize(slots)
        self._queue.dispatch()

    async def hand_back(self) -> int | None:
        """Have the job that began last done later, where another goes on; its slot, or None.

        Its worker is killed, which counts for nothing; what was finished of it is kept.
        """
        jobs = self._with_job()
        if len(jobs) < 2:
            return None
        newest = max(jobs, key=lambda slot: slot.busy_since or 0.0)
        newest.hand_back()
        return newest.number

    async def render(
        self, job: RenderJob, *, begun: Callable[[], None] = lambda: None
    ) -> HourRendered | HourFailed:
        """Draw one hour. Always answers, but for FarmClosed and FarmBroken.

        begun  called when a worker takes it: until then nothing is lost by cancelling
        """
        return await self._trials.render(job, begun)

    async def region_views(self, regions: tuple[Region, ...]) -> tuple[RegionView, ...]:
        """The box that each region's frame really shows."""
        return await self.call(entry.region_views, regions)

    async def call(
        self, function: Callable[..., T], *arguments: object, timeout_s: float | None = None
    ) -> T:
        """Run a function of the worker in the next idle slot, before any waiting job.

        For small questions that may be asked twice: if the worker dies, another is asked.
        timeout_s  None: as long as a job may take
        """
        return await self._attempts.call(function, *arguments, timeout_s=timeout_s)

    def status(self) -> list[dict[str, Any]]:
        """One entry a slot, for status pages."""
        return [self._slot_status(slot) for slot in self._slots.all]

    @property
    def waiting(self) -> Counter[str]:
        """Jobs without a slot, by model."""
        return self._queue.waiting

    @property
    def held_for_memory(self) -> bool:
        """Whether a slot is idle, but the next job would take more memory than there is."""
        return self._carrying.is_holding and bool(self._queue.waiting)

    def _with_job(self) -> list[Slot]:
        running = self._queue.running
        return [slot for slot, ticket in running.items() if ticket.kind is not None]

    def _require_open(self) -> None:
        if self._closed:
            raise FarmClosed("the farm is stopping")

    def _slot_status(self, slot: Slot) -> dict[str, Any]:
        ticket = self._queue.running.get(slot)
        since = slot.busy_since
        return {
            "slot": slot.number,
            "pid": slot.pid,
            "state": self._slots.state(slot),
            "job": None if ticket is None else ticket.job,
            "busy_s": None if since is None else round(time.monotonic() - since, 1),
            "jobs_done": slot.jobs_done,
            "rss_mb": round(rss_mb(slot.pid), 1),
            "pss_mb": round(slot.held.pss_mb, 1),
            "stuck": slot.stuck,
        }
