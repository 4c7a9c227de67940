"""What is asked of the fetcher, and what it hands back."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Self

from render_farm.domain.fields import MessageKey
from render_farm.domain.models import Model
from render_farm.domain.places import Box
from twf_async.fetch.host import Tally
from twf_async.fetch.record import Record
from twf_async.fetch.sources import NOMADS
from twf_async.plan.selection import FILTER_REQUESTS

Method = Literal["FILTERED", "RANGES", "FULL", "CACHED"]


@dataclass(frozen=True, slots=True)
class HourWanted:
    """Fields of one hour, at least for a box.

    splits  filter requests that it may take at most
    held    fields of the hour that are here already; the fetcher knows them
    """

    model: Model
    cycle: str
    hour: int
    keys: frozenset[MessageKey]
    box: Box
    splits: int = FILTER_REQUESTS
    held: frozenset[MessageKey] = frozenset()


@dataclass(frozen=True, slots=True)
class Appearance:
    """An hour is there.

    source       where; "cache" when nobody was asked
    modified_at  when its inventories were written, the last of them; None where that is not told
    inventory    digest of them all; another one, and the files were replaced. "" from the cache
    """

    source: str
    modified_at: datetime | None = None
    inventory: str = ""


@dataclass(frozen=True, slots=True)
class HourFetched:
    """Verified files on disk that hold what was wanted.

    files    each with the fields that are in it; more than was wanted where it came along. A field
             that is in several is listed with the first one only
    missing  wanted fields that the model did not write for this hour
    method   of the largest part that was downloaded; CACHED where nothing was
    source   "nomads" or "aws"; of the cached files where nothing was downloaded
    bytes    received from the network, inventories included
    cached_bytes  of the files that were there already
    inventory  digest of the inventories that were gone by, as in an Appearance: a fuller one may
               have come since the hour appeared. "" where none was read
    """

    model: str
    cycle: str
    hour: int
    files: tuple[tuple[str, tuple[MessageKey, ...]], ...]
    missing: frozenset[MessageKey]
    method: Method
    source: str
    bytes: int
    requests: int
    took_s: float
    last_modified: datetime | None
    cached_bytes: int = 0
    inventory: str = ""

    @classmethod
    def of(
        cls,
        wanted: HourWanted,
        *,
        cached: tuple[Record, ...],
        new: tuple[Record, ...],
        missing: frozenset[MessageKey],
        tally: Tally,
        took_s: float,
        inventory: str = "",
    ) -> Self:
        """Put together what was there and what was brought."""
        records = (*new, *cached)
        written = [record.last_modified for record in records if record.last_modified is not None]
        return cls(
            model=wanted.model.key,
            cycle=wanted.cycle,
            hour=wanted.hour,
            files=_files((*cached, *new)),
            missing=missing,
            method=max(new, key=lambda record: record.bytes).method if new else "CACHED",
            source=records[0].source if records else NOMADS,
            bytes=tally.received_bytes,
            requests=tally.requests,
            took_s=took_s,
            last_modified=max(written, default=None),
            cached_bytes=sum(record.bytes for record in cached),
            inventory=inventory,
        )


def _files(records: Iterable[Record]) -> tuple[tuple[str, tuple[MessageKey, ...]], ...]:
    told: set[MessageKey] = set()
    files = []
    for record in records:
        files.append((record.path, tuple(key for key in record.keys if key not in told)))
        told.update(record.keys)
    return tuple(files)
