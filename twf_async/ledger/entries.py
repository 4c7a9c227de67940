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

    upstream_at    Last-Modified of the file on the other side
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
class ArrivalEntry:
    """When an hour was there on the other side, as well as we know."""

    model: str
    cycle: str
    hour: int
    arrived_at: datetime
