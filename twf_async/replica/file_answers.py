"""A file, or parts of it, as a web server sends it: conditions, ranges, multipart (RFC 9110)."""

from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime

from aiohttp import web

from twf_async.replica.answers import Streamed, in_thread
from twf_async.replica.hits import HIT
from twf_async.replica.ranges import Span, Unsatisfiable, parse_range
from twf_async.replica.tree import Entry, FileTree

_BINARY = "application/octet-stream"
BOUNDARY = "4b8a4e1c7d2f9036"
_TAIL = f"\r\n--{BOUNDARY}--\r\n".encode()
RANGE_IGNORED = web.RequestKey("range_ignored", bool)
ChangesSpans = Callable[[tuple[Span, ...]], tuple[Span, ...]]
CHANGES_SPANS: web.RequestKey[ChangesSpans] = web.RequestKey("changes_spans")


@dataclass(frozen=True, slots=True)
class StaticOptions:
    """Where another server than NOMADS differs.

    ranges       False: the Range header is ignored, 200 and the whole file (seen behind proxies)
    multi_range  False: more than one range is ignored, as S3 does
    """

    ranges: bool = True
    multi_range: bool = True


@dataclass(frozen=True, slots=True)
class FileRequest:
    """A request for the file at *path* of the tree, which is *entry* now."""

    request: web.Request
    path: str
    entry: Entry
    options: StaticOptions

    @property
    def etag(self) -> str:
        """Apache's: size and time."""
        return f'"{self.entry.size:x}-{int(self.entry.mtime.timestamp()):x}"'

    @property
    def modified(self) -> str:
        """The value of Last-Modified."""
        return format_datetime(self.entry.mtime.astimezone(UTC), usegmt=True)

    def unchanged(self) -> bool:
        """Say whether the client's copy is still good: 304."""
        if (tags := self.request.headers.get("If-None-Match")) is not None:
            return tags.strip() == "*" or self.etag in {tag.strip() for tag in tags.split(",")}
        since = _date(self.request.headers.get("If-Modified-Since"))
        return since is not None and self.entry.mtime.replace(microsecond=0) <= since

    def spans(self) -> tuple[Span, ...] | None:
        """Return the spans asked for; None for the whole file. Unsatisfiable for a 416."""
        if not self.options.ranges or self.request.get(RANGE_IGNORED, False):
            return None
        condition = self.request.headers.get("If-Range")
        if condition is not None and condition not in {self.etag, self.modified}:
            return None
        spans = parse_range(self.request.headers.get("Range"), self.entry.size)
        if spans is None or len(spans) == 1:
            return spans
        if not self.options.multi_range:
            return None
        return self.request[CHANGES_SPANS](spans) if CHANGES_SPANS in self.request else spans


def answer_file(
    tree: FileTree, asked: FileRequest, server: Mapping[str, str]
) -> web.StreamResponse | None:
    """Answer with the file or the parts asked for, *server*'s headers on it. None for a 416."""
    size = asked.entry.size
    headers = {
        "Content-Type": _BINARY,
        **server,
        "Last-Modified": asked.modified,
        "ETag": asked.etag,
        "Accept-Ranges": "bytes",
    }
    if asked.unchanged():
        return web.Response(status=304, headers=headers)
    try:
        spans = asked.spans()
    except Unsatisfiable:
        return None
    parts: tuple[tuple[bytes, Span], ...] = ((b"", Span(0, size)),)
    tail = b""
    if spans is not None and len(spans) == 1:
        headers["Content-Range"] = spans[0].content_range(size)
        parts = ((b"", spans[0]),)
    elif spans is not None:
        headers["Content-Type"] = f"multipart/byteranges; boundary={BOUNDARY}"
        parts = tuple((_part_head(span, size), span) for span in spans)
        tail = _TAIL
    hit = asked.request[HIT]
    hit.file, hit.version = asked.path, asked.etag
    hit.spans = tuple((span.start, span.end) for _, span in parts)
    return Streamed(
        _content(tree, asked.path, parts, tail),
        status=200 if spans is None else 206,
        headers=headers,
        length=sum(len(head) + span.end - span.start for head, span in parts) + len(tail),
    )


async def _content(
    tree: FileTree, path: str, parts: tuple[tuple[bytes, Span], ...], tail: bytes
) -> AsyncIterator[bytes]:
    for head, span in parts:
        yield head
        async for chunk in in_thread(tree.open_range(path, span.start, span.end)):
            yield chunk
    yield tail


def _part_head(span: Span, size: int) -> bytes:
    return (
        f"\r\n--{BOUNDARY}\r\nContent-Type: {_BINARY}\r\n"
        f"Content-Range: {span.content_range(size)}\r\n\r\n"
    ).encode()


def _date(header: str | None) -> datetime | None:
    try:
        moment = parsedate_to_datetime(header or "")
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
