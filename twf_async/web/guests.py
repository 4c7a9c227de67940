"""Who is inside the web server: how many, and whether they read what they asked for."""

import asyncio
from typing import cast

import structlog
from aiohttp import web
from prometheus_client import Counter, Gauge

LEAST_BYTES = 8192  # that one has to take between two looks at him: a line of 2 kbit/s
EASED = 0.9  # of the connections that are let in: crowded no more
BUSY = (
    b"HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json\r\nRetry-After: 30\r\n"
    b"Content-Length: 39\r\nConnection: close\r\n\r\n"
    b'{"error": "too many readers just now"}\n'
)

_INSIDE = Gauge("twf_web_connections", "Connections to the web server.")
_REFUSED = Counter("twf_web_connections_refused", "Connections refused because of their number.")
_STALLED = Counter("twf_web_connections_stalled", "Connections ended as the reader did not read.")


class Door:
    """Makes a protocol for each connection, and lets so many in."""

    def __init__(self, server: web.Server, most: int, look_s: float, most_unread: int) -> None:
        self.server, self.look_s = server, look_s
        self._most, self._inside = most, 0
        self._most_unread = most_unread
        self._behind: dict[_Guest, None] = {}  # the one that fell behind first is the first
        self._is_crowded = False
        self._log = structlog.get_logger(component="web")

    def __call__(self) -> asyncio.Protocol:
        """What is to speak with a new connection."""
        return _Guest(self)

    def enter(self) -> bool:
        """Whether one more may come in."""
        if self._inside >= self._most:
            _REFUSED.inc()
            if not self._is_crowded:
                self._is_crowded = True
                self._log.warning("web.crowded", connections=self._inside)
            return False
        self._inside += 1
        _INSIDE.set(self._inside)
        return True

    def leave(self) -> None:
        """One that had come in is gone."""
        self._inside -= 1
        _INSIDE.set(self._inside)
        if self._inside <= EASED * self._most:
            self._is_crowded = False

    def fell_behind(self, guest: "_Guest") -> None:
        """Bytes wait for one who does not read as quickly; of too many, who waits longest goes.

        Each answer may be 1 MB that nobody shares: 2000 that nobody reads are more than there is.
        """
        self._behind[guest] = None
        unread = sum(each.unread for each in self._behind)
        while unread > self._most_unread and len(self._behind) > 1:
            first = next(iter(self._behind))
            del self._behind[first]
            unread -= first.unread
            first.end()

    def caught_up(self, guest: "_Guest") -> None:
        """Nothing waits for this one any more, or he is gone."""
        self._behind.pop(guest, None)


class _Guest(asyncio.Protocol):
    """One connection: the server's own protocol behind it, once it is let in."""

    def __init__(self, door: Door) -> None:
        self._door = door
        self._inner: asyncio.Protocol | None = None
        self._transport: asyncio.Transport | None = None
        self._look: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        if not self._door.enter():
            self._transport.write(BUSY)
            self._transport.close()
            return
        self._inner = self._door.server()
        self._inner.connection_made(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        self._forget_look()
        if self._inner is not None:
            self._door.leave()
            self._inner.connection_lost(exc)
            self._inner = None

    def data_received(self, data: bytes) -> None:
        if self._inner is not None:
            self._inner.data_received(data)

    def eof_received(self) -> bool | None:
        return None if self._inner is None else self._inner.eof_received()

    def pause_writing(self) -> None:
        """The reader is behind: from now on it is seen whether it gets on."""
        if self._inner is not None:
            self._inner.pause_writing()
            self._look_later()
            self._door.fell_behind(self)

    def resume_writing(self) -> None:
        self._forget_look()
        if self._inner is not None:
            self._inner.resume_writing()

    def _look_later(self) -> None:
        if self._transport is None:
            return
        loop = asyncio.get_running_loop()
        self._look = loop.call_later(self._door.look_s, self._see, self.unread)

    def _see(self, before: int) -> None:
        if self._transport is None:
            return
        if before - self.unread < LEAST_BYTES:
            self.end()
        else:
            self._look_later()

    @property
    def unread(self) -> int:
        """Bytes that wait to be taken."""
        return 0 if self._transport is None else self._transport.get_write_buffer_size()

    def end(self) -> None:
        """Let go of one who does not read."""
        if self._transport is not None:
            _STALLED.inc()
            self._transport.abort()

    def _forget_look(self) -> None:
        self._door.caught_up(self)
        if self._look is not None:
            self._look.cancel()
            self._look = None
