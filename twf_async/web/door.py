"""The door to the web server: how many may be inside at once, and for how long doing nothing.

The site is read by strangers. Every connection costs a file descriptor, which downloads, maps and
the ledger need too, and a reader who does not read holds a map's bytes in memory. A proxy in front
can do more (limits by address); this keeps the service whole without one.
"""

import logging
import resource
from typing import cast

from aiohttp import web
from aiohttp.http import HttpProcessingError

from twf_async.web.guests import Door

MOST = 2000  # connections
IDLE_S = 75.0  # without a whole request; longer than proxies keep theirs
LOOK_S = 30.0  # how often it is seen whether a reader reads
MOST_UNREAD = 256 << 20  # bytes that wait for readers, all together: 1000 maps


def most_connections(most: int = MOST) -> int:
    """How many may be inside: half of the files that this process may have open stay its own."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return most if soft == resource.RLIM_INFINITY else min(most, soft // 2)


class GuardedRunner(web.AppRunner):
    """aiohttp's runner with a door before its server."""

    def __init__(
        self,
        app: web.Application,
        *,
        most: int | None = None,
        idle_s: float = IDLE_S,
        look_s: float = LOOK_S,
        most_unread: int = MOST_UNREAD,
        shutdown_timeout: float = 60.0,
    ) -> None:
        """*most*: connections at once; None: what the process's limit of open files carries.

        *most_unread*: bytes that may wait for readers who are behind
        """
        super().__init__(
            app,
            access_log=None,
            handle_signals=False,
            shutdown_timeout=shutdown_timeout,
            keepalive_timeout=idle_s,
            logger=_quiet_logger(),
        )
        self._most = most_connections() if most is None else most
        self._look_s, self._most_unread = look_s, most_unread
        self._door: Door | None = None

    @property
    def server(self) -> web.Server | None:
        """What makes a protocol for each connection: a site asks it for them."""
        inner = super().server
        if inner is not None and self._door is None:
            self._door = Door(inner, self._most, self._look_s, self._most_unread)
        return cast("web.Server | None", self._door)


class _NoStrangersFaults(logging.Filter):
    """A request that is none is its sender's fault: no line, let alone a traceback, for each."""

    def filter(self, record: logging.LogRecord) -> bool:
        fault = record.exc_info[1] if record.exc_info else None
        return not isinstance(fault, HttpProcessingError)


def _quiet_logger() -> logging.Logger:
    logger = logging.getLogger("aiohttp.server.public")
    if not logger.filters:
        logger.addFilter(_NoStrangersFaults())
    return logger
