"""Static files and directory listings under /pub: what Apache does on NOMADS (nomads.md 2.4)."""

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime

from aiohttp import web

from twf_async.replica import pages
from twf_async.replica.answers import HEADERS, next_of, page, send
from twf_async.replica.ranges import Span, Unsatisfiable, parse_range
from twf_async.replica.tree import Entry, FileTree

_BINARY = "application/octet-stream"
_BOUNDARY = "4b8a4e1c7d2f9036"
_TAIL = f"\r\n--{_BOUNDARY}--\r\n".encode()


@dataclass(frozen=True, slots=True)
class StaticOptions:
    """Where another server than NOMADS differs.

    ranges       False: the Range header is ignored, 200 and the whole file (seen behind proxies)
    multi_range  False: more than one range is ignored, as S3 does
    """

    ranges: bool = True
    multi_range: bool = True


@dataclass(frozen=True, slots=True)
class _Body:
    """parts: octets to send before each span of the file; tail: after the last one."""

    status: int
    headers: dict[str, str]
    parts: tuple[tuple[bytes, Span], ...]
    tail: bytes = b""

    @property
    def length(self) -> int:
        spans = sum(len(head) + span.end - span.start for head, span in self.parts)
        return spans + len(self.tail)


class StaticFiles:
    """Answers GET and HEAD for every path of a tree."""

    def __init__(self, tree: FileTree, options: StaticOptions) -> None:
        self._tree = tree
        self._options = options

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer with a file, a part of it, a listing, or Apache's error page."""
        path = request.path
        names = path.split("/")
        if ".." in names or "." in names or "" in names[1:-1]:
            return page(pages.not_found(path), status=404)
        try:
            entry = await asyncio.to_thread(self._tree.stat, path.rstrip("/"))
            if entry is None or (path.endswith("/") and not entry.is_dir):
                return page(pages.not_found(path), status=404)
            if not entry.is_dir:
                return await self._file(request, entry)
            if not path.endswith("/"):
                location = f"{request.rel_url.raw_path}/"
                headers = {"Location": location}
                return page(pages.moved(location), status=301, headers=headers)
            entries = await asyncio.to_thread(self._tree.listdir, path.rstrip("/"))
        except PermissionError:
            return page(pages.forbidden(path), status=403)
        return page(pages.listing(path.rstrip("/"), entries or ()))

    async def _file(self, request: web.Request, entry: Entry) -> web.StreamResponse:
        etag = f'"{entry.size:x}-{int(entry.mtime.timestamp()):x}"'
        modified = format_datetime(entry.mtime.astimezone(UTC), usegmt=True)
        headers = {
            **HEADERS,
            "Last-Modified": modified,
            "ETag": etag,
            "Accept-Ranges": "bytes",
            "Content-Type": _BINARY,
        }
        if _unchanged(request, entry, etag):
            return web.Response(status=304, headers=headers)
        try:
            spans = self._spans(request, entry, etag, modified)
        except Unsatisfiable:
            unsatisfied = {"Content-Range": f"bytes */{entry.size}", **HEADERS}
            return web.Response(status=416, headers=unsatisfied)
        if spans is None:
            whole = Span(0, entry.size)
            return await self._send(request, _Body(200, headers, ((b"", whole),)))
        if len(spans) == 1:
            headers["Content-Range"] = spans[0].content_range(entry.size)
            return await self._send(request, _Body(206, headers, ((b"", spans[0]),)))
        headers["Content-Type"] = f"multipart/byteranges; boundary={_BOUNDARY}"
        parts = tuple((_part_head(span, entry.size), span) for span in spans)
        return await self._send(request, _Body(206, headers, parts, _TAIL))

    def _spans(
        self, request: web.Request, entry: Entry, etag: str, modified: str
    ) -> tuple[Span, ...] | None:
        if not self._options.ranges:
            return None
        condition = request.headers.get("If-Range")
        if condition is not None and condition not in {etag, modified}:
            return None
        spans = parse_range(request.headers.get("Range"), entry.size)
        if spans is not None and len(spans) > 1 and not self._options.multi_range:
            return None
        return spans

    async def _send(self, request: web.Request, body: _Body) -> web.StreamResponse:
        response = web.StreamResponse(status=body.status, headers=body.headers)
        response.content_length = body.length
        await response.prepare(request)
        if request.method == "HEAD":
            return response
        for head, span in body.parts:
            await send(request, response, head)
            chunks = self._tree.open_range(request.path, span.start, span.end)
            while (chunk := await next_of(chunks)) is not None:
                await send(request, response, chunk)
        await send(request, response, body.tail)
        await response.write_eof()
        return response


def _part_head(span: Span, size: int) -> bytes:
    return (
        f"\r\n--{_BOUNDARY}\r\nContent-Type: {_BINARY}\r\n"
        f"Content-Range: {span.content_range(size)}\r\n\r\n"
    ).encode()


def _unchanged(request: web.Request, entry: Entry, etag: str) -> bool:
    if (tags := request.headers.get("If-None-Match")) is not None:
        return tags.strip() == "*" or etag in {tag.strip() for tag in tags.split(",")}
    since = _date(request.headers.get("If-Modified-Since"))
    return since is not None and entry.mtime.replace(microsecond=0) <= since


def _date(header: str | None) -> datetime | None:
    try:
        moment = parsedate_to_datetime(header or "")
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
