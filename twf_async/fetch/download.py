"""Brings one source's bytes onto the disk, proven, as one file of the cache each time.

What to ask for was decided by plan/selection.py; whether to ask again with another inventory is
decided by the caller. Errors that pass by themselves are repeated here.
"""

import asyncio
import shutil
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Literal, TypeVar

from render_farm.domain.fields import MessageKey
from render_farm.domain.places import Box
from twf_async.errors import FetchError
from twf_async.fetch.answers import last_modified, require_range
from twf_async.fetch.cache import Cache
from twf_async.fetch.errand import Errand
from twf_async.fetch.errors import (
    BrokenStream,
    EmptyAnswer,
    FileReplaced,
    NoSpace,
    NotGrib,
    RangeRefused,
    SourceError,
    TimedOut,
    TooMuch,
)
from twf_async.fetch.grids import Grids
from twf_async.fetch.host import Request
from twf_async.fetch.part import Part, disk_error, open_part
from twf_async.fetch.patience import Patience
from twf_async.fetch.record import Record
from twf_async.fetch.retry import persist
from twf_async.fetch.settling import Settling
from twf_async.fetch.transport import Transport
from twf_async.fetch.verify import Expectation, verify
from twf_async.plan.idx import IdxLine
from twf_async.plan.selection import ByteRange, FilterRequest

T = TypeVar("T")
_SPARE_BYTES = 64 << 20  # stays free on the disk, and is how far an estimate may be wrong
_ESTIMATE_FACTOR = 4
_MAGIC = b"GRIB"


@dataclass(slots=True)
class _Identity:
    """Tells whether the file behind a URL is the one of the inventory, and stays that one.

    last_offset  where the inventory's last message begins
    counted      whether the answer in hand says how long it is, and as long as it was asked for
    """

    last_offset: int
    total: int | None = None
    modified: datetime | None = None
    counted: bool = False

    def require(self, total: int, modified: datetime | None) -> None:
        if self.total is not None and (self.total, self.modified) != (total, modified):
            raise FileReplaced(
                f"{self.total} bytes of {self.modified}, then {total} bytes of {modified}"
            )
        if self.last_offset >= total:
            raise RangeRefused(
                f"the last field begins at byte {self.last_offset}, the file has {total}"
            )
        self.total, self.modified = total, modified


