"""The render farm: a fixed number of slots that any part of the service hands jobs to.

Owns retry and quarantine: a job whose worker died or hung, or raised, is tried once more in a
fresh worker, then given up with its reason; what was finished of it before is kept. Knows nothing
of what a job means for a run.
"""

import time
from collections import Counter
from collections.abc import Callable
from typing import Any, TypeVar

import structlog

from render_farm.domain.jobs import HourFailed, HourRendered, RegionView, RenderJob
from render_farm.domain.places import Region
from render_farm.worker import entry
from twf_async.farm.dispatch import Dispatcher
from twf_async.farm.errors import FarmBroken, JobTimedOut, WorkerDied
from twf_async.farm.losses import Cause, Loss, Losses, death
from twf_async.farm.machine import Machine
from twf_async.farm.memory import rss_mb
from twf_async.farm.peaks import Peaks
from twf_async.farm.slot import Slot, SlotSpec
from twf_async.farm.slots import Slots
from twf_async.farm.turns import Ticket, kind_of

T = TypeVar("T")
LOST_IN_A_ROW = 8  # different jobs with no success between: not the jobs' fault
SALVAGE_S = 30.0
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
        self._job_timeout_s = job_timeout_s
        self._machine = machine or Machine()
        self._peaks = peaks or Peaks(UNKNOWN_PEAK_MB)
        self._slots = Slots(spec, workers)
        self._queue = Dispatcher(self._slots, self._machine, self._peaks)
        self._lost: set[tuple[str, str, int]] = set()  # since the last success
        self._closed = False
        self._log = structlog.get_logger(component="farm")

    async def start(self) -> None:
        """Start every worker and verify that its libraries came with the forkserver."""
        if not await self._slots.start():
            self._log.warning("farm.preload_missed", mend="install the package, do not run a copy")
        self._log.info("farm.started", workers=self.size)

    async def stop(self, *, kill: bool = False) -> None:
        """Take no more jobs and end every worker; jobs in flight are killed only if *kill*."""
        if self._closed:
            return
        self._closed = True
        self._queue.close()
        if not kill:
            await self._queue.settled()
        await self._slots.close(kill=kill)
        self._log.info("farm.stopped", killed=kill)

    def kill(self) -> None:
        """End every worker now, without waiting: the process is about to leave."""
        self._slots.kill()

    def reload(self, spec: SlotSpec, *, job_timeout_s: float) -> None:
        """Have every worker replaced as it falls idle."""
        self._job_timeout_s = job_timeout_s
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
    def worker_mb(self) -> float:
        """What one more worker is counted with: the highest peak of any model's jobs."""
        return self._peaks.largest_mb

    async def recycle(self) -> int | None:
        """Replace the largest idle worker by a fresh one; its slot, None when none is idle."""
        number = await self._slots.recycle()
        self._queue.dispatch()
        return number

    async def resize(self, slots: int) -> None:
        """Have so many slots, at least one. Those too many end when they are idle."""
        await self._slots.resize(slots)
        self._queue.dispatch()

    async def render(self, job: RenderJob) -> HourRendered | HourFailed:
        """Draw one hour. Always answers, but for FarmClosed and FarmBroken."""
        losses = Losses()
        while not losses.hopeless:
            outcome = await self._attempt(job, losses)
            if not isinstance(outcome, Loss):
                return outcome
            self._log.warning(
                "farm.job_lost",
                model=job.model,
                cycle=job.cycle,
                hour=job.hour,
                attempt=losses.attempt,
                reason=outcome.told,
                strike=outcome.is_strike,
            )
            losses = losses.plus(outcome)
            self._count(job, outcome, given_up=losses.hopeless)
        return await self._give_up(job, losses)

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
        timeout_s = self._job_timeout_s if timeout_s is None else timeout_s
        try:
            return await self._ask(function, *arguments, timeout_s=timeout_s)
        except WorkerDied as error:
            self._log.warning("farm.question_lost", reason=str(error))
            return await self._ask(function, *arguments, timeout_s=timeout_s)

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
        return self._queue.held_for_memory

    async def _ask(self, function: Callable[..., T], *arguments: object, timeout_s: float) -> T:
        async with self._queue.place() as slot:
            return await slot.run(function, *arguments, timeout_s=timeout_s)

    async def _attempt(self, job: RenderJob, before: Losses) -> HourRendered | Loss:
        kind, alone = kind_of(job), before.alone
        async with self._queue.place(kind, job.cycle, job.hour, alone=alone) as slot:
            if before and not slot.is_fresh:
                slot.renew()
            kills = self._machine.oom_kills()
            try:
                outcome = await slot.run(
                    entry.render, job, before.attempt, timeout_s=self._job_timeout_s
                )
            except WorkerDied as fault:
                oom_killed = self._machine.oom_kills() > kills
                return death(
                    fault.exit_code_of_worker, str(fault), oom_killed=oom_killed, alone=alone
                )
            except JobTimedOut as fault:
                return Loss(Cause.TIMED_OUT, str(fault), alone)
            slot.jobs_done += 1
            await slot.weigh()
        self._lost.clear()  # the process lives
        if isinstance(outcome, HourFailed):
            return Loss(Cause.RAISED, outcome.detail, alone, outcome.reason)
        self._peaks.note(kind, outcome.peak_rss_mb)
        return outcome

    async def _give_up(self, job: RenderJob, losses: Losses) -> HourRendered | HourFailed:
        """What was finished of a job that is tried no more."""
        reason, detail = losses.reason, losses.detail
        try:
            outcome = await self.call(entry.salvage, job, reason, detail, timeout_s=SALVAGE_S)
        except (WorkerDied, JobTimedOut):
            outcome = HourFailed(job.model, job.cycle, job.hour, reason, detail)
        self._log.error(
            "farm.job_quarantined",
            model=job.model,
            cycle=job.cycle,
            hour=job.hour,
            reason=reason.value,
            detail=detail,
            frames_kept=len(outcome.frames) if isinstance(outcome, HourRendered) else 0,
        )
        return outcome

    def _count(self, job: RenderJob, loss: Loss, *, given_up: bool) -> None:
        """Stop everything when one worker after the other is lost, whatever it is given."""
        if loss.cause is Cause.RAISED or not (loss.is_strike or given_up):
            return
        self._lost.add((job.model, job.cycle, job.hour))
        if len(self._lost) >= LOST_IN_A_ROW:
            raise FarmBroken(
                f"{len(self._lost)} jobs in a row lost their workers; the installation is at"
                " fault, not the jobs: see the lines of the workers above"
            )

    def _slot_status(self, slot: Slot) -> dict[str, Any]:
        ticket = self._queue.running.get(slot.number)
        since = slot.busy_since
        return {
            "slot": slot.number,
            "pid": slot.pid,
            "state": self._slots.state(slot),
            "job": _told(ticket),
            "busy_s": None if since is None else round(time.monotonic() - since, 1),
            "jobs_done": slot.jobs_done,
            "rss_mb": round(rss_mb(slot.pid), 1),
            "pss_mb": round(slot.held.pss_mb, 1),
        }


def _told(ticket: Ticket | None) -> dict[str, Any] | None:
    if ticket is None or ticket.kind is None:
        return None
    return {"model": ticket.kind.model, "cycle": ticket.cycle, "hour": ticket.hour}
