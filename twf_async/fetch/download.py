"""Brings one source's bytes onto the disk, proven, as one file of the cache each time.

What to ask for was decided by plan/selection.py; whether to ask again with another inventory is
decided by the caller. Errors that pass by themselves are repeated here.
"""

import asyncio
import shutil
from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Literal, TypeVar

from render_farm.domain.fields import MessageKey
from render_farm.domain.places import Box
from twf_async.errors import FetchError
from twf_async.fetch.breaks import Breaks
from twf_async.fetch.cache import Cache
from twf_async.fetch.errand import Errand
from twf_async.fetch.errors import NoSpace, SourceError
from twf_async.fetch.gathering import Gathering
from twf_async.fetch.host import Request
from twf_async.fetch.memory import Memory
from twf_async.fetch.part import Part, disk_error, open_part
from twf_async.fetch.patience import Patience
from twf_async.fetch.receiving import Receiver
from twf_async.fetch.record import Record
from twf_async.fetch.retry import persist
from twf_async.fetch.transport import Transport
from twf_async.fetch.verify import Expectation, verify
from twf_async.plan.filters import FilterRequest
from twf_async.plan.idx import IdxLine
from twf_async.plan.ranges import ByteRange

T = TypeVar("T")
_SPARE_BYTES = 64 << 20  # stays free on the disk, and is how far an estimate may be wrong
_ESTIMATE_FACTOR = 4


class Downloader:
    """Downloads into the cache. Every method raises SourceError, NoSpace or DiskFailed."""

    def __init__(
        self, transport: Transport, cache: Cache, patience: Patience, memory: Memory
    ) -> None:
        self._cache = cache
        self._patience = patience
        self._receiver = Receiver(transport, memory.settling)
        self._grids, self._origins = memory.grids, memory.origins

    async def filtered(self, errand: Errand, question: FilterRequest, box: Box) -> Record:
        """One answer of the grib filter."""
        at = errand.at
        url = at.filter_url(question, box)
        request = errand.request(url, expected=question.estimated_bytes)
        limit = question.estimated_bytes * _ESTIMATE_FACTOR + _SPARE_BYTES
        expected = Expectation(
            at.cycle,
            question.wanted,
            len(question.lines),
            exact=False,
            grid=at.model.grid,
            cut_to_points=question.points,
            members=_of_members(question.lines),
        )
        target = self._target(errand, url.partition("?")[2])
        await _require_space(target, question.estimated_bytes)
        async with open_part(target) as part:
            await self._body(errand, request, part, limit)
            return await self._keep(part, target, errand, expected, "FILTERED", box=box)

    async def ranges(
        self,
        errand: Errand,
        lines: Sequence[IdxLine],
        stretches: Sequence[ByteRange],
        wanted: frozenset[MessageKey],
    ) -> Record:
        """Stretches of the file, put together in file order.

        lines   the whole inventory that the stretches were found by
        """
        model = errand.at.model
        count = sum(len(stretch.lines) for stretch in stretches)
        expected = Expectation(
            errand.at.cycle,
            wanted,
            count,
            exact=True,
            grid=model.grid,
            members=_of_members(lines),
        )
        places = " ".join(f"{stretch.start}-{stretch.end}" for stretch in stretches)
        target = self._target(errand, f"{errand.name} {places}")
        await _require_space(target, sum((s.end or s.start) - s.start for s in stretches))
        gathering, breaks = Gathering(stretches, lines[-1].offset), Breaks()
        async with open_part(target) as part:

            async def gather() -> None:
                with breaks.noted(lambda: gathering.taken):
                    await self._receiver.gather(errand, part, gathering)

            while gathering.missing:
                await self._persist(errand, gather)
            return await self._keep(
                part, target, errand, expected, "RANGES", modified=gathering.modified
            )

    async def whole(
        self, errand: Errand, lines: Sequence[IdxLine], wanted: frozenset[MessageKey]
    ) -> Record:
        """The whole file, for sources that ignore byte ranges."""
        at = errand.at
        about = lines[-1].offset
        expected = Expectation(
            at.cycle,
            wanted,
            len(lines),
            exact=False,
            grid=at.model.grid,
            members=_of_members(lines),
        )
        request = errand.request(at.url, expected=about)
        limit = about * _ESTIMATE_FACTOR + _SPARE_BYTES
        target = self._target(errand, f"{errand.name} whole")
        await _require_space(target, about)
        async with open_part(target) as part:
            modified = await self._body(errand, request, part, limit)
            return await self._keep(part, target, errand, expected, "FULL", modified=modified)

    async def require_settled(self, errand: Errand) -> None:
        """See Receiver; before the filter, or the whole file, is asked for."""
        await self._persist(errand, partial(self._receiver.require_settled, errand))

    async def _body(
        self, errand: Errand, request: Request, part: Part, limit: int
    ) -> datetime | None:
        """A whole body, from its first byte each time; returns its Last-Modified."""
        breaks = Breaks()

        async def body() -> datetime | None:
            with breaks.noted(lambda: part.size):
                return await self._receiver.body(errand, request, part, limit)

        return await self._persist(errand, body)

    async def _persist(self, errand: Errand, work: Callable[[], Awaitable[T]]) -> T:
        return await persist(work, patience=self._patience, errand=errand, again=_passes_by_itself)

    def _target(self, errand: Errand, question: str) -> Path:
        at = errand.at
        return self._cache.target(at.model.key, at.cycle, at.hour, question)

    async def _keep(
        self,
        part: Part,
        target: Path,
        errand: Errand,
        expected: Expectation,
        method: Literal["FILTERED", "RANGES", "FULL"],
        *,
        box: Box | None = None,
        modified: datetime | None = None,
    ) -> Record:
        await part.flush()
        verified = await asyncio.to_thread(verify, part.path, expected)
        self._grids.require(errand, box, verified.shapes)
        self._origins.require(errand, verified.origins)
        at = errand.at
        record = Record(
            path=str(target),
            model=at.model.key,
            cycle=at.cycle,
            hour=at.hour,
            source=at.source.name,
            origin=errand.name,
            method=method,
            box=box,
            keys=verified.keys,
            bytes=verified.bytes,
            sha256=verified.sha256,
            last_modified=modified,
        )
        await self._cache.keep(part.path, record)
        return record


def _of_members(lines: Iterable[IdxLine]) -> bool:
    return any(line.extra for line in lines)


def _passes_by_itself(error: FetchError) -> bool:
    return isinstance(error, SourceError) and not error.suspect_index


async def _require_space(target: Path, expected_bytes: int) -> None:
    """Raise NoSpace rather than begin what cannot be finished."""
    try:
        free = await asyncio.to_thread(_free_bytes, target.parent)
    except OSError as error:
        raise disk_error(target.parent, error) from error
    if free < expected_bytes + _SPARE_BYTES:
        raise NoSpace(f"{target.parent}: {free} bytes free, {expected_bytes} needed and some spare")


def _free_bytes(folder: Path) -> int:
    while not folder.exists():
        folder = folder.parent
    return shutil.disk_usage(folder).free
