"""Reads answers onto the disk: whole bodies, and stretches of a file that may break off.

Nothing is verified here but the framing: that as much came as was promised, of one file.
"""

from dataclasses import dataclass
from datetime import datetime

from twf_async.errors import FetchError
from twf_async.fetch.answers import last_modified, require_range
from twf_async.fetch.errand import Errand
from twf_async.fetch.errors import (
    BrokenStream,
    EmptyAnswer,
    FileReplaced,
    NotGrib,
    RangeRefused,
    Refused,
    TimedOut,
    TooMuch,
)
from twf_async.fetch.host import Request
from twf_async.fetch.part import Part
from twf_async.fetch.settling import Settling
from twf_async.fetch.transport import Transport
from twf_async.plan.selection import ByteRange

_MAGIC = b"GRIB"


@dataclass(slots=True)
class FileRead:
    """Tells whether the file behind a URL is the one of the inventory, and stays that one.

    last_offset  where the inventory's last message begins
    counted      whether the answer in hand says how long it is, and as long as it was asked for
    """

    last_offset: int
    total: int | None = None
    modified: datetime | None = None
    counted: bool = False

    def require(self, total: int, modified: datetime | None) -> None:
        """Raise FileReplaced or RangeRefused unless the file is as long and old as it should."""
        if self.total is not None and (self.total, self.modified) != (total, modified):
            raise FileReplaced(
                f"{self.total} bytes of {self.modified}, then {total} bytes of {modified}"
            )
        if self.last_offset >= total:
            raise RangeRefused(
                f"the last field begins at byte {self.last_offset}, the file has {total}"
            )
        self.total, self.modified = total, modified


class Receiver:
    """Asks for bytes and writes them down. Every method raises SourceError."""

    def __init__(self, transport: Transport, settling: Settling) -> None:
        self._transport = transport
        self._settling = settling

    async def require_settled(self, errand: Errand) -> None:
        """Ask how long the file is, where it may still be being written; Unsettled if so.

        Not needed before byte ranges: their first answer tells.
        """
        if not self._settling.watches(errand):
            return
        host, request = errand.at.source.host, errand.headers_request()
        try:
            async with self._transport.ask(host, request, errand.tally) as answer:
                length = answer.headers.get("Content-Length", "")
                size = int(length) if length.isascii() and length.isdigit() else None
                modified = last_modified(answer.headers)
        except Refused:  # a source that answers no HEAD cannot be asked
            return
        self._settling.require(errand, size, modified)

    async def body(
        self, errand: Errand, request: Request, part: Part, limit: int
    ) -> datetime | None:
        """A whole body of at most *limit* bytes; returns its Last-Modified."""
        await part.cut(0)
        async with self._transport.ask(errand.at.source.host, request, errand.tally) as answer:
            async for chunk in answer.chunks():
                await part.write(chunk)
                if part.size > limit:
                    raise TooMuch(f"{request.url}: over {limit} bytes")
        if not part.size:
            raise EmptyAnswer(f"{request.url}: nothing came")
        return last_modified(answer.headers)

    async def stretch(
        self, errand: Errand, stretch: ByteRange, part: Part, begin: int, read: FileRead
    ) -> None:
        """One byte range behind the first *begin* bytes of *part*; goes on where it broke off."""
        received = part.size - begin
        start = stretch.start + received
        asked_end = stretch.end if stretch.end is not None else read.total
        if received and start == asked_end:
            return  # it broke after its last byte
        if asked_end is not None and start >= asked_end:
            raise RangeRefused(f"a field begins at byte {start}, the file has {asked_end}")
        expected = 0 if asked_end is None else asked_end - start
        request = errand.request(errand.at.url, start=start, end=asked_end, expected=expected)
        try:
            await self._range(errand, request, part, read, begins=not received)
        except (BrokenStream, TimedOut):
            # What came is kept, and continued, where the answer was framed by its length: a chunk
            # that is longer than it says leaves bytes behind that are not of the file.
            if not read.counted:
                await part.cut(begin + received)
            raise
        except FetchError:
            await part.cut(begin)
            raise

    async def _range(
        self,
        errand: Errand,
        request: Request,
        part: Part,
        read: FileRead,
        *,
        begins: bool,
    ) -> None:
        """The body of a 206, all of it and never more than promised.

        begins  whether its first byte must be that of a message
        """
        position = start = request.start or 0
        read.counted = False
        async with self._transport.ask(errand.at.source.host, request, errand.tally) as answer:
            end, total = require_range(answer.status, answer.headers, start, request.end)
            modified = last_modified(answer.headers)
            if read.total is None and self._settling.watches(errand):
                self._settling.require(errand, total, modified)
            read.require(total, modified)
            if begins and not answer.peek.startswith(_MAGIC):
                raise NotGrib(f"the field at byte {start} does not begin with GRIB")
            read.counted = answer.headers.get("Content-Length") == str(end - start)
            async for chunk in answer.chunks():
                position += len(chunk)
                if position > end:
                    raise TooMuch(f"more than the promised bytes {start}-{end}")
                await part.write(chunk)
        if position < end:
            raise BrokenStream(f"bytes {start}-{end} ended early")
