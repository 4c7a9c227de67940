"""Reads answers onto the disk: whole bodies, and stretches of a file that may break off.

Nothing is verified here but the framing: that as much came as was promised, of one file.
"""

from datetime import datetime

from twf_async.fetch.answers import error_of_kind, last_modified, require_part, require_range
from twf_async.fetch.body import Answer
from twf_async.fetch.errand import Errand
from twf_async.fetch.errors import (
    BrokenStream,
    EmptyAnswer,
    RangesUnclear,
    Refused,
    SourceError,
    TimedOut,
    TooMuch,
)
from twf_async.fetch.framing import (
    Begun,
    Bytes,
    Ended,
    Event,
    Framing,
    Multipart,
    OneRange,
    boundary_of,
)
from twf_async.fetch.gathering import Gathering
from twf_async.fetch.host import Request
from twf_async.fetch.part import Part
from twf_async.fetch.settling import Settling
from twf_async.fetch.spans import ContentRange, Span, read_content_range
from twf_async.fetch.transport import Transport


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
        self._settling.require(errand, size, host.skew.by_ours(modified))

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

    async def gather(self, errand: Errand, part: Part, gathering: Gathering) -> None:
        """Ask once for bytes that are missing, several spans at a time where the source can.

        What came before an error is kept where it is proven: whole spans, and the beginning of one
        in which an answer of known length broke off.
        """
        source = errand.at.source
        spans = gathering.asks(several=source.asks_several)
        if not spans:
            return  # it broke after its last byte
        several, before = source.host.several, gathering.taken
        try:
            await self._take(errand, spans, part, gathering)
        except SourceError as error:
            if len(spans) == 1:
                several.one_failed(error)
                raise
            if gathering.taken == before:
                several.failed(error)
            if isinstance(error, Refused):  # of one range alone there may be no refusal
                raise error_of_kind(RangesUnclear, error) from error
            raise
        if len(spans) == 1:
            several.one_came()
        else:
            left = {span.start for span in gathering.missing}
            several.came(all_of_them=left.isdisjoint(span.start for span in spans))

    async def _take(
        self, errand: Errand, spans: tuple[Span, ...], part: Part, gathering: Gathering
    ) -> None:
        expected = sum(span.end - span.start for span in spans if span.end is not None)
        request = errand.request(errand.at.url, spans=spans, expected=expected)
        coming = _Coming(spans, part, gathering)
        try:
            async with self._transport.ask(errand.at.source.host, request, errand.tally) as answer:
                framing = coming.framed(answer)
                modified = last_modified(answer.headers)
                async for chunk in answer.chunks():
                    for event in framing.feed(chunk):
                        if isinstance(event, Begun):
                            if not gathering.begun and self._settling.watches(errand):
                                written_at = errand.at.source.host.skew.by_ours(modified)
                                self._settling.require(errand, event.range.total, written_at)
                            coming.begin(event.range, modified)
                        else:
                            await coming.go_on(event)
                coming.counted = False
                for event in framing.finish():
                    await coming.go_on(event)
        except (BrokenStream, TimedOut):
            coming.break_off()
            raise


class _Coming:
    """The spans of one answer, on their way to *part*.

    counted  whether the answer says how long it is, so that what came of it before the connection
             broke is of the file: a chunk that is longer than it says leaves bytes that are not
    """

    def __init__(self, asked: tuple[Span, ...], part: Part, gathering: Gathering) -> None:
        self._asked, self._part, self._gathering = asked, part, gathering
        self._start = self._at = 0  # of the span that is coming
        self._spans = 0
        self.counted = False

    def framed(self, answer: Answer) -> Framing:
        """How to read the answer. RangeIgnored, RangesUnclear and others of `require_range`."""
        headers = answer.headers
        if len(self._asked) == 1:
            span = require_range(answer.status, headers, self._asked[0])
            self.counted = headers.get("Content-Length") == str(span.end - span.start)
            return OneRange(span)
        require_part(answer.status)
        self.counted = "Content-Length" in headers and "Transfer-Encoding" not in headers
        boundary = boundary_of(headers.get("Content-Type", ""))
        if boundary is not None:
            return Multipart(boundary)
        only = read_content_range(headers.get("Content-Range", ""))
        if only is None:
            raise RangesUnclear("206 to several byte ranges with neither parts nor a Content-Range")
        self.counted = headers.get("Content-Length") == str(only.end - only.start)
        return OneRange(only)

    def begin(self, coming: ContentRange, modified: datetime | None) -> None:
        """A span begins. FileReplaced, PastEnd, RangesUnclear unless it may."""
        self._gathering.require_file(coming, modified)
        self._gathering.require_asked(coming, self._asked)
        self._spans += 1
        if self._spans > len(self._asked):
            raise RangesUnclear(f"more than the {len(self._asked)} byte ranges asked for")
        self._start = self._at = coming.start

    async def go_on(self, event: Event) -> None:
        """Write down what comes, or note that the span is whole."""
        if isinstance(event, Bytes):
            for place, data in self._gathering.places(event.at, event.data):
                await self._part.put(place, data)
            self._at = event.at + len(event.data)
        elif isinstance(event, Ended):
            self._gathering.take(self._start, self._at)
            self._start = self._at

    def break_off(self) -> None:
        """The answer broke off in a span: what came of it is kept, where that can be told."""
        if self.counted and self._start < self._at:
            self._gathering.take(self._start, self._at)
