"""Which bytes of a file are still to come, and where in ours they go. No network, no disk.

A file of the cache that is brought by byte ranges holds stretches of the source's file, one behind
the other. Bytes of them may come in any order, and others between them; every one is told apart by
its place in the source's file, whose length and time must stay what they were.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime

from twf_async.fetch.errors import FileReplaced, NotGrib, PastEnd, RangesUnclear
from twf_async.fetch.spans import LONGEST_HEADER, ContentRange, Span, range_header
from twf_async.plan.ranges import RANGES_AT_ONCE, REQUEST_BYTES, ByteRange

_MAGIC = b"GRIB"


class Gathering:
    """What of *stretches*, rising and apart, is here and what is not.

    last_offset  where the inventory's last message begins
    taken        bytes that are here
    """

    def __init__(self, stretches: Sequence[ByteRange], last_offset: int) -> None:
        self._last_offset = last_offset
        self._stretches = [Span(stretch.start, stretch.end) for stretch in stretches]
        self._missing = list(self._stretches)
        self._total: int | None = None
        self.modified: datetime | None = None
        self.taken = 0

    @property
    def missing(self) -> tuple[Span, ...]:
        """What is still to come, rising."""
        return tuple(self._missing)

    @property
    def begun(self) -> bool:
        """Whether it is known which file it is."""
        return self._total is not None

    def asks(self, *, several: bool) -> tuple[Span, ...]:
        """What to ask for next: one span, or as many as one request may name."""
        spans = self._missing[: RANGES_AT_ONCE if several else 1]
        while len(range_header(spans)) > LONGEST_HEADER and len(spans) > 1:
            spans.pop()
        return tuple(spans)

    def require_file(self, coming: ContentRange, modified: datetime | None) -> None:
        """Take note of what file it is; FileReplaced, PastEnd unless it is as it was and must be.

        modified  its time; a source that told it once must tell it again
        """
        total = coming.total
        if self._total is not None and (self._total, self.modified) != (total, modified):
            raise FileReplaced(
                f"{self._total} bytes of {self.modified}, then {total} bytes of {modified}"
            )
        ends = [span.end for span in self._stretches if span.end is not None]
        if self._last_offset >= total or max(ends, default=0) > total:
            raise PastEnd(
                f"the last field begins at byte {self._last_offset}, the file has {total}"
            )
        if self._total is None:
            self._stretches = [_closed(span, total) for span in self._stretches]
            self._missing = [_closed(span, total) for span in self._missing]
        self._total, self.modified = total, modified

    def require_asked(self, coming: ContentRange, asked: Sequence[Span]) -> None:
        """RangesUnclear unless what comes begins and ends where spans that were asked for do.

        Servers may join spans that lie close to each other (RFC 9110, 14.2); far ones are not.
        """
        spans = [_closed(span, coming.total) for span in asked]
        if coming.start not in {s.start for s in spans} or coming.end not in {s.end for s in spans}:
            raise RangesUnclear(f"{coming} comes, which was not asked for")
        wanted = sum(
            span.end - span.start
            for span in spans
            if span.end is not None and coming.start <= span.start and span.end <= coming.end
        )
        if coming.end - coming.start - wanted > REQUEST_BYTES:
            raise RangesUnclear(f"{coming} comes, of which {wanted} bytes were asked for")

    def places(self, at: int, data: bytes) -> Iterator[tuple[int, bytes]]:
        """What of *data*, bytes of the source's file from *at* on, is missing: (our place, bytes).

        raises  NotGrib where a stretch does not begin with a message
        """
        missing = iter(self._missing)
        span = next(missing, None)
        place = 0
        for stretch in self._stretches:
            while span is not None and span.start < _end(stretch):
                first, after = max(at, span.start), min(at + len(data), _end(span))
                if first < after:
                    into = first - stretch.start
                    wanted = data[first - at : after - at]
                    if not wanted.startswith(_MAGIC[into : into + len(wanted)]):
                        raise NotGrib(f"the field at byte {stretch.start} does not begin with GRIB")
                    yield place + into, wanted
                span = next(missing, None)
            place += _end(stretch) - stretch.start

    def take(self, start: int, end: int) -> None:
        """Bytes *start* to *end* of the source's file are here, those of them that are wanted."""
        left: list[Span] = []
        for span in self._missing:
            first, after = max(span.start, start), min(_end(span), end)
            if first >= after:
                left.append(span)
                continue
            self.taken += after - first
            left += [
                part for part in (Span(span.start, first), Span(after, _end(span)))
                if part.start < _end(part)
            ]  # fmt: skip
        self._missing = left


def _closed(span: Span, total: int) -> Span:
    return Span(span.start, total) if span.end is None else span


def _end(span: Span) -> int:
    """Where it ends; not to be asked before the length of the file is known."""
    if span.end is None:
        raise ValueError(f"bytes {span} of a file of unknown length")
    return span.end
