"""Fills a new ledger after the old one was lost: from the published tree, and from the cache."""

import asyncio
from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from twf_async.fetch.cache import Cache
from twf_async.fetch.record import Record
from twf_async.ledger.entries import ArrivalEntry, FrameEntry, HourEntry
from twf_async.ledger.ledger import Ledger
from twf_async.publish.manifest import FrameState, Manifest, RunState
from twf_async.publish.tree import PublishedTree


async def refill(ledger: Ledger, tree: PublishedTree, cache: Cache) -> int:
    """Note every run of the tree, what of it is online and what was downloaded for it.

    Returns how many frames. Timings, attempts and what had failed are lost; the next start of a
    run notes the rest anew.
    """
    count = 0
    for model in tree.models():
        for cycle in tree.runs(model):
            manifest = tree.manifest(model, cycle)
            if manifest is None:
                continue
            await ledger.run_started(model, cycle)
            frames = _frames(manifest)
            downloads = await cache.of_run(model, cycle)
            await ledger.record_frames(frames)
            await ledger.record_hours(await asyncio.to_thread(_fetched, downloads))
            await ledger.record_hours(_published(frames))
            await ledger.record_arrivals(_arrivals(downloads))
            if manifest.state is not RunState.RUNNING:
                await ledger.run_ended(model, cycle, manifest.state.value)
            count += len(frames)
    return count


def _frames(manifest: Manifest) -> list[FrameEntry]:
    return [
        FrameEntry(
            manifest.model,
            manifest.cycle,
            int(name[1:]),
            region,
            product,
            record.state.value,
            bytes=record.bytes,
            sha256=record.hash,
            published_at=record.published_at,
        )
        for region, products in manifest.frames.items()
        for product, hours in products.items()
        for name, record in hours.items()
        if record.state is FrameState.PUBLISHED
    ]


def _fetched(downloads: Iterable[Record]) -> list[HourEntry]:
    """What is known of hours from their files. Blocking: looks when those were written."""
    hours: defaultdict[int, list[Record]] = defaultdict(list)
    for record in downloads:
        hours[record.hour].append(record)
    return [
        HourEntry(
            records[0].model,
            records[0].cycle,
            hour,
            "fetched",
            upstream_at=max(_written(records), default=None),
            fetched_at=max(map(_kept_at, records)),
            method=records[0].method,
            source=records[0].source,
            bytes=sum(record.bytes for record in records),
        )
        for hour, records in sorted(hours.items())
    ]


def _published(frames: Iterable[FrameEntry]) -> list[HourEntry]:
    """The hours of which anything is online, and since when all of that is."""
    state = FrameState.PUBLISHED.value
    latest: dict[tuple[str, str, int], datetime] = {}
    for frame in frames:
        name = (frame.model, frame.cycle, frame.hour)
        if frame.published_at is not None:
            latest[name] = max(latest.get(name, frame.published_at), frame.published_at)
    return [HourEntry(*name, state, published_at=at) for name, at in sorted(latest.items())]


def _arrivals(downloads: Iterable[Record]) -> list[ArrivalEntry]:
    """When hours came, by the date of the first file; filtered answers are dated by the filter."""
    first: dict[int, ArrivalEntry] = {}
    for record in downloads:
        at = None if record.method == "FILTERED" else record.last_modified
        if at is not None and (record.hour not in first or at < first[record.hour].arrived_at):
            first[record.hour] = ArrivalEntry(record.model, record.cycle, record.hour, at)
    return list(first.values())


def _written(records: Iterable[Record]) -> list[datetime]:
    return [record.last_modified for record in records if record.last_modified is not None]


def _kept_at(record: Record) -> datetime:
    try:
        return datetime.fromtimestamp(Path(record.path).stat().st_mtime, UTC)
    except FileNotFoundError:  # upkeep was quicker
        return datetime.now(UTC)
