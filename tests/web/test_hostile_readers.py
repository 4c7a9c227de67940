"""Readers who mean no good: they hold connections, do not read, send what is no request."""

import asyncio
import json
import re
import socket
import subprocess
import sys
from contextlib import suppress

import pytest
from aiohttp import web
from prometheus_client import REGISTRY
from structlog.testing import capture_logs

from tests.web.conftest import NEW, PNG
from twf_async.publish.events import EventBus
from twf_async.web import stream
from twf_async.web.application import create_app
from twf_async.web.context import CONTEXT
from twf_async.web.door import GuardedRunner, most_connections

LARGE = 8 << 20
BULKY = 32 << 20  # what the kernel takes of it, some MB, does not matter


@pytest.fixture
async def open_site():
    """`open_site(most=..)`: something large, or *app*, behind a door; its port."""
    runners = []

    async def large(_):
        return web.Response(body=b"x" * LARGE)

    async def bulky(_):
        return web.Response(body=b"x" * BULKY)

    async def begin(app=None, **limits):
        if app is None:
            app = web.Application()
            app.router.add_get("/large", large)
            app.router.add_get("/bulky", bulky)
        runner = GuardedRunner(app, shutdown_timeout=0.1, **limits)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        runners.append(runner)
        return runner.addresses[0][1]

    yield begin
    for runner in runners:
        await runner.cleanup()


async def knock(port, text=b""):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(text)
    return reader, writer


async def until(condition):
    async with asyncio.timeout(60):
        while not condition():
            await asyncio.sleep(0.01)


def inside():
    return REGISTRY.get_sample_value("twf_web_connections")


ASK = b"GET /none HTTP/1.1\r\nHost: x\r\n\r\n"


async def test_no_more_come_in_than_there_is_room_for_and_one_line_says_so(open_site):
    port = await open_site(most=20)
    with capture_logs() as lines:
        held = [await knock(port) for _ in range(20)]
        await until(lambda: inside() == 20)
        refused = [await knock(port, ASK) for _ in range(5)]
        answers = [await reader.read() for reader, _ in refused]
        assert all(text.startswith(b"HTTP/1.1 503 ") for text in answers)
        head, _, body = answers[0].partition(b"\r\n\r\n")
        assert b"Retry-After: 30" in head
        assert int(re.search(rb"Content-Length: (\d+)", head)[1]) == len(body)
        assert json.loads(body) == {"error": "too many readers just now"}
        assert inside() == 20
        held.pop()[1].close()
        await until(lambda: inside() == 19)  # it is as crowded as before
        held.append(await knock(port))
        await until(lambda: inside() == 20)
        refused.append(await knock(port, ASK))
        assert (await refused[-1][0].read()).startswith(b"HTTP/1.1 503 ")
        for _, writer in held[:10]:
            writer.close()
        await until(lambda: inside() == 10)
        reader, writer = await knock(port, ASK)
        assert (await reader.readline()).startswith(b"HTTP/1.1 404")
    assert [line["event"] for line in lines if line["event"].startswith("web.")] == ["web.crowded"]
    for _, each in (*held, *refused, (reader, writer)):
        each.close()
    await until(lambda: inside() == 0)


@pytest.mark.parametrize("drip", [b"", b"GET /none HTTP/1.1\r\nHost: x\r\nX-A: "])
async def test_who_never_finishes_a_request_is_let_go(open_site, drip):
    port = await open_site(idle_s=0.2)
    reader, writer = await knock(port, drip)

    async def go_on():
        while drip:
            writer.write(b"a")
            await asyncio.sleep(0.02)

    dripping = asyncio.create_task(go_on())
    async with asyncio.timeout(60):
        assert await reader.read() == b""
    dripping.cancel()
    await asyncio.wait({dripping})
    writer.close()
    await until(lambda: inside() == 0)


