"""The hit log: every request the replica got, so that tests can judge a client's manners."""

import time
from collections import deque
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

import aiofiles
import orjson
from aiohttp import web
from aiohttp.typedefs import Handler, Middleware


class SaysNow(Protocol):
    """A clock: `twf_async.clock.Clock`, or one that a test sets by hand."""

    def now(self) -> datetime:
        """Return the time, aware UTC."""


@dataclass(slots=True)
class Hit:
    """One request.

    time        real time, ISO 8601 UTC
    clock       time on the replica's clock, ISO 8601 UTC
    monotonic_s real seconds, for windows: never jumps
    path, query  as sent, percent-encoded
    status      0 while the answer has not begun, or where none was given
    bytes       of the body handed to the transport so far
    took_s      0 until the answer is complete
    fault       what was done to this request on purpose, "" for nothing
    file        of the tree that was read for the answer, "" for none
    spans       (start, end) of the bytes of it: a static file's ranges, a filter's messages
    version     of the file: its size and time
    box         that a filter cut to, "" for none
    """

    time: str
    clock: str
    monotonic_s: float
    client: str
    method: str
    path: str
    query: str
    range: str
    user_agent: str
    status: int = 0
    bytes: int = 0
    took_s: float = 0.0
    fault: str = ""
    file: str = ""
    spans: tuple[tuple[int, int], ...] = ()
    version: str = ""
    box: str = ""

    def did(self, fault: str) -> None:
        """Enter another fault done to this request."""
        self.fault = f"{self.fault}; {fault}" if self.fault else str(fault)


HIT = web.RequestKey("hit", Hit)


class HitLog:
    """Keeps the last hits in memory, oldest first; appends all to a JSON-lines file if given."""

    def __init__(self, clock: SaysNow, file: Path | None = None, *, keep: int = 100_000) -> None:
        self.hits: deque[Hit] = deque(maxlen=keep)
        self.clock = clock
        self._file = file

    def middleware(self) -> Middleware:
        """Return the middleware that enters every request before anything else sees it."""

        @web.middleware
        async def count(request: web.Request, handler: Handler) -> web.StreamResponse:
            hit = request[HIT] = self._enter(request)
            self.hits.append(hit)
            try:
                response = await handler(request)
            except web.HTTPException as raised:
                hit.status = raised.status
                hit.bytes = len(raised.body) if isinstance(raised.body, bytes) else 0
                raise
            else:
                hit.status = response.status
                if isinstance(response, web.Response) and isinstance(response.body, bytes):
                    hit.bytes = 0 if request.method == "HEAD" else len(response.body)
                return response
            finally:
                hit.took_s = round(time.monotonic() - hit.monotonic_s, 6)
                await self._write(hit)

        return count

    async def note_status(self, request: web.Request, response: web.StreamResponse) -> None:
        """Enter the status as soon as the answer begins (an on_response_prepare signal)."""
        if HIT in request:
            request[HIT].status = response.status

    def _enter(self, request: web.Request) -> Hit:
        path, _, query = request.raw_path.partition("?")
        return Hit(
            time=datetime.now(UTC).isoformat(timespec="milliseconds"),
            clock=self.clock.now().isoformat(timespec="milliseconds"),
            monotonic_s=time.monotonic(),
            client=request.remote or "",
            method=request.method,
            path=path,
            query=query,
            range=request.headers.get("Range", ""),
            user_agent=request.headers.get("User-Agent", ""),
        )

    async def _write(self, hit: Hit) -> None:
        if self._file is not None:
            async with aiofiles.open(self._file, "ab") as stream:
                await stream.write(orjson.dumps(asdict(hit)) + b"\n")
