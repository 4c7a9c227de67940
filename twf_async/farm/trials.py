"""Has jobs and questions done by workers, again where a worker is lost over them.

A job whose worker died or hung, or that raised, is tried once more in a fresh worker, then given up
with its reason; what was finished of it before is kept. What counts against a job is losses.py's
affair.
"""

from collections.abc import Callable
from typing import TypeVar

import structlog

from render_farm.domain.jobs import HourFailed, HourRendered, RenderJob
from render_farm.worker import entry
from twf_async.farm.dispatch import Dispatcher
from twf_async.farm.errors import FarmBroken, JobTimedOut, WorkerDied
from twf_async.farm.losses import Cause, Loss, Losses, death
from twf_async.farm.machine import Machine
from twf_async.farm.peaks import Peaks
from twf_async.farm.turns import kind_of

T = TypeVar("T")
LOST_IN_A_ROW = 8  # different jobs with no success between: not the jobs' fault
SALVAGE_S = 30.0


class Trials:
    """Everything that is asked of workers goes through here."""

    def __init__(
        self, queue: Dispatcher, machine: Machine, peaks: Peaks, *, job_timeout_s: float
    ) -> None:
        self.job_timeout_s = job_timeout_s
        self._queue, self._machine, self._peaks = queue, machine, peaks
        self._lost: set[tuple[str, str, int]] = set()  # since the last success
        self._log = structlog.get_logger(component="farm")

    async def render(
        self, job: RenderJob, begun: Callable[[], None] = lambda: None
    ) -> HourRendered | HourFailed:
        """Draw one hour; see `Farm.render`."""
        losses = Losses()
        while not losses.hopeless:
            outcome = await self._attempt(job, losses, begun)
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
        async with self._queue.place() as slot:
            return await slot.run(function, *arguments, timeout_s=timeout_s)

    async def _attempt(
        self, job: RenderJob, before: Losses, begun: Callable[[], None]
    ) -> HourRendered | Loss:
        kind, alone = kind_of(job), before.alone
        async with self._queue.place(kind, job.cycle, job.hour, alone=alone) as slot:
            begun()
            if before and not slot.is_fresh:
                slot.renew()
            kills = self._machine.oom_kills()
            try:
                outcome = await slot.run(
                    entry.render, job, before.attempt, timeout_s=self.job_timeout_s
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
