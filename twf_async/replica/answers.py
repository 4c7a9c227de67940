"""How answers leave the server: NOMADS' headers, HTML pages, and bodies chunk by chunk.

Every byte of a file or of a filter answer passes through `send`.
"""

import asyncio
from collections.abc import Iterator

from aiohttp import web

from twf_async.replica.hits import HIT

SERVER = {"Server": "Apache", "Strict-Transport-Security": "max-age=31536000 ; preload"}
HEADERS = {**SERVER, "Cache-Control": "no-cache, private, max-age=14400"}


def page(text: str, *, status: int = 200, headers: dict[str, str] | None = None) -> web.Response:
    """Return an HTML answer with NOMADS' headers."""
    return web.Response(
        text=text,
        status=status,
        content_type="text/html",
        charset="iso-8859-1" if text.isascii() else "utf-8",
        headers={**HEADERS, **(headers or {})},
    )


async def send(request: web.Request, response: web.StreamResponse, data: bytes) -> None:
    """Write *data* and count it in the request's hit, first, so that no reader is ahead of it."""
    if data:
        request[HIT].bytes += len(data)
        await response.write(data)


async def next_of(chunks: Iterator[bytes]) -> bytes | None:
    """Take the next chunk in a thread; None at the end."""
    return await asyncio.to_thread(next, chunks, None)
