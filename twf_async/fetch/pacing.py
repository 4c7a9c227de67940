"""When a host is left alone. One of each per host, shared by all; its pace is the pacer's."""

import asyncio
from collections import OrderedDict

import structlog

from twf_async.fetch.errors import Forbidden, Throttled
from twf_async.fetch.patience import Patience

_PROBE_S = 2.0
_CLOSED_MEANS_SHUT = 3  # directories, one after the other with no good answer between
_DIRECTORIES_TOLD = 64


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
        self._closed: set[str] = set()
        self._told: OrderedDict[str, None] = OrderedDict()
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
        """The host answered as it should; "not there" is such an answer too."""
        self._strikes = 0
        self._probing = False
        self._closed.clear()

    def forbidden(self, directory: str, error: Forbidden) -> Forbidden | Throttled:
        """One directory is closed to us; returns the error to raise.

        That concerns who wanted something of it. But where several are closed and nothing else is
        open, it is the host that is.
        """
        self._closed.add(directory)
        if len(self._closed) >= _CLOSED_MEANS_SHUT:
            return self.throttled(f"{len(self._closed)} directories are closed: {error}")
        if directory not in self._told:
            self._told[directory] = None
            while len(self._told) > _DIRECTORIES_TOLD:
                self._told.popitem(last=False)
            self._log.warning(
                "fetch.directory_forbidden",
                source=self._host,
                directory=directory,
                reason=str(error),
            )
        return error

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
        error = Throttled(f"{self._host}: {what}", retry_after_s=self.throttled_for_s)
        error.answered = True
        return error