class Downloader:
    """Downloads into the cache. Every method raises SourceError, NoSpace or DiskFailed."""

    def __init__(
        self, transport: Transport, cache: Cache, patience: Patience, settling: Settling
    ) -> None:
        self._transport = transport
        self._cache = cache
        self._patience = patience
        self._settling = settling
        self._grids = Grids()

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
        )
        target = self._target(errand, url.partition("?")[2])
        await _require_space(target, question.estimated_bytes)
        async with open_part(target) as part:
            await self._persist(errand, partial(self._receive, errand, request, part, limit))
            return await self._keep(part, target, errand, expected, "FILTERED", box=box)

    async def ranges(
        self,
        errand: Errand,
        lines: Sequence[IdxLine],
        stretches: Sequence[ByteRange],
        wanted: frozenset[MessageKey],
    ) -> Record:
        """Stretches of the file, one request each, put together in file order.

        lines   the whole inventory that the stretches were found by
        """
        model = errand.at.model
        count = sum(len(stretch.lines) for stretch in stretches)
        expected = Expectation(errand.at.cycle, wanted, count, exact=True, grid=model.grid)
        places = " ".join(f"{stretch.start}-{stretch.end}" for stretch in stretches)
        target = self._target(errand, f"{errand.name} {places}")
        await _require_space(target, sum((s.end or s.start) - s.start for s in stretches))
        identity = _Identity(lines[-1].offset)
        async with open_part(target) as part:
            for stretch in stretches:
                work = partial(self._stretch, errand, stretch, part, part.size, identity)
                await self._persist(errand, work)
            return await self._keep(
                part, target, errand, expected, "RANGES", modified=identity.modified
            )

    async def whole(
        self, errand: Errand, lines: Sequence[IdxLine], wanted: frozenset[MessageKey]
    ) -> Record:
        """The whole file, for sources that ignore byte ranges."""
        at = errand.at
        about = lines[-1].offset
        expected = Expectation(at.cycle, wanted, len(lines), exact=False, grid=at.model.grid)
        request = errand.request(at.url, expected=about)
        limit = about * _ESTIMATE_FACTOR + _SPARE_BYTES
        target = self._target(errand, f"{errand.name} whole")
        await _require_space(target, about)
        async with open_part(target) as part:
            work = partial(self._receive, errand, request, part, limit)
            modified = await self._persist(errand, work)
            return await self._keep(part, target, errand, expected, "FULL", modified=modified)

    async def require_settled(self, errand: Errand) -> None:
        """Ask how long the file is, where it may still be being written; Unsettled if so.

        Not needed before byte ranges: their first answer tells.
        """
        if not self._settling.watches(errand):
            return
        host, request = errand.at.source.host, errand.headers_request()
        async with self._transport.ask(host, request, errand.tally) as answer:
            length = answer.headers.get("Content-Length", "")
            size = int(length) if length.isascii() and length.isdigit() else None
            self._settling.require(errand, size, last_modified(answer.headers))

    async def _receive(
        self, errand: Errand, request: Request, part: Part, limit: int
    ) -> datetime | None:
        """A whole body; returns its Last-Modified."""
        await part.cut(0)
        async with self._transport.ask(errand.at.source.host, request, errand.tally) as answer:
            async for chunk in answer.chunks():
                await part.write(chunk)
                if part.size > limit:
                    raise TooMuch(f"{request.url}: over {limit} bytes")
        if not part.size:
            raise EmptyAnswer(f"{request.url}: nothing came")
        return last_modified(answer.headers)

    async def _stretch(
        self, errand: Errand, stretch: ByteRange, part: Part, begin: int, identity: _Identity
    ) -> None:
        """One byte range behind the first *begin* bytes of *part*; goes on where it broke off."""
        received = part.size - begin
        start = stretch.start + received
        asked_end = stretch.end if stretch.end is not None else identity.total
        if asked_end is not None and start >= asked_end:
            raise RangeRefused(f"a field begins at byte {start}, the file has {asked_end}")
        expected = 0 if asked_end is None else asked_end - start
        request = errand.request(errand.at.url, start=start, end=asked_end, expected=expected)
        try:
            await self._receive_range(errand, request, part, identity, begins=not received)
        except (BrokenStream, TimedOut):
            # What came is kept, and continued, where the answer was framed by its length: a chunk
            # that is longer than it says leaves bytes behind that are not of the file.
            if not identity.counted:
                await part.cut(begin + received)
            raise
        except FetchError:
            await part.cut(begin)
            raise

    async def _receive_range(
        self,
        errand: Errand,
        request: Request,
        part: Part,
        identity: _Identity,
        *,
        begins: bool,
    ) -> None:
        """The body of a 206, all of it and never more than promised.

        begins  whether its first byte must be that of a message
        """
        position = start = request.start or 0
        identity.counted = False
        async with self._transport.ask(errand.at.source.host, request, errand.tally) as answer:
            end, total = require_range(answer.status, answer.headers, start, request.end)
            modified = last_modified(answer.headers)
            if identity.total is None and self._settling.watches(errand):
                self._settling.require(errand, total, modified)
            identity.require(total, modified)
            if begins and not answer.peek.startswith(_MAGIC):
                raise NotGrib(f"the field at byte {start} does not begin with GRIB")
            identity.counted = answer.headers.get("Content-Length") == str(end - start)
            async for chunk in answer.chunks():
                position += len(chunk)
                if position > end:
                    raise TooMuch(f"more than the promised bytes {start}-{end}")
                await part.write(chunk)
        if position < end:
            raise BrokenStream(f"bytes {start}-{end} ended early")

    async def _persist(self, errand: Errand, work: Callable[[], Awaitable[T]]) -> T:
        return await persist(
            work, patience=self._patience, what=errand.name, again=_passes_by_itself
        )

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
