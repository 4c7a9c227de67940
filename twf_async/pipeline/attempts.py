"""What a run that somebody waits for asks of its source, and when that is waited for no more.

Patience is over once nothing has come for so long: one failure after the other, or not a word. No
attempt begins to ask then, and those that hear nothing are ended. What has bytes coming in goes on:
it may be slow. Where it is one hour alone that is no good, the source is asked for the others.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import structlog

from twf_async.errors import FetchError
from twf_async.fetch.errors import DiskFailed, DiskUnusable, NoSpace, TimedOut
from twf_async.fetch.waiter import waiter

LOOK_S = 0.5
QUIET_S = 2.0  # an answer is waited for, and not a byte of it has come for so long
_NEVER = float("-inf")
_OF_DISK = (NoSpace, DiskFailed)
_log = structlog.get_logger(component="pipeline")


class GivenUp(FetchError):
    """Nothing more is asked for. reason: why nothing came, as it was last told."""

    def __init__(self, last: FetchError) -> None:
        self.last: FetchError = last.last if isinstance(last, GivenUp) else last
        what = "can be kept" if isinstance(self.last, _OF_DISK) else "of use has come for long"
        super().__init__(f"nothing {what}, so no more is asked for: {self.last}")
        self.reason = last.reason


@dataclass(eq=False, slots=True)
class Attempt:
    """One piece of work at the source; a `Waiter`. Moments are of the event loop's clock.

    beside    all that its run has under way
    limit     ends it
    hour      that it is to bring; None where it asks for none
    open      requests that have left and are not over
    asked_at  when the first of these left
    heard_at  when bytes came last
    why       it was ended
    """

    beside: "Attempts"
    limit: asyncio.Timeout
    hour: int | None
    began: float
    open: int = 0
    asked_at: float = _NEVER
    heard_at: float = _NEVER
    why: GivenUp | None = None

    def require_waiting(self) -> None:
        """GivenUp where patience is over and nothing has come of this attempt."""
        if self.beside.given_up is not None and self.heard_at == _NEVER:
            raise GivenUp(self.beside.given_up)

    def asked(self) -> None:
        """A request leaves."""
        if not self.open:
            self.asked_at = self.beside.now()
        self.open += 1

    def heard(self) -> None:
        """Bytes of an answer came."""
        self.heard_at = self.beside.heard_at = self.beside.now()

    def over(self) -> None:
        """A request that had left is over."""
        self.open -= 1

    def may_ask_again(self, error: FetchError, pause_s: float) -> bool:
        """Whether asking again after *pause_s* is within what there is of patience."""
        return self.beside.may_ask_again(self, error, pause_s)

    def is_quiet(self, now: float) -> bool:
        """Whether it waits for an answer of which nothing comes in."""
        return self.open > 0 and now - max(self.asked_at, self.heard_at) >= QUIET_S

    def end(self, why: GivenUp) -> None:
        """Cancel its block, which raises *why* then."""
        self.why = why
        self.limit.reschedule(self.beside.now())


class Attempts:
    """All that one run has under way at its source.

    given_up  patience is over, and why; None while it is not
    heard_at  when bytes of any answer came last
    """

    def __init__(self, patience_s: float) -> None:
        self._loop = asyncio.get_running_loop()
        self.now = self._loop.time  # as all back-offs, in real seconds
        self.given_up: GivenUp | None = None
        self.heard_at = _NEVER
        self._patience_s = patience_s
        self._settled_at = self.now()
        self._failing_since: float | None = None
        self._failing: set[int | None] = set()  # hours, since then
        self._last: FetchError | None = None
        self._under_way: set[Attempt] = set()
        self._timer: asyncio.TimerHandle | None = None

    @asynccontextmanager
    async def one(self, hour: int | None = None) -> AsyncIterator[Attempt]:
        """The block asks the source. GivenUp where it may not, or was ended."""
        attempt: Attempt | None = None
        try:
            async with asyncio.timeout(None) as limit:
                attempt = Attempt(self, limit, hour, self.now())
                told = waiter.set(attempt)
                self._under_way.add(attempt)
                self._look_again()
                try:
                    yield attempt
                finally:
                    self._under_way.discard(attempt)
                    waiter.reset(told)
        except TimeoutError as error:
            if attempt is None or attempt.why is None:
                raise
            raise attempt.why from error

    def settle(self) -> None:
        """An hour has come, or will not: the source has said so, or it alone was given up."""
        self._settled_at = self.now()
        self._failing_since = self._last = self.given_up = None
        self._failing.clear()

    def may_ask_again(self, attempt: Attempt, error: FetchError, pause_s: float) -> bool:
        """Whether to repeat what failed after *pause_s*. If not, and nothing is `given_up`, it is
        the attempt's hour alone that is given up: no other one has failed, and nor need it.
        """
        self._last = error
        self._failing.add(attempt.hour)
        if self._failing_since is None:
            self._failing_since = max(attempt.began, self._settled_at)
        silent_s = self.now() - self._failing_since
        if silent_s + pause_s <= self._patience_s and not isinstance(error, DiskUnusable):
            return True
        is_alone = not error.holds_run and self._failing == {attempt.hour}
        if self.given_up is None and not is_alone:
            self._give_up(error, silent_s)
        return False

    def _give_up(self, error: FetchError, silent_s: float) -> None:
        self.given_up = GivenUp(error)
        why = {"reason": error.reason, "detail": str(error)}
        if isinstance(error, _OF_DISK):
            _log.warning("pipeline.cache_given_up", **why)
        else:
            _log.warning("pipeline.source_given_up", **why, silent_s=round(silent_s))

    def _look_again(self) -> None:
        if self._timer is None and self._under_way:
            self._timer = self._loop.call_later(LOOK_S, self._look)

    def _look(self) -> None:
        self._timer = None
        now = self.now()
        silent_s = now - self._silent_since(now)
        if self.given_up is None and silent_s >= self._patience_s:
            error = self._last or TimedOut(f"not a byte of an answer for {silent_s:.0f} s")
            self._give_up(error, silent_s)
        if self.given_up is not None:
            for attempt in [each for each in self._under_way if each.is_quiet(now)]:
                self._under_way.discard(attempt)
                attempt.end(GivenUp(self.given_up))
        self._look_again()

    def _silent_since(self, now: float) -> float:
        """Since when nothing comes, if something is waited for; else *now*."""
        asking = [attempt for attempt in self._under_way if attempt.open]
        if not asking:
            return now
        if self._failing_since is not None and all(each.is_quiet(now) for each in asking):
            return max(self._failing_since, self.heard_at)
        first = min(attempt.asked_at for attempt in asking)
        return max(first, self.heard_at, self._settled_at)