async def test_who_does_not_read_what_he_asked_for_is_let_go_and_who_reads_slowly_is_not(open_site):
    port = await open_site(look_s=0.5)
    before = REGISTRY.get_sample_value("twf_web_connections_stalled_total")
    deaf = await deaf_reader(port)
    await until(
        lambda: REGISTRY.get_sample_value("twf_web_connections_stalled_total") == before + 1
    )
    await until(lambda: inside() == 0)
    deaf.close()

    reader, writer = await knock(port, b"GET /large HTTP/1.1\r\nHost: x\r\n\r\n")
    got = 0
    while got < LARGE:  # a little at a time, but on and on
        got += len(some := await reader.read(1 << 17))
        assert some
        await asyncio.sleep(0.005)
    writer.close()
    await until(lambda: inside() == 0)
    assert REGISTRY.get_sample_value("twf_web_connections_stalled_total") == before + 1


async def deaf_reader(port):
    """One who asks for 32 MB and reads nothing but that they come."""
    deaf = socket.socket()
    deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    deaf.setblocking(False)
    await asyncio.get_running_loop().sock_connect(deaf, ("127.0.0.1", port))
    await asyncio.get_running_loop().sock_sendall(deaf, b"GET /bulky HTTP/1.1\r\nHost: x\r\n\r\n")
    assert await asyncio.get_running_loop().sock_recv(deaf, 9) == b"HTTP/1.1 "
    return deaf


async def read_to_the_end(deaf):
    got = 0
    while more := await asyncio.get_running_loop().sock_recv(deaf, 1 << 20):
        got += len(more)
    return got


async def test_of_what_waits_for_readers_there_is_so_much_and_who_waits_longest_goes(open_site):
    port = await open_site(most_unread=2 * BULKY)
    before = REGISTRY.get_sample_value("twf_web_connections_stalled_total")
    first, second, third = [await deaf_reader(port) for _ in range(3)]
    await until(
        lambda: REGISTRY.get_sample_value("twf_web_connections_stalled_total") == before + 1
    )
    await until(lambda: inside() == 2)
    async with asyncio.timeout(60):
        assert await read_to_the_end(first) < BULKY
    for deaf in (first, second, third):
        deaf.close()
    await until(lambda: inside() == 0)


async def test_one_alone_may_have_more_waiting_than_all_together(open_site):
    """Or nothing that is larger could ever be read."""
    port = await open_site(most_unread=1 << 20)
    deaf, got = await deaf_reader(port), 0

    async with asyncio.timeout(60):
        while got < BULKY:
            got += len(more := await asyncio.get_running_loop().sock_recv(deaf, 1 << 20))
            assert more

    deaf.close()
    await until(lambda: inside() == 0)


