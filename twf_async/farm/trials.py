"""Has a job tried by workers, again where a worker is lost over it.

A job whose worker died or hung, or that raised, is tried once more, then given up with its reason;
what was finished of it before is kept. What counts against a job is losses.py's affair. How it is
tried, in a slot of this machine or in one of a cluster, is that of `Attempts`.
"""

from collections.abc import Callable
from typing import Protocol

import structlog

from render_farm.domain.jobs import HourFailed, HourRendered, Reason, RenderJob
from twf_async.farm.errors import FarmBroken
from twf_async.farm.losses import Cause, Loss, Losses

LOST_IN_A_ROW = 8  # different jobs with no success between: not the jobs' fault


class Attempts(Protocol):
    """Workers of one sort, and how they are given jobs."""

    async def attempt(
        self, job: RenderJob, before: Losses, begun: Callable[[], None]
    ) -> HourRendered | HourFailed | Loss:
        """Wait for a worker and have it draw; *begun* is called when it takes the job."""

    async def salvage(
        self, job: RenderJob, reason: Reason, detail: str
    ) -> HourRendered | HourFailed:
        """What was finished of a job that is tried no more."""


class Trials:
    """Every job of one sort of workers goes through here."""

    def __init__(self, attempts: Attempts) -> None:
        self._attempts = attempts
        self._lost: set[tuple[str, str, int]] = set()  # since the last success
        self._log = structlog.get_logger(component="farm")

    async def render(
        self, job: RenderJob, begun: Callable[[], None] = lambda: None
    ) -> HourRendered | HourFailed:
        """Draw one hour; see `Farm.render`."""
        losses = Losses()
        while not losses.hopeless:
            outcome = await self._attempts.attempt(job, losses, begun)
            if not isinstance(outcome, Loss):
                self._lost.clear()
                return outcome
            self._log.warning(
                "farm.job_lost",
                **_bound(job),
                attempt=losses.attempt,
                reason=outcome.told,
                strike=outcome.is_strike,
            )
            losses = losses.plus(outcome)
            self._count(job, outcome, given_up=losses.hopeless)
        return await self._give_up(job, losses)

    async def _give_up(self, job: RenderJob, losses: Losses) -> HourRendered | HourFailed:
        outcome = await self._attempts.salvage(job, losses.reason, losses.detail)
        self._log.error(
            "farm.job_quarantined",
            **_bound(job),
            reason=losses.reason.value,
            detail=losses.detail,
            frames_kept=len(outcome.frames) if isinstance(outcome, HourRendered) else 0,
        )
        return outcome

    def _count(self, job: RenderJob, loss: Loss, *, given_up: bool) -> None:
        """Stop everything when one worker after the other is lost, whatever it is given."""
        if loss.cause is Cause.RAISED:
            self._lost.clear()  # the process lives
        elif loss.is_strike or given_up:
            self._lost.add((job.model, job.cycle, job.hour))
            if len(self._lost) >= LOST_IN_A_ROW:
                raise FarmBroken(
                    f"{len(self._lost)} jobs in a row lost their workers; the installation is at"
                    " fault, not the jobs: see the lines of the workers above"
                )


def _bound(job: RenderJob) -> dict[str, str | int]:
    return {"model": job.model, "cycle": job.cycle, "hour": job.hour}
