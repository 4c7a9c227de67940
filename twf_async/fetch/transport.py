"""One HTTP session for everything that is asked of any source.

Owns politeness (pace, breaker, number of connections) and turns what aiohttp and the other side
do into our errors. Knows nothing of GRIB or models.
"""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

import aiohttp
from yarl import URL

from twf_async import __version__
from twf_async.fetch.answers import (
    PEEK_BYTES,
    Blocked,
    error_of_kind,
    is_redirect,
    require_good_status,
    require_no_page,
)
from twf_async.fetch.errors import BrokenStream, Refused, TimedOut, Unreachable
from twf_async.fetch.pacing import Breaker, Pacer
from twf_async.settings.service import UpstreamSettings

_CHUNK = 1 << 20
_PATIENT_READS = 4  # of no byte at all each: what the beginning of an answer may take in all
_SLOWEST_BYTES_PER_S = 64 * 1024  # a source that drips slower than this is as good as stalled


@dataclass(frozen=True, slots=True)
class Host:
    """One source's budget and breaker."""

    name: str
    pacer: Pacer
    breaker: Breaker


@dataclass(slots=True)
class Tally:
    """What one piece of work has cost so far."""

    requests: int = 0
    received_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Request:
    """One GET.

    model   whose connections it takes
    start, end   a byte range, end exclusive (None: to the end); start None asks for the whole
    recent  whether it is too young to have been cleared away
    expected_bytes  for the deadline only
    """

    url: str
    model: str
    start: int | None = None
    end: int | None = None
    recent: bool = True
    expected_bytes: int = 0


class Answer:
    """A good answer whose body is still coming. `peek` is its beginning, read already."""

    def __init__(
        self, response: aiohttp.ClientResponse, peek: bytes, tally: Tally, silence_s: float
    ) -> None:
        self.status = response.status
        self.headers: Mapping[str, str] = response.headers
        self.peek = peek
        self._response = response
        self._tally = tally
        self._silence_s = silence_s

    async def chunks(self) -> AsyncIterator[bytes]:
        """The body, `peek` included, in pieces of at most 1 MiB. Once."""
        if self.peek:
            yield self.peek
        async for chunk in _listen(self._response.content.iter_chunked(_CHUNK), self._silence_s):
            self._tally.received_bytes += len(chunk)
            yield chunk


