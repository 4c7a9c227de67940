"""How fast one host is asked, and when it is left alone. One of each per host, shared by all.

NOMADS blocks an address above 120 hits a minute and answers bursts with redirects to nowhere
(nomads.md 2.6). Every request counts: inventories, 404s, retries.
"""

import asyncio
from collections import deque

import structlog

from twf_async.fetch.errors import Throttled
from twf_async.fetch.patience import Patience

_MINUTE_S = 60.0
# Requests that leave evenly may arrive closer together, and a timer may fire early by its
# resolution (uvloop: 1 ms); 1 % is 0.6 s of slack over a minute.
_SLACK = 1.01
_PROBE_S = 2.0


class Pacer:
    """A token bucket that holds one token: requests leave at even distances, first come first.

    Over any 60 s at most *requests_per_min* leave, also right after a quiet time.
    """

    def __init__(self, requests_per_min: float) -> None:
        self.requests_per_min = requests_per_min
        self._turn = asyncio.Lock()
        self._free_at = 0.0
        self._left: deque[float] = deque()

    async def wait(self) -> None:
        """Return when one request may leave; the caller must then send it."""
        loop = asyncio.get_running_loop()
        async with self._turn:
            await asyncio.sleep(max(self._free_at - loop.time(), 0.0))
            now = loop.time()
            self._free_at = now + _MINUTE_S * _SLACK / self.requests_per_min
            self._left.append(now)
            self._forget(now)

    def last_minute(self) -> int:
        """How many requests left in the last 60 s."""
        self._forget(asyncio.get_running_loop().time())
        return len(self._left)

    def _forget(self, now: float) -> None:
        while self._left and self._left[0] <= now - _MINUTE_S:
            self._left.popleft()


class Breaker:
    """Leaves a host alone after it throttled us; then lets one request through to see.

    While it is shut nobody waits: `enter` raises at once, so that callers can turn to another
    source or come back when told.
    """

    def __init__(self, host: str, patience: Patience) -> None:
        self._host = host
        self._patience = patience
        self._strikes = 0
        self._shut_until = 0.0
        self._probing = False
        self._log = structlog.get_logger(component="fetch")

    @property
    def throttled_for_s(self) -> float:
        """Seconds until the host is asked again; 0 where it is not throttled."""
        return max(self._shut_until - asyncio.get_running_loop().time(), 0.0)

    def require_open(self) -> None:
        """Raise Throttled while the host is left alone."""
        if (left_s := self.throttled_for_s) > 0:
            raise Throttled(f"{self._host} throttled us; not asked for now", retry_after_s=left_s)

    def enter(self) -> None:
        """Raise Throttled unless a request may be sent now.

        Whoever passes must report: `good`, `throttled`, and `ended` in any case.
        """
        self.require_open()
        if self._strikes and self._probing:
            raise Throttled(
                f"{self._host} throttled us; one request is finding out whether it still does",
                retry_after_s=_PROBE_S,
            )
        self._probing = self._strikes > 0

    def good(self) -> None:
        """The host answered as it should."""
        self._strikes = 0
        self._probing = False

    def ended(self) -> None:
        """The request is over, whatever it told."""
        self._probing = False

    def throttled(self, what: str, at_least_s: float = 0.0) -> Throttled:
        """The host refused; returns the error to raise, with the pause for everybody.

        at_least_s  what the host itself asked for
        Requests that were already under way when it shut do not count as further strikes.
        """
        self._probing = False
        if not self.throttled_for_s:
            self._strikes += 1
            pause_s = max(self._patience.throttle_pause_s(self._strikes), at_least_s)
            self._shut_until = asyncio.get_running_loop().time() + pause_s
            self._log.warning(
                "fetch.throttled",
                source=self._host,
                reason=what,
                pause_s=round(pause_s, 1),
                times_in_a_row=self._strikes,
            )
        return Throttled(f"{self._host}: {what}", retry_after_s=self.throttled_for_s)
