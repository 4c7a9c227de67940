"""The rate limit of NOMADS: hits per minute and client, then a redirect to nowhere (nomads.md 2.6).

Counted in real seconds: a client's budget is real whatever the replica's clock does.
"""

import time
from collections import defaultdict, deque
from dataclasses import dataclass

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from twf_async.replica import pages
from twf_async.replica.hits import HIT

WINDOW_S = 60.0


@dataclass(frozen=True, slots=True)
class Limit:
    """hits_per_min above which a client is blocked for block_s.

    extends  True: every request during the block starts it anew
    """

    hits_per_min: int = 120
    block_s: float = 60.0
    extends: bool = False


class RateLimiter:
    """Counts every request of every client address, whatever its answer will be."""

    def __init__(self, limit: Limit) -> None:
        self._limit = limit
        self._times: defaultdict[str, deque[float]] = defaultdict(deque)
        self._blocked_until: dict[str, float] = {}

    def allows(self, client: str, now_s: float) -> bool:
        """Enter a request of *client* at *now_s* (monotonic) and say whether it is served."""
        times = self._times[client]
        if now_s < self._blocked_until.get(client, 0.0):
            if self._limit.extends:
                self._blocked_until[client] = now_s + self._limit.block_s
            return False
        while times and times[0] <= now_s - WINDOW_S:
            times.popleft()
        times.append(now_s)
        if len(times) <= self._limit.hits_per_min:
            return True
        times.clear()
        self._blocked_until[client] = now_s + self._limit.block_s
        return False

    def middleware(self) -> Middleware:
        """Return the middleware that answers for the server while a client is blocked."""

        @web.middleware
        async def limit(request: web.Request, handler: Handler) -> web.StreamResponse:
            if self.allows(request.remote or "", time.monotonic()):
                return await handler(request)
            request[HIT].fault = "over the limit"
            # The redirect has no Location: raise_for_status() of most clients lets it pass.
            return web.Response(
                status=302,
                reason=pages.LIMIT_REASON,
                text=pages.LIMIT,
                content_type="text/html",
                headers={"Server": "AkamaiGHost"},
            )

        return limit
