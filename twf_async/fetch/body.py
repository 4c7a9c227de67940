"""The body of an answer while it is coming: in small pieces, and never waited for in silence."""

import asyncio
from collections.abc import AsyncIterator, Mapping

import aiohttp

from twf_async.fetch.answers import PEEK_BYTES
from twf_async.fetch.errors import BrokenStream, TimedOut
from twf_async.fetch.host import Kind, Tally
from twf_async.fetch.waiter import waiter

CHUNK_BYTES = 1 << 20
_CLOSED = "Connection closed."


class Answer:
    """A good answer whose body is still coming. `peek` is its beginning, read already."""

    def __init__(
        self,
        response: aiohttp.ClientResponse,
        peek: bytes,
        kind: Kind,
        tally: Tally,
        silence_s: float,
    ) -> None:
        self.status = response.status
        self.headers: Mapping[str, str] = response.headers
        self.peek = peek
        self._response = response
        self._kind, self._tally = kind, tally
        self._silence_s = silence_s

    async def chunks(self) -> AsyncIterator[bytes]:
        """The body, `peek` included, in pieces of at most 1 MiB. Once."""
        if self.peek:
            yield self.peek
        async for chunk in listen(
            self._response.content.iter_chunked(CHUNK_BYTES), self._silence_s
        ):
            self._tally.received(self._kind, len(chunk))
            yield chunk


async def listen(chunks: AsyncIterator[bytes], silence_s: float) -> AsyncIterator[bytes]:
    """Pass on *chunks*; TimedOut where none comes for *silence_s*.

    aiohttp's own `sock_read` does not end a body whose chunk is longer than it said: nothing more
    is read then, and nothing times out; or, where the connection is gone already, it is no error
    of aiohttp's that is raised. Both become errors of ours.
    """
    while True:
        try:
            async with asyncio.timeout(silence_s) as silence:
                chunk = await anext(chunks, None)
        except TimeoutError as error:
            if not silence.expired():
                raise
            raise TimedOut(f"no more of the answer for {silence_s:g} s") from error
        except RuntimeError as error:
            if str(error) != _CLOSED:
                raise
            raise BrokenStream("the connection was closed inside the answer") from error
        if chunk is None:
            return
        waiter.get().heard()
        yield chunk


async def beginning(response: aiohttp.ClientResponse, silence_s: float) -> bytes:
    """The first bytes of the body; enough to tell data from a page."""
    peek = bytearray()
    async for chunk in listen(response.content.iter_any(), silence_s):
        peek += chunk
        if len(peek) >= PEEK_BYTES or peek.startswith(b"GRIB"):
            break
    return bytes(peek)
