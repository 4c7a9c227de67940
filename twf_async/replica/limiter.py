"""The rate limit of NOMADS: hits per minute and client, then a redirect to nowhere (nomads.md 2.6).

Counted in real seconds: a client's budget is real whatever the replica's clock does.
"""

import time
from collections import defaultdict, deque
from http.cookies import SimpleCookie

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from twf_async.replica import pages
from twf_async.replica.hits import HIT
from twf_async.replica.limit import Burst, Limit, Refusal

WINDOW_S = 60.0
COOKIE = "ak_bmsc"
AKAMAI = {"Server": "AkamaiGHost"}


class RateLimiter:
    """Counts every request of every client address, whatever its answer will be."""

    def __init__(self, limit: Limit | None, burst: Burst | None = None) -> None:
        self.set(limit, burst)

    def set(self, limit: Limit | None, burst: Burst | None) -> None:
        """Follow other rules from now on; nobody is blocked. None: no such rule."""
        self._limit = limit
        self._burst = burst
        self._times: defaultdict[str, deque[float]] = defaultdict(deque)
        self._blocked_until: dict[str, float] = {}
        self._bursts: defaultdict[str, deque[float]] = defaultdict(deque)
        self._suspected: defaultdict[str, int] = defaultdict(int)

    @property
    def gives_cookies(self) -> bool:
        """True where a client without the cookie is watched."""
        return self._burst is not None

    def allows(self, client: str, now_s: float) -> bool:
        """Enter a request of *client* at *now_s* (monotonic) and say whether it is served."""
        if self._limit is None:
            return True
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

    def trusts(self, client: str, now_s: float) -> bool:
        """Enter a request without the cookie and say whether it passes for a person's."""
        if self._burst is None:
            return True
        if self._suspected[client]:
            self._suspected[client] -= 1
            return False
        times = self._bursts[client]
        while times and times[0] <= now_s - self._burst.window_s:
            times.popleft()
        times.append(now_s)
        if len(times) <= self._burst.requests:
            return True
        times.clear()
        self._suspected[client] = self._burst.times - 1
        return False

    def middleware(self) -> Middleware:
        """Return the middleware that answers for the server while a client is blocked."""

        @web.middleware
        async def limit(request: web.Request, handler: Handler) -> web.StreamResponse:
            now_s, client = time.monotonic(), request.remote or ""
            if not self.allows(client, now_s):
                request[HIT].fault = "over the limit"
                return over_limit(self._limit.refusal if self._limit else Refusal.REDIRECT)
            if not self.gives_cookies or COOKIE in request.cookies:
                return await handler(request)
            if not self.trusts(client, now_s):
                request[HIT].fault = "taken for a bot"
                return bare_redirect()
            response = await handler(request)
            cookie = SimpleCookie({COOKIE: f"{time.time_ns():X}"})
            cookie[COOKIE]["path"], cookie[COOKIE]["max-age"] = "/", 7200
            response.headers.add("Set-Cookie", cookie[COOKIE].OutputString())
            return response

        return limit


def over_limit(refusal: Refusal) -> web.Response:
    """Return the page of a block. Of its redirect most clients' raise_for_status() knows nothing:
    it has no Location.
    """
    if refusal is Refusal.BLOCK:
        return web.Response(
            status=403, text=pages.BLOCKED, content_type="text/html", headers=AKAMAI
        )
    redirects = refusal is Refusal.REDIRECT
    return web.Response(
        status=302 if redirects else 200,
        reason=pages.LIMIT_REASON if redirects else None,
        text=pages.LIMIT,
        content_type="text/html",
        headers=AKAMAI,
    )


def bare_redirect() -> web.Response:
    """Return the answer of the bot mitigation: 302, and nothing else."""
    return web.Response(status=302, headers=AKAMAI)
