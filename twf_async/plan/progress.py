"""Where a run is: its files, its products, and how it is worked through. Types only. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from render_farm.domain.fields import MessageKey
from twf_async.plan.arrivals import Window
from twf_async.plan.looks import Pace
from twf_async.plan.orders import ProductOrder
from twf_async.plan.selection import FILTER_REQUESTS

MISSES_PER_HOUR = 0.6  # looks that find nothing, of what an hour may cost
MISSES_AT_FIRST = 5  # before a run's first hours have shown how it goes
USUAL_REQUESTS = 4.0  # that an hour may cost; what a model has above is for looks alone
REQUESTS_PER_HOUR = 3.9  # of four at most; the rest finds the run and looks at it once more
FEWER_SPLITS = 2  # filter requests that bring an hour, where it has to cost less than usual
SAVED_MISSES = 0.6  # looks in vain that an hour costs even where they are saved


class FileStatus(StrEnum):
    """Where the files of one hour are."""

    PENDING = "pending"
    FETCHING = "fetching"
    FETCHED = "fetched"
    GIVEN_UP = "given up"


@dataclass(frozen=True, slots=True)
class FileState:
    """The files of one hour.

    not_before  when to ask again
    missed_at   when they were last asked for in vain
    missing     wanted but not in them
    reason, detail  why it has not come; of an hour that is here, why what is missing has not
    """

    status: FileStatus = FileStatus.PENDING
    not_before: datetime | None = None
    missed_at: datetime | None = None
    absences: int = 0
    failures: int = 0
    reason: str = ""
    detail: str = ""
    missing: frozenset[MessageKey] = frozenset()

    @property
    def gone(self) -> bool:
        """It will not come."""
        return self.status is FileStatus.GIVEN_UP


@dataclass(frozen=True, slots=True)
class Policy:
    """How a run is worked through.

    requests_per_hour  see `Model`
    deadline   after it, what is not there is given up ...
    stalls     ... once nothing has come for that long
    """

    ahead_hours: int = 6
    fetches_at_once: int = 2
    attempts: int = 5
    poll_s: float = 30.0
    batch: bool = False
    wait: bool = True
    requests_per_hour: float = USUAL_REQUESTS
    deadline: datetime | None = None
    stalls: timedelta = timedelta(0)

    @property
    def pace(self) -> Pace:
        """How often a run's hours may be looked for."""
        return Pace(self.poll_s, early=self.extra_looks > 0)

    @property
    def extra_looks(self) -> float:
        """Looks an hour that are paid for beside what every hour may cost."""
        return self.requests_per_hour - USUAL_REQUESTS


@dataclass(frozen=True, slots=True)
class Failed:
    """A product of an hour that cannot be drawn."""

    product: str
    reason: str
    detail: str


@dataclass(frozen=True, slots=True)
class Drawable:
    """What of an hour can be settled now: products with the inputs that exist, and failures."""

    hour: int
    orders: tuple[ProductOrder, ...]
    failed: tuple[Failed, ...]


@dataclass(frozen=True, slots=True)
class RunProgress:
    """A run on its way. waiting: products not yet handed out; drawing: those that are.

    at_edge        we have caught up with the other side, so hours are asked for one by one
    windows        when hours are expected, where that is known
    misses, came   looks that found nothing, and hours that were found
    progressed_at  when the last hour was found
    paid, requests hours that were downloaded, and what they have cost, inventories included, and
                   the looks in vain for the run itself
    """

    policy: Policy
    waiting: Mapping[int, tuple[ProductOrder, ...]]
    files: Mapping[int, FileState]
    drawing: Mapping[int, frozenset[str]] = field(default_factory=dict)
    hold_until: datetime | None = None
    at_edge: bool = False
    windows: Mapping[int, Window] = field(default_factory=dict)
    misses: int = 0
    came: int = 0
    progressed_at: datetime | None = None
    paid: int = 0
    requests: int = 0

    @property
    def finished(self) -> bool:
        """Every product of every hour is settled."""
        return not self.waiting and not self.drawing

    @property
    def eager(self) -> bool:
        """Whether looking at the likeliest moment is affordable: on average it misses half."""
        may_miss = MISSES_PER_HOUR + self.policy.extra_looks
        return self.misses <= may_miss * self.came + MISSES_AT_FIRST and not self.overdrawn

    @property
    def overdrawn(self) -> bool:
        """Whether more was asked than the hours still to come can make good by fewer splits."""
        if self.policy.extra_looks > 0:
            return False  # so many more that they make good whatever it is
        ahead = sum(state.status is FileStatus.PENDING for state in self.files.values())
        will_cost = self.requests + self.misses + (1 + FEWER_SPLITS + SAVED_MISSES) * ahead
        return will_cost > REQUESTS_PER_HOUR * (self.paid + ahead)

    @property
    def splits(self) -> int:
        """Filter requests that the next hour may take: looks in vain and repeats are made good."""
        may_cost = REQUESTS_PER_HOUR + self.policy.extra_looks
        left = may_cost * (self.paid + 1) - self.requests - self.misses
        return FILTER_REQUESTS if not self.paid or left >= 1 + FILTER_REQUESTS else FEWER_SPLITS

    @property
    def frontier(self) -> int:
        """The highest hour that is here; -1 for none."""
        there = (h for h, state in self.files.items() if state.status is FileStatus.FETCHED)
        return max(there, default=-1)

    @property
    def needed(self) -> frozenset[int]:
        """Hours whose files some waiting product still takes."""
        return frozenset(
            hour for orders in self.waiting.values() for order in orders for hour in order.files
        )
