"""Answers that are badly sent, seen from a raw socket and from a client."""

import asyncio
import http.client
import logging
import socket
from contextlib import closing

import aiohttp
import pytest
from yarl import URL

from tests.replica.asking import GFS, GFS_F006
from twf_async.replica.faults.kinds import BODIES, REPLIES, WIRE
from twf_async.replica.faults.script import Fault

FILE = f"{GFS}/gfs.t12z.pgrb2.0p25.f006"
PART = 882640  # the first message
ALL = f"{GFS_F006}&all_var=on&all_lev=on"


async def raw(url: str, path: str, **headers: str) -> tuple[bytes, bool]:
    """Ask with a bare socket: all that came, and whether the connection was reset."""
    place = URL(url)
    reader, writer = await asyncio.open_connection(place.host, place.port)
    named = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    writer.write(f"GET {path} HTTP/1.1\r\nHost: x\r\n{named}Connection: close\r\n\r\n".encode())
    got, reset = b"", False
    try:
        while chunk := await reader.read(1 << 16):
            got += chunk
    except ConnectionResetError:
        reset = True
    finally:
        writer.transport.abort()
    return got, reset


def read_whole(url: str, path: str) -> bytes:
    """Ask with the client of the standard library."""
    with closing(http.client.HTTPConnection(URL(url).authority)) as connection:
        connection.request("GET", path)
        with connection.getresponse() as answer:
            return answer.read()


def parts(got: bytes) -> tuple[bytes, bytes]:
    head, _, body = got.partition(b"\r\n\r\n")
    return head, body


async def ended(replica) -> None:
    """The server is through with every request: a client may be ahead of it."""
    async with asyncio.timeout(60):
        while not all(hit.took_s for hit in replica.hits):
            await asyncio.sleep(0.01)


async def test_a_connection_can_be_reset_in_mid_body(scripted, gfs_f006):
    async with scripted(Fault("reset", at=0.25)) as (_, replica):
        for path in (FILE, ALL):
            got, reset = await raw(replica.url, path)
            head, body = parts(got)
            assert reset
            assert head.startswith(b"HTTP/1.1 200 OK")
            assert 0 < len(body) < len(gfs_f006)
        assert [hit.bytes for hit in replica.hits] == [round(len(gfs_f006) / 4)] * 2
        assert {hit.fault for hit in replica.hits} == {"reset"}


async def test_a_connection_can_close_without_an_answer(scripted):
    async with scripted(Fault("disconnect")) as (client, replica):
        assert await raw(replica.url, FILE) == (b"", False)
        with pytest.raises(aiohttp.ServerDisconnectedError):
            await client.get(f"{FILE}.idx")
        assert {(hit.status, hit.bytes, hit.fault) for hit in replica.hits} == {
            (0, 0, "disconnect")
        }


@pytest.mark.parametrize("path", [FILE, ALL])
async def test_a_body_can_be_shorter_than_its_length(scripted, gfs_f006, path):
    async with scripted(Fault("short", at=0.5)) as (client, replica):
        got, reset = await raw(replica.url, path)
        head, body = parts(got)
        assert f"Content-Length: {len(gfs_f006)}".encode() in head
        assert body == gfs_f006[: round(len(gfs_f006) / 2)]
        assert not reset
        with pytest.raises(aiohttp.ClientPayloadError):
            await client.get(path)


