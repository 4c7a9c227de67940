"""The HTTP session: what every request carries, and how long it is kept open."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import structlog

from twf_async import __version__
from twf_async.fetch.body import CHUNK_BYTES
from twf_async.fetch.errors import Refused
from twf_async.settings.service import UpstreamSettings


class Session:
    """One aiohttp session for all sources: cookies, names and connections are shared."""

    def __init__(self, settings: UpstreamSettings) -> None:
        self._settings = settings
        self._log = structlog.get_logger(component="fetch")
        self._client: aiohttp.ClientSession | None = None
        self._under_way = 0
        self._idle = asyncio.Event()
        self._idle.set()

    @property
    def client(self) -> aiohttp.ClientSession:
        """The open session. Refused where there is none."""
        if self._client is None:
            raise Refused("the transport is stopped")
        return self._client

    async def start(self) -> None:
        """Open the session; nothing is sent."""
        settings = self._settings
        if settings.lacks_contact:
            self._log.warning("fetch.contact_missing", setting="upstream.contact")
        contact = f" (+{settings.contact})" if settings.contact else ""
        self._client = aiohttp.ClientSession(
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
            read_bufsize=CHUNK_BYTES,
        )

    async def stop(self) -> None:
        """Close the session. May be called twice."""
        client, self._client = self._client, None
        if client is not None:
            await client.close()

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
