"""What a job that was lost gets: another attempt, one alone, or none. Pure.

A job whose worker crashed, hung or raised is tried once more. One whose worker was killed from
outside, or could not be made, is not to blame: it is tried again, though not for ever. Nor is one
that the farm took back, or whose cluster was lost: that counts for nothing, however often. Where
the kernel took the worker for want of memory, the job that ran beside it may have been the greedy
one: the next attempt runs alone, and if that is taken too, it counts against the job.
"""

import signal
from dataclasses import dataclass
from enum import Enum

from render_farm.domain.jobs import Reason

STRIKES = 2
OUTSIDE_KILLS = 10
OUTSIDE_SIGNALS = {-signal.SIGKILL, -signal.SIGTERM}  # a renderer sends itself neither
NO_STATUS = 255  # what multiprocessing says of the forkserver's children once that is gone


class Cause(Enum):
    """What ended an attempt."""

    CRASHED = "crashed"
    TIMED_OUT = "timed out"
    RAISED = "raised"
    KILLED = "killed"
    OUT_OF_MEMORY = "out of memory"
    NOT_STARTED = "not started"  # there was no worker
    HANDED_BACK = "handed back"  # by the farm itself
    LINK_LOST = "link lost"  # to the cluster that drew it


BLAMED = {Cause.CRASHED, Cause.TIMED_OUT, Cause.RAISED}
FREE = {Cause.HANDED_BACK, Cause.LINK_LOST}


@dataclass(frozen=True, slots=True)
class Loss:
    """One attempt that came to nothing.

    told    what happened, one clause
    alone   no other job ran
    reason  what the renderer itself named, of RAISED
    """

    cause: Cause
    told: str
    alone: bool = False
    reason: Reason | None = None

    @property
    def is_strike(self) -> bool:
        """Whether it counts against the job."""
        if self.cause is Cause.OUT_OF_MEMORY:
            return self.alone
        return self.cause in BLAMED

    @property
    def is_endured(self) -> bool:
        """Whether it is no strike, but must not go on for ever."""
        return not self.is_strike and self.cause not in FREE


@dataclass(frozen=True, slots=True)
class Losses:
    """The lost attempts at one job, in order."""

    all: tuple[Loss, ...] = ()

    def __bool__(self) -> bool:
        """Whether there is any."""
        return bool(self.all)

    @property
    def attempt(self) -> int:
        """The number of the next attempt, from 1."""
        return len(self.all) + 1

    @property
    def hopeless(self) -> bool:
        """Whether there shall be no other."""
        strikes = sum(loss.is_strike for loss in self.all)
        endured = sum(loss.is_endured for loss in self.all)
        return strikes >= STRIKES or endured >= OUTSIDE_KILLS

    @property
    def alone(self) -> bool:
        """Whether the next attempt must run with nothing beside it."""
        return any(loss.cause is Cause.OUT_OF_MEMORY for loss in self.all)

    @property
    def reason(self) -> Reason:
        """The word for it, by the last loss."""
        last = self.all[-1]
        if last.reason is not None:
            return last.reason
        by_cause = {
            Cause.TIMED_OUT: Reason.TIMED_OUT,
            Cause.RAISED: Reason.RENDER_ERROR,
            Cause.OUT_OF_MEMORY: Reason.OUT_OF_MEMORY,
        }
        return by_cause.get(last.cause, Reason.WORKER_DIED)

    @property
    def detail(self) -> str:
        """Everything that happened, in one sentence."""
        told = list(dict.fromkeys(loss.told for loss in self.all))
        counts = [sum(loss.told == text for loss in self.all) for text in told]
        return "; ".join(
            text if count == 1 else f"{text}, {count} times"
            for text, count in zip(told, counts, strict=True)
        )

    def plus(self, loss: Loss) -> "Losses":
        """With one more."""
        return Losses((*self.all, loss))


def death(exit_code: int | None, told: str, *, oom_killed: bool, alone: bool) -> Loss:
    """The loss of an attempt whose worker ended by itself or was ended, not by us.

    oom_killed  the kernel has killed for want of memory meanwhile
    """
    if exit_code == NO_STATUS:
        return Loss(Cause.KILLED, f"{told}, as all do when the forkserver is gone", alone)
    if exit_code is None:  # not seen: of one that we ended because nobody could hear from it
        return Loss(Cause.KILLED, told, alone)
    if exit_code not in OUTSIDE_SIGNALS:
        return Loss(Cause.CRASHED, told, alone)
    if oom_killed:
        return Loss(Cause.OUT_OF_MEMORY, f"{told}: the kernel was out of memory", alone)
    return Loss(Cause.KILLED, f"{told}, from outside", alone)