async def test_who_has_caught_up_is_behind_no_more(open_site):
    port, loop = await open_site(most_unread=BULKY + BULKY // 2), asyncio.get_running_loop()
    before = REGISTRY.get_sample_value("twf_web_connections_stalled_total")
    first = await deaf_reader(port)
    got = 0
    while got < BULKY:
        got += len(await loop.sock_recv(first, 1 << 20))
    others = [await deaf_reader(port) for _ in range(2)]
    await until(
        lambda: REGISTRY.get_sample_value("twf_web_connections_stalled_total") == before + 1
    )
    await until(lambda: inside() == 2)

    await loop.sock_sendall(first, ASK)
    answer = b""
    async with asyncio.timeout(60):
        while b"HTTP/1.1 404" not in answer:
            answer += await loop.sock_recv(first, 1 << 16)
    for each in (first, *others):
        each.close()
    await until(lambda: inside() == 0)


async def test_who_stops_reading_half_way_is_let_go_too(open_site):
    port, loop = await open_site(look_s=0.1), asyncio.get_running_loop()
    before = REGISTRY.get_sample_value("twf_web_connections_stalled_total")
    reader, writer = await knock(port, b"GET /bulky HTTP/1.1\r\nHost: x\r\n\r\n")
    got, end_s = 0, loop.time() + 0.3
    with suppress(ConnectionError):  # on a busy machine he is too slow from the first
        while loop.time() < end_s and got < BULKY // 2:  # over two looks
            got += len(await reader.read(1 << 18))
            await asyncio.sleep(0.005)
    writer.transport.pause_reading()

    await until(
        lambda: REGISTRY.get_sample_value("twf_web_connections_stalled_total") == before + 1
    )
    await until(lambda: inside() == 0)
    writer.close()


@pytest.mark.parametrize(
    "text",
    [
        b"GET / HTTP/1.1\r\nHost: x\r\nX-Huge: " + b"a" * 70_000 + b"\r\n\r\n",
        b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\n"
        + b"".join(b"X-%d: 1\r\n" % n for n in range(500))
        + b"\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: nine\r\n\r\n",
    ],
    ids=["header", "line", "headers", "smuggled", "version", "tls", "length"],
)
async def test_what_is_no_request_costs_its_sender_the_connection_and_us_no_line(
    open_site, caplog, text
):
    port = await open_site()
    reader, writer = await knock(port, ASK)
    async with asyncio.timeout(60):
        assert (await reader.readuntil(b"404: Not Found")).startswith(b"HTTP/1.1 404")
        writer.write(text)
        answers = await reader.read()
    writer.close()
    assert answers.startswith(b"HTTP/1.0 400 ")
    assert [record.getMessage() for record in caplog.records if record.levelname == "ERROR"] == []


@pytest.mark.parametrize(
    "path",
    [
        f"/maps/gfs/{NEW}/pnw/t2m/../t2m/f000.png/../../../../../manifest.json",
        "/maps/gfs/%2e%2e/%2e%2e/.lock",
        "/maps/..%2f.lock",
        "/maps/gfs/evicted.json",
        f"/maps/gfs/{NEW}/manifest.json",
        f"/maps/gfs/{NEW}/pin.json",
        f"/maps/gfs/{NEW}/pnw/t2m/f000.png%00.vgrid",
        f"/maps/gfs/{NEW}/pnw/t2m/f000%2epng%2f..%2f..",
        "//etc/passwd",
        "/viewer/%2e%2e%2fmaps.py",
        "/viewer/..\\..\\maps.py",
        "/images/..%2f..%2fmanifest.json",
        "/images/gfs_20260129_12_..%2f..%2fmanifest_0.png",
        "/api/images/%2e%2e",
        "/api/v1/legends/..%2f..",
    ],
)
async def test_no_address_leads_out_of_what_is_online(client, path):
    reader, writer = await knock(
        client.port, f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode()
    )
    answer = await reader.read()
    writer.close()
    assert answer.split(b" ", 2)[1] in {b"404", b"400"}, answer[:80]


@pytest.mark.parametrize("wanted", ["bytes=0-3", "bytes=5-1", "bytes=-1", "bytes=0-,0-,0-", "x=1"])
async def test_a_part_that_is_asked_for_is_answered_with_the_whole(client, wanted):
    answer = await client.get(f"/maps/gfs/{NEW}/pnw/t2m/f000.png", headers={"Range": wanted})

    assert (answer.status, await answer.read()) == (200, PNG + b"new 0")


@pytest.mark.parametrize(
    "tag", ['"', 'W/"x', "'*'", '"a" "b"', ",,,", '"' + "a" * 5000, "\\", "*x"]
)
async def test_a_tag_of_no_form_is_nobodys(client, tag):
    answer = await client.get(f"/maps/gfs/{NEW}/pnw/t2m/f000.png", headers={"If-None-Match": tag})

    assert answer.status == 200


async def test_a_weak_tag_that_a_proxy_made_of_ours_is_ours(client):
    first = await client.get(f"/maps/gfs/{NEW}/pnw/t2m/f000.png")

    again = await client.get(
        f"/maps/gfs/{NEW}/pnw/t2m/f000.png",
        headers={"If-None-Match": f"W/{first.headers['ETag']}"},
    )

    assert again.status == 304


@pytest.mark.parametrize("query", ["model=" + "a" * 5000, "model=%00", "model=gfs&model=../x"])
async def test_a_query_of_no_sense_is_no_fault_of_ours(client, query):
    for path in ("/api/v1/runs", "/api/maps", "/api/runs"):
        answer = await client.get(f"{path}?{query}")
        assert answer.status in {200, 400, 404}


TIMES = (
    "0001-01-01T00:00:00+23:59",
    "9999-12-31T23:59:59-23:59",
    "99999999_99",
    "2026-01-29T06:00:00.123456789123",
    "-1",
    "\u0662\u0660\u0662\u0666",
    "NaN",
    "",
    "9" * 5000,
)


@pytest.mark.parametrize("text", TIMES)
async def test_a_time_or_an_hour_of_no_sense_is_no_fault_of_ours(client, text):
    for parameter in ("run_time", "forecast_hour", "variable", "model"):
        answer = await client.get("/api/maps", params={parameter: text})
        assert answer.status in {200, 400}, parameter
    for path in (f"/api/maps/gfs_{text}_t2m_0", f"/api/v1/runs/gfs/{text}", f"/api/models/{text}"):
        assert (await client.get(path)).status in {200, 400, 404}, path


async def test_of_listeners_there_are_so_many_and_the_next_is_told_in_a_sentence(
    client, events, monkeypatch
):
    monkeypatch.setattr(stream, "MAX_LISTENERS", 3)
    heard = [await client.get("/api/v1/events") for _ in range(3)]
    await until(lambda: events.subscribers == 3)

    full = await client.get("/api/v1/events")

    assert (full.status, full.headers["Retry-After"]) == (503, "30")
    assert "too many listen" in (await full.json())["error"]
    heard.pop().close()
    await until(lambda: events.subscribers == 2)
    again = await client.get("/api/v1/events")
    assert again.status == 200
    for answer in (*heard, again):
        answer.close()


async def test_a_listener_who_does_not_keep_up_holds_a_bounded_queue(client, events):
    async with events.subscribe() as deaf:
        for number in range(5000):
            events.emit("frame.published", {"hour": number})
        lost = await deaf.get()
        first = await deaf.get()
    assert (lost.name, lost.data["count"]) == ("events.lost", 5000 - 512)
    assert first.data == {"hour": 5000 - 512}


async def test_a_listener_who_does_not_read_is_let_go_and_forgotten(open_site, client, events):
    port = await open_site(create_app(client.app[CONTEXT]), look_s=0.3)
    before = REGISTRY.get_sample_value("twf_web_connections_stalled_total")
    _, deaf = await knock(port, b"GET /api/v1/events HTTP/1.1\r\nHost: x\r\n\r\n")
    deaf.transport.pause_reading()
    await until(lambda: events.subscribers == 1)

    def told():
        events.emit("frame.published", {"text": "x" * 100_000})
        return events.subscribers == 0

    await until(told)
    assert REGISTRY.get_sample_value("twf_web_connections_stalled_total") == before + 1
    deaf.close()
    await until(lambda: inside() == 0)


async def test_who_asks_for_the_head_of_a_stream_gets_that_and_no_stream(client, events):
    async with asyncio.timeout(60):
        for _ in range(3):  # over one connection
            async with client.head("/api/v1/events") as answer:
                assert (answer.status, answer.content_type) == (200, "text/event-stream")
    assert events.subscribers == 0


def test_half_of_the_files_that_may_be_open_stay_the_services_own():
    program = (
        "import resource;resource.setrlimit(resource.RLIMIT_NOFILE,(300,300));"
        "from twf_async.web.door import most_connections;print(most_connections())"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout == "150\n"
    assert most_connections(7) == 7


async def test_hundreds_of_listeners_share_one_event(client):
    bus = EventBus()
    listeners = [bus.subscribe() for _ in range(500)]
    for listener in listeners:
        await listener.__aenter__()
    event = bus.emit("frame.published", {"hour": 6})
    assert all([(await listener.get()) is event for listener in listeners])
    bus.close()
    assert bus.subscribers == 0
