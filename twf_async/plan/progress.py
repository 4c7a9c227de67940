"""Where a run is: its files, its products, and how it is worked through. Types only. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from render_farm.domain.fields import MessageKey
from twf_async.plan.orders import ProductOrder


class FileStatus(StrEnum):
    """Where the files of one hour are."""

    PENDING = "pending"
    FETCHING = "fetching"
    FETCHED = "fetched"
    GIVEN_UP = "given up"


@dataclass(frozen=True, slots=True)
class FileState:
    """The files of one hour. not_before: when to ask again; missing: wanted but not in them."""

    status: FileStatus = FileStatus.PENDING
    not_before: datetime | None = None
    absences: int = 0
    failures: int = 0
    reason: str = ""
    detail: str = ""
    missing: frozenset[MessageKey] = frozenset()


@dataclass(frozen=True, slots=True)
class Policy:
    """How a run is worked through. deadline: after it, what is not there is given up."""

    ahead_hours: int = 6
    fetches_at_once: int = 2
    attempts: int = 5
    poll_s: float = 30.0
    batch: bool = False
    wait: bool = True
    deadline: datetime | None = None


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

    at_edge    we have caught up with the other side, so hours are asked for one by one
    """

    policy: Policy
    waiting: Mapping[int, tuple[ProductOrder, ...]]
    files: Mapping[int, FileState]
    drawing: Mapping[int, frozenset[str]] = field(default_factory=dict)
    hold_until: datetime | None = None
    at_edge: bool = False

    @property
    def finished(self) -> bool:
        """Every product of every hour is settled."""
        return not self.waiting and not self.drawing

    @property
    def needed(self) -> frozenset[int]:
        """Hours whose files some waiting product still takes."""
        return frozenset(
            hour for orders in self.waiting.values() for order in orders for hour in order.files
        )
