"""The budget of one host: how fast it is asked, and who goes first when many want to.

NOMADS blocks an address above 120 hits a minute and takes bursts for a robot's; evenly, 100 a
minute are known to be borne (nomads.md 2.6). Every request counts: inventories, 404s, retries.
"""

import asyncio
from collections import Counter, deque
from dataclasses import dataclass

from twf_async.settings.service import POLITE_PER_MIN

_MINUTE_S = 60.0
# Requests that leave evenly may arrive closer together, and a timer may fire early by its
# resolution (uvloop: 1 ms); 1 % is 0.6 s of slack over a minute.
_SLACK = 1.01
_IN_QUICK_STEP = 4  # an hour's: its inventory and three answers


class Allowance:
    """What may leave when, by a clock in seconds that is handed in.

    Over any 60 s at most *requests_per_min*; one each beat of 60 s / requests_per_min. After a
    quiet time the first four follow each other in quick step, as closely as is known to be borne
    and half a beat at the least. Never two at once.
    """

    def __init__(self, requests_per_min: float) -> None:
        self.requests_per_min = requests_per_min
        self._left: deque[tuple[float, str]] = deque()
        self._had: Counter[str] = Counter()
        self._in_step_at = float("-inf")  # when the next would leave if all had left evenly

    def free_at(self, now: float) -> float:
        """When the next request may leave; not before *now*."""
        self._forget(now)
        moments = [now, self._in_step_at - (_IN_QUICK_STEP - 1) * (self._beat_s - self._step_s)]
        if self._left:
            moments.append(self._left[-1][0] + self._step_s)
        allowed = max(int(self.requests_per_min), 1)
        if len(self._left) >= allowed:
            moments.append(self._left[-allowed][0] + _MINUTE_S * _SLACK)
        return max(moments)

    def leaves(self, now: float, who: str = "") -> None:
        """A request leaves."""
        self._left.append((now, who))
        self._had[who] += 1
        self._in_step_at = max(now, self._in_step_at) + self._beat_s

    def had(self, who: str) -> int:
        """How many requests of *who* left in the last minute."""
        return self._had[who]

    def last_minute(self, now: float) -> int:
        """How many requests left in the last 60 s."""
        return sum(left > now - _MINUTE_S for left, _ in self._left)

    @property
    def _beat_s(self) -> float:
        return _MINUTE_S * _SLACK / self.requests_per_min

    @property
    def _step_s(self) -> float:
        """No two requests are closer to each other."""
        borne_s = _MINUTE_S * _SLACK / POLITE_PER_MIN
        return min(self._beat_s, max(self._beat_s / 2, borne_s))

    def _forget(self, now: float) -> None:
        while self._left and self._left[0][0] <= now - _MINUTE_S * _SLACK:
            _, who = self._left.popleft()
            self._had[who] -= 1
            if not self._had[who]:
                del self._had[who]


@dataclass(eq=False, slots=True)
class _Turn:
    """Somebody who waits for a turn, in the order of coming."""

    who: str
    given: asyncio.Future[None]


class Pacer:
    """Gives turns as the allowance has them.

    Of those who wait, whoever had the fewest turns in the last minute comes first: a run that is
    caught up with in hundreds of requests does not hold up an hour that has just appeared and needs
    four.
    """

    def __init__(self, requests_per_min: float) -> None:
        self._allowance = Allowance(requests_per_min)
        self._waiting: list[_Turn] = []
        self._timer: asyncio.TimerHandle | None = None

    @property
    def requests_per_min(self) -> float:
        """May be set anew at any time."""
        return self._allowance.requests_per_min

    @requests_per_min.setter
    def requests_per_min(self, value: float) -> None:
        self._allowance.requests_per_min = value

    async def wait(self, who: str = "") -> None:
        """Return when one request may leave; the caller must then send it.

        who     whose it is, for fairness: a model
        """
        loop = asyncio.get_running_loop()
        turn = _Turn(who, loop.create_future())
        self._waiting.append(turn)
        self._arrange(loop)
        try:
            await turn.given
        except asyncio.CancelledError:
            if turn in self._waiting:
                self._waiting.remove(turn)
            raise

    def last_minute(self) -> int:
        """How many requests left in the last 60 s."""
        return self._allowance.last_minute(asyncio.get_running_loop().time())

    def _arrange(self, loop: asyncio.AbstractEventLoop) -> None:
        """See to it that the next turn is given in time; at most one timer runs."""
        if self._waiting and self._timer is None:
            self._timer = loop.call_at(self._allowance.free_at(loop.time()), self._give, loop)

    def _give(self, loop: asyncio.AbstractEventLoop) -> None:
        self._timer = None
        now, allowance = loop.time(), self._allowance
        # Who was cancelled just now has not had the time to leave the queue.
        self._waiting = [turn for turn in self._waiting if not turn.given.cancelled()]
        if self._waiting and allowance.free_at(now) <= now:
            turn = min(self._waiting, key=lambda turn: allowance.had(turn.who))
            self._waiting.remove(turn)
            allowance.leaves(now, turn.who)
            turn.given.set_result(None)
        self._arrange(loop)
