"""How answers leave the server: NOMADS' headers, HTML pages, and bodies chunk by chunk.

Every byte of a file or of a filter answer passes through `send`.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping

from aiohttp import web

from twf_async.replica.hits import HIT
from twf_async.replica.tree import Unreadable

SERVER = {"Server": "Apache", "Strict-Transport-Security": "max-age=31536000 ; preload"}
HEADERS = {**SERVER, "Cache-Control": "no-cache, private, max-age=14400"}


class Streamed(web.StreamResponse):
    """An answer whose body is not read yet: whatever stands before the client may change it.

    content   the body's chunks
    length    of the body; None: not known, sent in HTTP chunks
    delivery  sends it; one that breaks off on purpose may take its place
    """

    def __init__(
        self,
        content: AsyncIterator[bytes],
        *,
        status: int = 200,
        reason: str | None = None,
        headers: Mapping[str, str],
        length: int | None,
    ) -> None:
        super().__init__(status=status, reason=reason, headers=headers)
        self.content = content
        self.length = length
        self.delivery: Callable[[web.Request, Streamed], Awaitable[None]] = deliver

    def replace(self, body: bytes) -> None:
        """Send *body* instead; a Content-Length is told where one was."""
        self.content = one(body)
        self.length = None if self.length is None else len(body)

    async def collect(self) -> bytes:
        """Read the whole body; it can still be sent."""
        body = b"".join([chunk async for chunk in self.content])
        self.content = one(body)
        return body


async def deliver(request: web.Request, answer: Streamed) -> None:
    """Send the answer as it should be."""
    await begin(request, answer)
    try:
        if request.method != "HEAD":
            async for chunk in answer.content:
                await send(request, answer, chunk)
    except Unreadable:
        # The script dies in the middle: the client sees the stream break off.
        if request.transport is not None:
            request.transport.abort()
        return
    await answer.write_eof()


async def begin(request: web.Request, answer: Streamed) -> None:
    """Send the status and the headers."""
    if answer.length is None:
        answer.enable_chunked_encoding()
    else:
        answer.content_length = answer.length
    await answer.prepare(request)


async def send(request: web.Request, response: web.StreamResponse, data: bytes) -> None:
    """Write *data* and count it in the request's hit, first, so that no reader is ahead of it."""
    if data:
        request[HIT].bytes += len(data)
        await response.write(data)


async def one(body: bytes) -> AsyncIterator[bytes]:
    """Yield *body* as the only chunk."""
    yield body


async def in_thread(chunks: Iterator[bytes]) -> AsyncIterator[bytes]:
    """Yield the chunks of a blocking iterator; each is made in a thread."""
    while (chunk := await asyncio.to_thread(next, chunks, None)) is not None:
        yield chunk


def page(text: str, *, status: int = 200, headers: dict[str, str] | None = None) -> web.Response:
    """Return an HTML answer with NOMADS' headers."""
    return web.Response(
        text=text,
        status=status,
        content_type="text/html",
        charset="iso-8859-1" if text.isascii() else "utf-8",
        headers={**HEADERS, **(headers or {})},
    )


def streamed(response: web.StreamResponse) -> Streamed:
    """Return a finished answer as one that can still be spoiled."""
    if isinstance(response, Streamed):
        return response
    body = response.body if isinstance(response, web.Response) else b""
    octets = body if isinstance(body, bytes) else b""
    return Streamed(
        one(octets),
        status=response.status,
        reason=response.reason,
        headers=response.headers,
        length=len(octets),
    )
