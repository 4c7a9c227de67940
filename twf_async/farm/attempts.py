"""Jobs and questions in the slots of this machine."""

from collections.abc import Callable
from typing import TypeVar

import structlog

from render_farm.domain.jobs import HourFailed, HourRendered, Reason, RenderJob
from render_farm.worker import entry
from twf_async.farm.dispatch import Dispatcher
from twf_async.farm.errors import JobHandedBack, JobTimedOut, WorkerDied, WorkerNotStarted
from twf_async.farm.losses import Cause, Loss, Losses, death
from twf_async.farm.machine import Machine
from twf_async.farm.peaks import Peaks
from twf_async.farm.slot import Slot
from twf_async.farm.turns import kind_of

T = TypeVar("T")
SALVAGE_S = 30.0


class SlotAttempts:
    """Everything that is asked of local workers goes through here."""

    def __init__(
        self, queue: Dispatcher[Slot], machine: Machine, peaks: Peaks, *, job_timeout_s: float
    ) -> None:
        self.job_timeout_s = job_timeout_s
        self._queue, self._machine, self._peaks = queue, machine, peaks
        self._log = structlog.get_logger(component="farm")

    async def attempt(
        self, job: RenderJob, before: Losses, begun: Callable[[], None]
    ) -> HourRendered | HourFailed | Loss:
        """See `Attempts`; what earlier ones finished is kept."""
        kind, alone = kind_of(job), before.alone
        async with self._queue.slot(kind, job.cycle, job.hour, alone=alone) as slot:
            begun()
            if before and not slot.is_fresh:
                slot.renew()
            kills = self._machine.oom_kills()
            try:
                outcome = await slot.run(
                    entry.render, job, before.attempt, timeout_s=self.job_timeout_s
                )
            except WorkerNotStarted as fault:
                return Loss(Cause.NOT_STARTED, str(fault), alone)
            except WorkerDied as fault:
                oom_killed = self._machine.oom_kills() > kills
                return death(
                    fault.exit_code_of_worker, str(fault), oom_killed=oom_killed, alone=alone
                )
            except JobHandedBack as fault:
                return Loss(Cause.HANDED_BACK, str(fault), alone)
            except JobTimedOut as fault:
                return Loss(Cause.TIMED_OUT, str(fault), alone)
            slot.jobs_done += 1
            await slot.weigh()
        if isinstance(outcome, HourFailed):
            return Loss(Cause.RAISED, outcome.detail, alone, outcome.reason)
        self._peaks.note(kind, outcome.peak_rss_mb)
        return outcome

    async def salvage(
        self, job: RenderJob, reason: Reason, detail: str
    ) -> HourRendered | HourFailed:
        """See `Attempts`."""
        try:
            return await self.call(entry.salvage, job, reason, detail, timeout_s=SALVAGE_S)
        except (WorkerDied, JobTimedOut):
            return HourFailed(job.model, job.cycle, job.hour, reason, detail)

    async def call(
        self, function: Callable[..., T], *arguments: object, timeout_s: float | None = None
    ) -> T:
        """Run a function of the worker before any waiting job; see `Farm.call`."""
        timeout_s = self.job_timeout_s if timeout_s is None else timeout_s
        try:
            return await self._ask(function, *arguments, timeout_s=timeout_s)
        except WorkerDied as error:
            self._log.warning("farm.question_lost", reason=str(error))
            return await self._ask(function, *arguments, timeout_s=timeout_s)

    async def _ask(self, function: Callable[..., T], *arguments: object, timeout_s: float) -> T:
        async with self._queue.slot() as slot:
            return await slot.run(function, *arguments, timeout_s=timeout_s)
