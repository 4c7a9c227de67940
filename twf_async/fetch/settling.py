"""Whether a file may still be being written, or copied, by the other side.

On NOMADS the inventory, the expected fields and the walk through the sections stand for waiting: an
hour is taken as soon as its inventory is there. Of a mirror, whose inventory may be older than the
file, and of a file that failed its check, nothing is taken before the file has rested for the
model's settle time, or had the same length at two looks.
"""

from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from twf_async.clock import Clock
from twf_async.fetch.errand import Errand
from twf_async.fetch.errors import Unsettled
from twf_async.fetch.sources import NOMADS

# NOMADS writes a file in ten to twenty seconds, without a pause.
_BETWEEN_LOOKS = timedelta(seconds=10)
_FILES_REMEMBERED = 256


@dataclass(frozen=True, slots=True)
class Look:
    """How long a file was, and when it had been written to, at a moment of the service's clock."""

    size: int | None
    modified_at: datetime
    at: datetime

    def is_like(self, other: "Look") -> bool:
        """Whether nothing has been written between."""
        same_size = self.size is not None and self.size == other.size
        return same_size and self.modified_at == other.modified_at


class Settling:
    """Remembers which files are suspect, and how they looked."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._looks: OrderedDict[str, Look | None] = OrderedDict()  # by URL; None: not seen yet
        self._log = structlog.get_logger(component="fetch")

    def suspect(self, errand: Errand) -> None:
        """What came of this file failed its check."""
        self._looks.setdefault(errand.at.url, None)
        while len(self._looks) > _FILES_REMEMBERED:
            self._looks.popitem(last=False)

    def trust(self, errand: Errand) -> None:
        """What came of this file is good."""
        self._looks.pop(errand.at.url, None)

    def watches(self, errand: Errand) -> bool:
        """Whether the file must have settled before anything of it is taken."""
        return errand.at.source.name != NOMADS or errand.at.url in self._looks

    def require(self, errand: Errand, size: int | None, modified_at: datetime | None) -> None:
        """Return if the file has settled.

        size, modified_at  as the source says now, by our clock; where it tells no time, nothing can
                           be waited for
        raises  Unsettled, with the time in real seconds after which another look tells more
        """
        if modified_at is None:
            return
        at, url = errand.at, errand.at.url
        now = self._clock.now()
        look, before = Look(size, modified_at, now), self._looks.get(url)
        first = before if before is not None and look.is_like(before) else look
        self._looks[url] = first
        self._looks.move_to_end(url)
        while len(self._looks) > _FILES_REMEMBERED:
            self._looks.popitem(last=False)
        rested_at = modified_at + timedelta(seconds=at.model.settle_s)
        ready_at = min(rested_at, first.at + _BETWEEN_LOOKS)
        if now >= ready_at:
            return
        wait_s = self._clock.real_seconds((ready_at - now).total_seconds())
        age_s = round((now - modified_at).total_seconds(), 1)
        self._log.info(
            "fetch.unsettled",
            model=at.model.key,
            cycle=at.cycle,
            hour=at.hour,
            file=errand.name,
            source=at.source.name,
            reason=Unsettled.reason,
            age_s=age_s,
            size_bytes=size,
            pause_s=round(wait_s, 2),
        )
        raise Unsettled(f"{url}: written to {age_s} s ago", retry_after_s=wait_s)
