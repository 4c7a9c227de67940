"""Answers that are badly sent: broken off, endless, or in no order that HTTP knows."""

import asyncio
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial

from aiohttp import web

from twf_async.replica.answers import Streamed, begin, deliver, send
from twf_async.replica.faults.kinds import Kind
from twf_async.replica.faults.script import Fault
from twf_async.replica.hits import HIT

_TICK_S = 0.02
_RST_ON_CLOSE = struct.pack("ii", 1, 0)
_DRIP_S = 0.1


def break_off(answer: Streamed, fault: Fault) -> None:
    """Let *answer* be sent as a fault of the family WIRE says."""
    answer.delivery = partial(_DELIVERIES[fault.kind], fault)


async def _hang(fault: Fault, request: web.Request, answer: Streamed) -> None:
    """Not a byte for so long; then as if nothing had been."""
    if await _waited(request, fault.seconds):
        await deliver(request, answer)


async def _disconnect(_fault: Fault, request: web.Request, answer: Streamed) -> None:
    """Close instead of answering."""
    answer.set_status(0, "none")
    _close(request)


async def _reset(fault: Fault, request: web.Request, answer: Streamed) -> None:
    await _send_share(fault, request, answer)
    await _flushed(request)
    if request.transport is not None:
        connection = request.transport.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RST_ON_CLOSE)
        request.transport.abort()


async def _short(fault: Fault, request: web.Request, answer: Streamed) -> None:
    """Fewer bytes than the Content-Length says, as at the read point of a growing file."""
    if answer.length is None:
        answer.replace(await answer.collect())
        answer.length = len(await answer.collect())
    await _send_share(fault, request, answer)
    _close(request)


async def _http10_short(fault: Fault, request: web.Request, answer: Streamed) -> None:
    """HTTP/1.0: only the closing of the connection says where the body ends. It comes early."""
    body = await answer.collect()
    lines = [f"HTTP/1.0 {answer.status} {answer.reason}"]
    lines += [f"{name}: {value}" for name, value in answer.headers.items()]
    lines += ["Connection: close", "", ""]
    share = body[: round(len(body) * fault.at)] if request.method != "HEAD" else b""
    request[HIT].status = answer.status
    request[HIT].bytes += len(share)
    if request.transport is not None:
        request.transport.write("\r\n".join(lines).encode("latin-1") + share)
    _close(request)


async def _stall(fault: Fault, request: web.Request, answer: Streamed) -> None:
    rest = await _send_share(fault, request, answer)
    if await _waited(request, fault.seconds):
        async for chunk in rest:
            await send(request, answer, chunk)
        await answer.write_eof()


async def _drip(fault: Fault, request: web.Request, answer: Streamed) -> None:
    await begin(request, answer)
    size = max(1, round(fault.bytes_per_s * _DRIP_S))
    async for chunk in answer.content:
        for at in range(0, len(chunk), size):
            await send(request, answer, chunk[at : at + size])
            if not await _waited(request, size / fault.bytes_per_s):
                return
    await answer.write_eof()


async def _bad_chunk(fault: Fault, request: web.Request, answer: Streamed) -> None:
    """A chunk that is longer than its length says: what follows it is no end of line."""
    await _send_chunked_share(fault, request, answer)
    if request.transport is not None:
        request.transport.write(b"4\r\nGRIBGRIB\r\n")
    _close(request)


async def _cut_chunked(fault: Fault, request: web.Request, answer: Streamed) -> None:
    """A chunked stream without its last chunk."""
    await _send_chunked_share(fault, request, answer)
    _close(request)


_DELIVERIES: dict[Kind, Callable[[Fault, web.Request, Streamed], Awaitable[None]]] = {
    Kind.HANG: _hang,
    Kind.DISCONNECT: _disconnect,
    Kind.RESET: _reset,
    Kind.SHORT: _short,
    Kind.HTTP10_SHORT: _http10_short,
    Kind.STALL: _stall,
    Kind.DRIP: _drip,
    Kind.BAD_CHUNK: _bad_chunk,
    Kind.CUT_CHUNKED: _cut_chunked,
}


async def _send_chunked_share(fault: Fault, request: web.Request, answer: Streamed) -> None:
    body = await answer.collect()
    answer.length = None
    answer.replace(body)
    await _send_share(fault, request, answer)


async def _send_share(fault: Fault, request: web.Request, answer: Streamed) -> AsyncIterator[bytes]:
    """Send the headers and the share of the body; return what is left of it."""
    length = answer.length
    if length is None:
        length = len(await answer.collect())
    left = round(length * fault.at) if request.method != "HEAD" else 0
    await begin(request, answer)
    rest = b""
    while left > 0 and (chunk := await anext(answer.content, None)) is not None:
        await send(request, answer, chunk[:left])
        rest = chunk[left:]
        left -= len(chunk)
    return _after(rest, answer.content)


async def _after(rest: bytes, content: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield rest
    async for chunk in content:
        yield chunk


async def _waited(request: web.Request, seconds: float) -> bool:
    """Wait; False as soon as the client is gone, so that nothing waits for nobody."""
    loop = asyncio.get_running_loop()
    end = loop.time() + seconds
    while not _gone(request):
        left = end - loop.time()
        if left <= 0.0:
            return True
        await asyncio.sleep(min(left, _TICK_S))
    return False


async def _flushed(request: web.Request) -> None:
    # A transport has no event for it.
    while request.transport and request.transport.get_write_buffer_size():  # noqa: ASYNC110
        await asyncio.sleep(_TICK_S)


def _gone(request: web.Request) -> bool:
    return request.transport is None or request.transport.is_closing()


def _close(request: web.Request) -> None:
    if request.transport is not None:
        request.transport.close()