class Transport:
    """Asks politely, one session for all."""

    def __init__(self, settings: UpstreamSettings) -> None:
        self._settings = settings
        self._session: aiohttp.ClientSession | None = None
        self._under_way = 0
        self._idle = asyncio.Event()
        self._idle.set()
        self._connections = asyncio.Semaphore(settings.connections)
        self._per_model: defaultdict[str, asyncio.Semaphore] = defaultdict(
            lambda: asyncio.Semaphore(settings.connections_per_model)
        )

    async def start(self) -> None:
        """Open the session; nothing is sent."""
        settings = self._settings
        contact = f" (+{settings.contact})" if settings.contact else ""
        self._session = aiohttp.ClientSession(
            # NOMADS answers clients that lose its cookie with redirects to nowhere (nomads.md
            # 2.6); `unsafe` keeps cookies from an address without a name, a replica's.
            cookie_jar=aiohttp.CookieJar(unsafe=True),
            headers={
                "User-Agent": f"twf_async/{__version__}{contact}",
                "Accept-Encoding": "identity",
            },
            timeout=aiohttp.ClientTimeout(
                total=None, connect=settings.connect_timeout_s, sock_read=settings.read_timeout_s
            ),
            connector=aiohttp.TCPConnector(limit=settings.connections),
            read_bufsize=_CHUNK,
        )

    async def stop(self) -> None:
        """Close the session. May be called twice."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def retire(self) -> None:
        """Close the session once nobody uses it any more, cancelled or not."""
        try:
            while self._under_way:
                await self._idle.wait()
        finally:
            await self.stop()

    @asynccontextmanager
    async def hold(self) -> AsyncIterator[None]:
        """Keep the session open for several requests that belong together."""
        self._under_way += 1
        self._idle.clear()
        try:
            yield
        finally:
            self._under_way -= 1
            if not self._under_way:
                self._idle.set()

    @asynccontextmanager
    async def get(self, host: Host, request: Request, tally: Tally) -> AsyncIterator[Answer]:
        """Ask, and yield the answer if it is good and does not begin like a page.

        raises  Throttled at once while the host is left alone; every SourceError that status,
                headers and first bytes tell of; and while the body is read in the block:
                BrokenStream, TimedOut
        """
        deadline_s = (
            _PATIENT_READS * self._settings.read_timeout_s
            + request.expected_bytes / _SLOWEST_BYTES_PER_S
        )
        async with self._per_model[request.model], self._connections:
            try:
                async with self._answer(host, request, tally, deadline_s) as answer:
                    yield answer
            except aiohttp.ConnectionTimeoutError as error:
                raise error_of_kind(Unreachable, error) from error
            except TimeoutError as error:
                raise TimedOut(f"{request.url}: no end after {deadline_s:.0f} s") from error
            except aiohttp.ClientConnectorError as error:
                why = error.os_error.strerror or error
                raise Unreachable(
                    f"{URL(request.url).origin()} does not answer ({why});"
                    " check upstream.nomads_url and the network"
                ) from error
            except (aiohttp.InvalidURL, aiohttp.NonHttpUrlClientError) as error:
                raise Refused(f"{request.url}: not a URL that can be asked") from error
            except aiohttp.ClientError as error:
                raise error_of_kind(BrokenStream, error) from error

    @asynccontextmanager
    async def _answer(
        self, host: Host, request: Request, tally: Tally, deadline_s: float
    ) -> AsyncIterator[Answer]:
        url = URL(request.url, encoded=True)
        for last_hop in (False, True):
            await self._turn(host, tally)
            try:
                async with (
                    asyncio.timeout(deadline_s),
                    self._open(url, request, host, tally) as response,
                ):
                    peek = await _peek(response, self._settings.read_timeout_s)
                    tally.received_bytes += len(peek)
                    onward = None if last_hop else _onward(response)
                    if onward is None:
                        yield self._good(host, request, response, peek, tally)
                        return
                    url = onward
            finally:
                host.breaker.ended()

    def _open(
        self, url: URL, request: Request, host: Host, tally: Tally
    ) -> "aiohttp.client._RequestContextManager":
        if self._session is None:
            raise Refused("the transport is stopped")
        headers = {}
        if request.start is not None:
            last = "" if request.end is None else request.end - 1
            headers["Range"] = f"bytes={request.start}-{last}"
        sent = False

        async def count_repeats(
            outgoing: aiohttp.ClientRequest, send: aiohttp.ClientHandlerType
        ) -> aiohttp.ClientResponse:
            # aiohttp repeats a GET by itself where the connection dropped before an answer.
            nonlocal sent
            if sent:
                await self._turn(host, tally)
            sent = True
            return await send(outgoing)

        return self._session.get(
            url, headers=headers, allow_redirects=False, middlewares=(count_repeats,)
        )

    async def _turn(self, host: Host, tally: Tally) -> None:
        host.breaker.require_open()
        await host.pacer.wait()
        host.breaker.enter()
        tally.requests += 1

    def _good(
        self,
        host: Host,
        request: Request,
        response: aiohttp.ClientResponse,
        peek: bytes,
        tally: Tally,
    ) -> Answer:
        try:
            require_good_status(
                response.status,
                response.reason or "",
                response.headers,
                peek[:PEEK_BYTES],
                recent=request.recent,
            )
            require_no_page(response.status, peek[:PEEK_BYTES])
        except Blocked as blocked:
            raise host.breaker.throttled(str(blocked), blocked.retry_after_s) from None
        host.breaker.good()
        return Answer(response, peek, tally, self._settings.read_timeout_s)


async def _listen(chunks: AsyncIterator[bytes], silence_s: float) -> AsyncIterator[bytes]:
    """Pass on *chunks*; TimedOut where none comes for *silence_s*.

    aiohttp's own `sock_read` does not end a body whose chunk is longer than it said: nothing more
    is read then, and nothing times out.
    """
    while True:
        try:
            async with asyncio.timeout(silence_s) as silence:
                chunk = await anext(chunks, None)
        except TimeoutError as error:
            if not silence.expired():
                raise
            raise TimedOut(f"no more of the answer for {silence_s:g} s") from error
        if chunk is None:
            return
        yield chunk


async def _peek(response: aiohttp.ClientResponse, silence_s: float) -> bytes:
    """The first bytes of the body; enough to tell data from a page."""
    peek = bytearray()
    async for chunk in _listen(response.content.iter_any(), silence_s):
        peek += chunk
        if len(peek) >= PEEK_BYTES or peek.startswith(b"GRIB"):
            break
    return bytes(peek)


def _onward(response: aiohttp.ClientResponse) -> URL | None:
    """Where a redirect within the same host leads; None for everything else."""
    location = response.headers.get("Location")
    if not is_redirect(response.status) or not location:
        return None
    try:
        target = response.url.join(URL(location, encoded=True))
    except ValueError:
        return None
    return target if target.host == response.url.host else None
