"""Whether a part of the service gets on: it says itself by when it will be seen again."""

import time
from collections.abc import Callable
from math import inf


class Pulse:
    """Of one part, which calls `within` each time around, before whatever may take long.

    part      its name, for log and status: "poller:gfs"
    may_wait  it passes the gate: while that is shut nothing is expected of it
    """

    def __init__(
        self, part: str, *, may_wait: bool = False, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self.part, self.may_wait = part, may_wait
        self._monotonic = monotonic
        self._said_at_s, self._within_s = 0.0, inf

    def within(self, seconds: float) -> None:
        """It will be seen again in so many seconds at most."""
        self._said_at_s, self._within_s = self._monotonic(), seconds

    def late_s(self, not_before_s: float = -inf) -> float:
        """For how long it should have been seen, 0 if it is in time.

        not_before_s  of the monotonic clock: what it said counts from then on at the earliest
        """
        due_s = max(self._said_at_s, not_before_s) + self._within_s
        return max(0.0, self._monotonic() - due_s)
