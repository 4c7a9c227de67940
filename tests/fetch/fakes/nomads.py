"""A server of raw bytes on a free port: answers from a script, then from a table of files.

Real sockets, so that a cut stream is a cut stream. Records what it was asked.
"""

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, urlsplit

BLOCK_PAGE = (
    b"<html><head><title>Over Rate Limit</title></head><body>Please go to"
    b" https://www.weather.gov/abusive-user-block for more info</body></html>"
)


@dataclass(frozen=True)
class Asked:
    path: str
    query: tuple[tuple[str, str], ...]
    headers: dict[str, str]
    at: float

    @property
    def names(self):
        return {name for name, _ in self.query}


def answer(body=b"", status="200 OK", *, headers=(), length=None, version="HTTP/1.1"):
    """A whole answer; *length* lies about the body's."""
    lines = [f"{version} {status}", *headers, "Connection: close"]
    if version == "HTTP/1.1":
        lines.append(f"Content-Length: {len(body) if length is None else length}")
    return "\r\n".join([*lines, "", ""]).encode() + body


def chunked(body, *, whole=True):
    """A body without a length, as the filter sends it; not *whole*: cut before its end mark."""
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
    pieces = b"%x\r\n" % len(body) + body if body else b""
    end = (b"\r\n" if body else b"") + b"0\r\n\r\n" if whole else b""
    return head + pieces + end


BOUNDARY = "3d6b6a416f9b5"


def spans_of(asked):
    """What a Range header asks for: (start, end exclusive or None)."""
    pairs = (pair.split("-") for pair in asked.headers["range"].removeprefix("bytes=").split(","))
    return [(int(first), int(last) + 1 if last else None) for first, last in pairs]


def ranged(content, asked, *, keep=None, modified="Thu, 29 Jan 2026 15:40:00 GMT"):
    """What a good server answers to byte ranges; *keep* bytes of it are sent."""
    spans = [(start, min(end or len(content), len(content))) for start, end in spans_of(asked)]
    spans = [(start, end) for start, end in spans if start < end]
    if not spans:
        return answer(status="416 Range Not Satisfiable")
    headers = [f"Last-Modified: {modified}"]
    if len(spans) == 1:
        ((start, end),) = spans
        body = content[start:end]
        headers.append(f"Content-Range: bytes {start}-{end - 1}/{len(content)}")
    else:
        body = parts(content, spans)
        headers.append(f"Content-Type: multipart/byteranges; boundary={BOUNDARY}")
    sent = body if keep is None else body[:keep]
    return answer(sent, "206 Partial Content", headers=headers, length=len(body))


def parts(content, spans, *, total=None, boundary=BOUNDARY):
    """A multipart body as Apache writes it."""
    total = len(content) if total is None else total
    body = b"".join(
        f"\r\n--{boundary}\r\nContent-type: application/octet-stream\r\n"
        f"Content-range: bytes {start}-{end - 1}/{total}\r\n\r\n".encode()
        + content[start:end]
        for start, end in spans
    )
    return body + f"\r\n--{boundary}--\r\n".encode()


def bare_302():
    reason = "Your allowed limit has been reached."
    return answer(BLOCK_PAGE, f"302 {reason}")


@dataclass
class FakeNomads:
    """files: by path. filtered: the filter's answer. script: (part of the path, reply), used up."""

    url: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    filtered: Callable[[Asked], bytes] | None = None
    script: list[tuple[str, bytes | Callable[[Asked], bytes]]] = field(default_factory=list)
    asked: list[Asked] = field(default_factory=list)

    def paths(self, ending=""):
        return [one.path for one in self.asked if one.path.endswith(ending)]

    def reply(self, asked):
        for position, (part, reply) in enumerate(self.script):
            if part in asked.path:
                del self.script[position]
                return reply(asked) if callable(reply) else reply
        if asked.path.startswith("/cgi-bin/") and self.filtered is not None:
            return chunked(self.filtered(asked))
        content = self.files.get(asked.path)
        if content is None:
            return answer(b"<html><title>404 Not Found</title></html>", "404 Not Found")
        return ranged(content, asked) if "range" in asked.headers else answer(content)

    async def handle(self, reader, writer):
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            target, *rows = head.split("\r\n")
            split = urlsplit(target.split(" ")[1])
            headers = {}
            for row in filter(None, rows):
                name, _, value = row.partition(":")
                headers[name.lower()] = value.strip()
            query = tuple(parse_qsl(split.query, keep_blank_values=True))
            asked = Asked(split.path, query, headers, asyncio.get_running_loop().time())
            self.asked.append(asked)
            reply = self.reply(asked)
            if isinstance(reply, asyncio.Event):  # hang until the test lets go
                await reply.wait()
            else:
                headers_end = reply.find(b"\r\n\r\n") + 4
                writer.write(reply[:headers_end] if head.startswith("HEAD ") else reply)
                await writer.drain()
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


@contextlib.asynccontextmanager
async def fake_nomads():
    fake = FakeNomads()
    server = await asyncio.start_server(fake.handle, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    fake.url = f"http://127.0.0.1:{port}"
    try:
        yield fake
    finally:
        server.close()
        await server.wait_closed()
