"""When an hour came, and when one is expected: what these are, and how the first is told. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from twf_async.plan.runs import cycle_time

FOREIGN = timedelta(seconds=60)  # a Last-Modified this far ahead is of another clock


@dataclass(frozen=True, slots=True)
class Arrival:
    """An hour of a run was there from then on."""

    cycle: str
    hour: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Window:
    """An hour is expected from `low` to `high`, and most likely at `likely`.

    earliest  it has never come before `low`, but may, from then on: worth a look now and then
    """

    low: datetime
    likely: datetime
    high: datetime
    earliest: datetime | None = None

    @property
    def width(self) -> timedelta:
        """How long it takes to pass."""
        return self.high - self.low


def arrived_at(
    cycle: str,
    *,
    seen_at: datetime,
    missed_at: datetime | None = None,
    modified_at: datetime | None = None,
) -> datetime | None:
    """When an hour really came, by our clock; None where that cannot be told.

    seen_at      we found it
    missed_at    we had looked before, and it was not there
    modified_at  its Last-Modified: often before the other side shows the file, so a look that
                 missed later than that counts more
    """
    if modified_at is not None and cycle_time(cycle) < modified_at <= seen_at + FOREIGN:
        return min(max(modified_at, missed_at or modified_at), seen_at)
    return None if missed_at is None else seen_at