async def test_http_1_0_ends_early_and_nobody_can_tell(scripted, gfs_f006):
    async with scripted(Fault("http10_short", at=0.5)) as (client, replica):
        head, body = parts((await raw(replica.url, FILE, Range=f"bytes=0-{PART - 1}"))[0])
        assert head.startswith(b"HTTP/1.0 206 Partial Content\r\n")
        assert b"content-length" not in head.lower()
        assert b"Connection: close" in head
        assert body == gfs_f006[: PART // 2]
        assert len((await client.get(ALL)).body) == round(len(gfs_f006) / 2)
        assert [hit.status for hit in replica.hits] == [206, 200]


async def test_a_stalled_body_goes_on_after_its_time(scripted, gfs_f006):
    async with scripted(Fault("stall", seconds=0.3, at=0.1)) as (client, replica):
        for path in (FILE, ALL):
            assert (await client.get(path)).body == gfs_f006
        await ended(replica)
        assert all(hit.took_s >= 0.3 for hit in replica.hits)


async def test_a_stall_ends_when_the_client_is_gone(scripted):
    async with scripted(Fault("stall", seconds=3600.0, at=0.1)) as (_, replica):
        place = URL(replica.url)
        reader, writer = await asyncio.open_connection(place.host, place.port)
        writer.write(f"GET {FILE} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        assert (await reader.read(8)).startswith(b"HTTP/1.1")
        sock = writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        writer.transport.abort()
        await ended(replica)


async def test_a_hanging_server_sends_no_byte(scripted):
    async with scripted(Fault("hang", seconds=0.2, first=1)) as (client, replica):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await raw(replica.url, f"{FILE}.idx")
        assert (await client.get(f"{FILE}.idx")).status == 200
        assert [hit.fault for hit in replica.hits] == ["hang", ""]


async def test_a_slow_drip_comes_whole_in_the_end(scripted, gfs_f006):
    async with scripted(Fault("drip", bytes_per_s=1000.0)) as (client, replica):
        answer = await client.get(FILE, Range="bytes=0-299")
        assert answer.body == gfs_f006[:300]
        await ended(replica)
        assert replica.hits[0].took_s >= 0.25


@pytest.mark.parametrize("path", [FILE, ALL])
async def test_a_chunk_can_end_wrong(scripted, path):
    """aiohttp's client closes at it, and then waits for ever unless it has a total timeout."""
    async with scripted(Fault("bad_chunk", at=0.5)) as (_, replica):
        head, body = parts((await raw(replica.url, path))[0])
        assert b"Transfer-Encoding: chunked" in head
        assert b"Content-Length" not in head
        assert body.endswith(b"4\r\nGRIBGRIB\r\n")
        with pytest.raises(http.client.IncompleteRead):
            await asyncio.to_thread(read_whole, replica.url, path)


@pytest.mark.parametrize("path", [FILE, ALL])
async def test_a_chunked_body_can_lack_its_end(scripted, path):
    async with scripted(Fault("cut_chunked", at=0.5)) as (client, replica):
        _, body = parts((await raw(replica.url, path))[0])
        assert not body.endswith(b"0\r\n\r\n")
        with pytest.raises(aiohttp.ClientPayloadError):
            await client.get(path)


async def test_an_error_page_can_be_badly_sent_too(scripted):
    async with scripted(Fault("short", at=0.5), Fault("status", status=503)) as (_, replica):
        head, body = parts((await raw(replica.url, FILE))[0])
        assert head.startswith(b"HTTP/1.1 503")
        assert 0 < len(body) < 200
        assert replica.hits[0].fault == "status; short"


async def test_after_a_broken_answer_the_next_connection_is_well(scripted, gfs_f006):
    kinds = ("reset", "short", "disconnect", "http10_short", "bad_chunk", "cut_chunked")
    faults = [Fault(kind, first=1, skip=skip) for skip, kind in enumerate(kinds)]
    async with scripted(*faults) as (client, replica):
        for _ in kinds:
            await raw(replica.url, FILE)
        assert (await client.get(FILE)).body == gfs_f006
        assert [hit.fault for hit in replica.hits] == [*kinds, ""]


async def test_a_server_under_every_fault_at_once_logs_no_error_and_goes_on(
    scripted, gfs_f006, caplog
):
    faults = [
        Fault(kind, probability=0.2, seconds=0.05, bytes_per_s=5e7)
        for kind in sorted(REPLIES | BODIES | WIRE)
    ]
    async with scripted(*faults, seed=1) as (_, replica):

        async def ask(number: int) -> None:
            path = (FILE, f"{FILE}.idx", ALL, f"{GFS}/", f"{ALL}&n={number}")[number % 5]
            await raw(replica.url, path, Range=f"bytes={number}-{number * 999}")

        async with asyncio.timeout(60):
            await asyncio.gather(*(ask(number) for number in range(120)))
        await ended(replica)
        met = {name for hit in replica.hits for name in hit.fault.split("; ")} - {""}
        assert met == {fault.kind for fault in faults}
        replica.play()
        assert parts((await raw(replica.url, FILE))[0])[1] == gfs_f006
    told = [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR]
    assert told == []
