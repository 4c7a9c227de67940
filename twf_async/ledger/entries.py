"""What the ledger is told and what it answers: one frozen type per table."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class RunEntry:
    """One run. state: running, complete or partial."""

    model: str
    cycle: str
    state: str
    first_seen_at: datetime
    ended_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class HourEntry:
    """What is known of one hour; None and empty entries leave the ledger's own as they are.

    upstream_at    Last-Modified of its inventory on the other side, else of the file
    first_seen_at, rendered_at, published_at   the first time counts: when it was found, when the
                   last of its pictures was drawn and was online. The other times are the latest
    inventory      digest of its inventory: another one, and the file was replaced
    fetch_s, decode_s, render_s   seconds each step took
    """

    model: str
    cycle: str
    hour: int
    state: str
    reason: str = ""
    detail: str = ""
    attempts: int | None = None
    upstream_at: datetime | None = None
    first_seen_at: datetime | None = None
    fetched_at: datetime | None = None
    rendered_at: datetime | None = None
    published_at: datetime | None = None
    method: str | None = None
    source: str | None = None
    bytes: int | None = None
    requests: int | None = None
    fetch_s: float | None = None
    decode_s: float | None = None
    render_s: float | None = None
    peak_rss_mb: float | None = None
    inventory: str | None = None


@dataclass(frozen=True, slots=True)
class FrameEntry:
    """One frame. attempts counts how often drawing it was tried, by the ledger itself."""

    model: str
    cycle: str
    hour: int
    region: str
    product: str
    state: str
    reason: str = ""
    detail: str = ""
    bytes: int = 0
    sha256: str = ""
    published_at: datetime | None = None
    attempts: int = 0


@dataclass(frozen=True, slots=True)
class AskedEntry:
    """A run that somebody has asked for and that has not ended.

    hours, regions, products   what of it is wanted; None: all that the configuration says
    wait                       whether hours that are not there yet are waited for
    """

    model: str
    cycle: str
    hours: tuple[int, ...] | None
    regions: tuple[str, ...] | None
    products: tuple[str, ...] | None
    wait: bool
    asked_at: datetime


@dataclass(frozen=True, slots=True)
class ArrivalEntry:
    """When an hour was there on the other side, as well as we know."""

    model: str
    cycle: str
    hour: int
    arrived_at: datetime


@dataclass(frozen=True, slots=True)
class FreshnessEntry:
    """How an hour came online that was waited for: its first drawing, all times by our clock.

    upstream_at    Last-Modified of its inventory, the last one where there are several
    visible_at     the other side did not show it before: the later of that and of the last look
                   in vain
    seen_at        we found it
    fetched_at     its files were here, verified
    rendered_at    the last of its pictures was drawn
    published_at   the last of its pictures was online
    """

    model: str
    cycle: str
    hour: int
    upstream_at: datetime
    visible_at: datetime
    seen_at: datetime
    fetched_at: datetime
    rendered_at: datetime
    published_at: datetime
