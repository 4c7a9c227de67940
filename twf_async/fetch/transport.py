"""Asks any source, and hands on what it answers if it is good.

Owns politeness (pace, breaker, number of connections) and turns what aiohttp and the other side
do into our errors. Knows nothing of GRIB or models.
"""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
from yarl import URL

from twf_async.fetch.answers import (
    PEEK_BYTES,
    Blocked,
    error_of_kind,
    is_redirect,
    require_good_status,
    require_no_page,
)
from twf_async.fetch.body import Answer, beginning
from twf_async.fetch.errors import (
    BrokenStream,
    Forbidden,
    NotYetPublished,
    Refused,
    TimedOut,
    Unreachable,
)
from twf_async.fetch.host import Host, Request, Tally
from twf_async.fetch.session import Session
from twf_async.fetch.spans import range_header
from twf_async.fetch.waiter import waiter
from twf_async.settings.service import UpstreamSettings

_PATIENT_READS = 4  # of no byte at all each: what the beginning of an answer may take in all
_SLOWEST_BYTES_PER_S = 64 * 1024  # a source that drips slower than this is as good as stalled


class Transport:
    """Asks politely, one session for all. Start `session` before, stop it after."""

    def __init__(self, settings: UpstreamSettings) -> None:
        self._settings = settings
        self.session = Session(settings)
        self._connections = asyncio.Semaphore(settings.connections)
        self._per_model: defaultdict[str, asyncio.Semaphore] = defaultdict(
            lambda: asyncio.Semaphore(settings.connections_per_model)
        )

    @asynccontextmanager
    async def ask(self, host: Host, request: Request, tally: Tally) -> AsyncIterator[Answer]:
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
                within_s = self._settings.connect_timeout_s
                raise Unreachable(
                    f"{URL(request.url).origin()}: its name was not resolved,"
                    f" or no connection made, within {within_s:g} s; {_check(host)}"
                ) from error
            except aiohttp.SocketTimeoutError as error:
                silent_s = self._settings.read_timeout_s
                raise TimedOut(f"silent for {silent_s:g} s: {request.url}") from error
            except TimeoutError as error:
                raise TimedOut(f"no end after {deadline_s:.0f} s: {request.url}") from error
            except aiohttp.ClientConnectorError as error:
                raise _unreachable(host, request, error) from error
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
            await self._turn(host, request, tally)
            waits = waiter.get()
            waits.asked()
            try:
                async with (
                    asyncio.timeout(deadline_s),
                    self._open(url, request, host, tally) as response,
                ):
                    host.skew.note(response.headers)
                    peek = await beginning(response, self._settings.read_timeout_s)
                    tally.received(request.kind, len(peek))
                    onward = None if last_hop else _onward(response)
                    if onward is None:
                        yield self._good(host, request, response, peek, tally)
                        return
                    url = onward
            finally:
                waits.over()
                host.breaker.ended()

    def _open(
        self, url: URL, request: Request, host: Host, tally: Tally
    ) -> "aiohttp.client._RequestContextManager":
        headers = {}
        if request.spans:
            headers["Range"] = range_header(request.spans)
        sent = False

        async def count_repeats(
            outgoing: aiohttp.ClientRequest, send: aiohttp.ClientHandlerType
        ) -> aiohttp.ClientResponse:
            # aiohttp repeats a request by itself where the connection dropped before an answer.
            nonlocal sent
            if sent:
                await self._turn(host, request, tally)
            sent = True
            return await send(outgoing)

        return self.session.client.request(
            "HEAD" if request.headers_only else "GET",
            url,
            headers=headers,
            allow_redirects=False,
            middlewares=(count_repeats,),
        )

    async def _turn(self, host: Host, request: Request, tally: Tally) -> None:
        host.breaker.require_open()
        await host.pacer.wait(request.model)
        waiter.get().require_waiting()
        host.breaker.enter()
        tally.sent(host.name)

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
            if response.status == 206 and not request.spans:
                raise BrokenStream(f"{request.url}: a part comes, the whole was asked for")
        except Blocked as blocked:
            raise host.breaker.throttled(str(blocked), blocked.retry_after_s) from None
        except Forbidden as error:
            raise host.breaker.forbidden(response.url.parent.path, error) from None
        except NotYetPublished:
            host.breaker.good()
            raise
        host.breaker.good()
        return Answer(response, peek, request.kind, tally, self._settings.read_timeout_s)


def _unreachable(host: Host, request: Request, error: aiohttp.ClientConnectorError) -> Unreachable:
    url, why = URL(request.url), error.os_error.strerror or error
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return Unreachable(f"the name {url.host} cannot be resolved ({why}); {_check(host)}")
    return Unreachable(f"{url.origin()} does not answer ({why}); {_check(host)}")


def _check(host: Host) -> str:
    return f"check upstream.{host.name}_url and the network"


def _onward(response: aiohttp.ClientResponse) -> URL | None:
    """Where a redirect within the same host leads; None for everything else."""
    location = response.headers.get("Location")
    if not is_redirect(response.status) or not location:
        return None
    try:
        target = response.url.join(URL(location, encoded=True))
        same_host = target.host == response.url.host
    except ValueError:  # also raised by `host`, for a port that cannot be
        return None
    return target if same_host else None
