"""How far the machine's clock and another side's are apart: every answer says when it was given.

A Last-Modified is of the other side's clock. Read by ours while that is off, files would have been
written in the future, or have rested for an hour when they are a second old.
"""

import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import structlog

from twf_async.fetch.answers import moment_of

_TOLERATED = timedelta(minutes=2)  # for an answer may be on its way for long
_ALIKE = timedelta(seconds=30)
_LATELY_S = 600.0
_log = structlog.get_logger(component="fetch")


class Skew:
    """What one host's answers say. Two that agree are believed: one may come from a cache.

    A cache that tells no Age hands out what is of an earlier time, never of a later one. So where
    an answer has lately shown that the clocks agree, an old one only shows that it is old.
    """

    def __init__(self, host: str = "") -> None:
        self._host = host
        self._ahead = timedelta(0)  # of the other side's clock; what is believed
        self._last = timedelta(0)
        self._right_s = float("-inf")  # when an answer last agreed with our clock, monotonic
        self._told = False

    def note(self, headers: Mapping[str, str]) -> None:
        """An answer has just come."""
        given_at = moment_of(headers, "Date")
        if given_at is None:
            return
        age = headers.get("Age", "")
        if age.isascii() and age.isdigit():
            given_at += timedelta(seconds=min(int(age), 86_400))
        ahead = given_at - datetime.now(UTC)
        if abs(ahead) <= _TOLERATED:
            ahead = timedelta(0)
            self._right_s = time.monotonic()
        elif ahead < timedelta(0) and time.monotonic() - self._right_s < _LATELY_S:
            return
        agrees, self._last = abs(ahead - self._last) <= _ALIKE, ahead
        if agrees and abs(ahead - self._ahead) > _ALIKE:
            self._ahead = ahead  # else it stays: the same moment is to be the same each time
        if self._ahead and not self._told:
            self._told = True
            _log.warning(
                "fetch.clock_off",
                source=self._host,
                reason="the machine's clock is not that of the source: set it",
                ahead_s=-round(self._ahead.total_seconds()),
            )

    def by_ours(self, moment: datetime | None) -> datetime | None:
        """A moment of the other side's clock, by the machine's."""
        return None if moment is None else moment - self._ahead
