"""What the ledger is told of an hour's files and frames. Pure."""

from collections.abc import Iterable
from datetime import datetime

from render_farm.domain.jobs import Frame, HourRendered
from twf_async.fetch.fetched import HourFetched
from twf_async.ledger.entries import FrameEntry, HourEntry
from twf_async.pipeline.freshness import UNKNOWN, Found
from twf_async.pipeline.owed import Faults
from twf_async.plan.progress import FileState
from twf_async.plan.reruns import owed
from twf_async.publish.manifest import FrameState


def fetched_entry(
    got: HourFetched,
    now: datetime,
    inventory: str | None = None,
    found: Found = UNKNOWN,
) -> HourEntry:
    """An hour's files are here. inventory: digest of what they were taken by."""
    # An answer of the filter is dated by itself.
    dated = got.method in {"RANGES", "FULL"}
    return HourEntry(
        got.model,
        got.cycle,
        got.hour,
        "fetched",
        upstream_at=found.upstream_at or (got.last_modified if dated else None),
        first_seen_at=found.seen_at,
        fetched_at=now,
        method=got.method,
        source=got.source,
        bytes=got.bytes,
        requests=got.requests,
        fetch_s=got.took_s,
        inventory=inventory,
    )


def replaced_entry(model: str, cycle: str, hour: int) -> HourEntry:
    """The other side has replaced an hour's files: ours, and all made of them, are old."""
    return HourEntry(model, cycle, hour, "expected", inventory=owed())


def redrawn_entry(model: str, cycle: str, hour: int, inventory: str) -> HourEntry:
    """All pictures that an hour's new files go into are online."""
    return HourEntry(model, cycle, hour, "published", inventory=inventory)


def given_up_entry(model: str, cycle: str, hour: int, state: FileState) -> HourEntry:
    """An hour's files will not come."""
    tried = state.absences + state.failures
    return HourEntry(
        model, cycle, hour, "failed", state.reason, state.detail, attempts=max(1, tried)
    )


def drawn_entry(outcome: HourRendered) -> HourEntry:
    """Frames of an hour are online; what drawing them took."""
    return HourEntry(
        outcome.model,
        outcome.cycle,
        outcome.hour,
        FrameState.PUBLISHED.value,
        decode_s=outcome.decode_s,
        render_s=outcome.took_s,
        peak_rss_mb=outcome.peak_rss_mb,
    )


def online_entries(
    outcome: HourRendered, online: Iterable[Frame], now: datetime
) -> list[FrameEntry]:
    """The frames of a job that are online since *now*."""
    return [
        FrameEntry(
            outcome.model,
            outcome.cycle,
            outcome.hour,
            frame.region,
            frame.product,
            FrameState.PUBLISHED.value,
            bytes=frame.bytes,
            sha256=frame.sha256,
            published_at=now,
        )
        for frame in online
    ]


def failed_entries(model: str, cycle: str, hour: int, faults: Faults) -> list[FrameEntry]:
    """Frames of an hour that will not come."""
    state = FrameState.FAILED.value
    return [
        FrameEntry(model, cycle, hour, *name, state, fault.reason, fault.detail)
        for name, fault in faults.items()
    ]
