"""A run that somebody waits for ends about when patience does, also where nobody says a word."""

import asyncio
from contextlib import asynccontextmanager, suppress
from dataclasses import replace

import pytest
from structlog.testing import capture_logs

from tests.fetch.fakes.messages import CYCLE, T2M, file_of
from tests.fetch.fakes.nomads import answer
from twf_async.clock import Clock
from twf_async.errors import FetchError
from twf_async.fetch.errors import ServerTrouble
from twf_async.fetch.fetcher import Fetcher
from twf_async.pipeline import attempts
from twf_async.pipeline.once import LATEST, run_once
from twf_async.pipeline.report import RunRequest
from twf_async.publish.manifest import RunState
from twf_async.settings.service import FetchSettings, UpstreamSettings

ONCE = RunRequest("gfs", CYCLE, hours=(6, 9, 12), wait=False)
NEVER_S = 3600.0  # what the client's own time-outs would take


@pytest.fixture(autouse=True)
def quick_looks(monkeypatch):
    monkeypatch.setattr(attempts, "LOOK_S", 0.01)
    monkeypatch.setattr(attempts, "QUIET_S", 0.1)


@pytest.fixture
def at_source(open_bench, tmp_path):
    """A workshop whose fetcher asks a server: each request is handed to *says*(path, writer)."""

    @asynccontextmanager
    async def at(says, **upstream):
        asked, handlers = [], set()

        async def handle(reader, writer):
            handlers.add(asyncio.current_task())
            with suppress(ConnectionError, asyncio.IncompleteReadError):
                path = (await reader.readuntil(b"\r\n\r\n")).decode().split(" ")[1]
                asked.append(path)
                await says(path, writer)
                await reader.read()  # says no more, until the other side has enough of it
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()

        server = await asyncio.start_server(handle, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        fetcher = Fetcher(
            UpstreamSettings(
                nomads_url=f"http://127.0.0.1:{port}",
                aws_url="",
                read_timeout_s=NEVER_S,
                **upstream,
            ),
            FetchSettings(),
            cache_dir=tmp_path / "downloads",
            clock=Clock(),
            requests_per_min=1e6,
        )
        await fetcher.start()
        try:
            async with asyncio.timeout(60), open_bench(products=["t2m"]) as bench:
                yield replace(bench.shop, fetcher=fetcher), asked
        finally:
            await fetcher.stop()
            server.close()
            await asyncio.gather(*handlers)

    return at


async def nothing(path, writer):
    """Accepts, and says nothing."""


async def inventories(path, writer):
    """Says what there is, and then nothing."""
    if path.endswith(".idx"):
        hour = int(path.removesuffix(".idx")[-3:])
        line = f"1:0:d={CYCLE}:TMP:2 m above ground:{hour} hour fcst:\n"
        writer.write(answer(line.encode()))
        writer.close()


@pytest.mark.parametrize("says", [nothing, inventories])
async def test_a_source_that_says_nothing_is_given_up_when_patience_is_over(says, at_source):
    async with at_source(says) as (shop, _):
        report = await run_once(ONCE, shop, patience_s=0.2)

    assert (report.state, report.published) == (RunState.PARTIAL, 0)
    assert {frame.hour for frame in report.missing} == set(ONCE.hours)
    assert {frame.reason for frame in report.missing} == {"timed out"}
    assert all("not a byte of an answer" in frame.detail for frame in report.missing)


async def test_who_waits_for_a_connection_when_patience_ends_asks_no_more(at_source):
    async with at_source(nothing, connections_per_model=1) as (shop, asked):
        await run_once(ONCE, shop, patience_s=0.2)

    assert len(asked) == 1


async def test_which_run_is_the_latest_is_not_waited_for_any_longer(at_source):
    async with at_source(nothing) as (shop, _):
        with pytest.raises(FetchError, match="not a byte of an answer"):
            await run_once(replace(ONCE, cycle=LATEST), shop, patience_s=0.2)


async def test_what_comes_in_is_waited_for_when_patience_is_over(at_source, monkeypatch):
    monkeypatch.setattr(attempts, "QUIET_S", 30.0)  # only to be sure of a slow machine
    with capture_logs() as logs:

        def given_up():
            return any(line["event"] == "pipeline.source_given_up" for line in logs)

        coming = asyncio.Event()

        async def one_hour_slowly(path, writer):
            content, _ = file_of(T2M)
            if path.endswith(".idx"):
                await inventories(path, writer)
                return
            if not path.endswith("006"):
                await coming.wait()  # nothing has failed, and patience not begun, before
                writer.write(answer(status="503 Service Unavailable"))
            else:
                told = [f"Content-Range: bytes 0-{len(content) - 1}/{len(content)}"]
                head = answer(status="206 Partial Content", headers=told, length=len(content))
                writer.write(head + content[:1000])
                coming.set()
                while not given_up():
                    await asyncio.sleep(0.01)
                writer.write(content[1000:])
            writer.close()

        async with at_source(one_hour_slowly) as (shop, _):
            report = await run_once(ONCE, shop, patience_s=0.1)

    assert given_up()
    assert {frame.hour for frame in report.missing} == {9, 12}
    assert {hour for *_, hour in shop.tree.published("gfs", CYCLE)} == {6}


async def test_when_patience_is_over_an_attempt_lives_as_long_as_it_hears_something():
    watch, moment = attempts.Attempts(10.0), 0.0
    watch.now = lambda: moment
    watch.settle()
    heard = 0
    with pytest.raises(attempts.GivenUp, match="502"):
        async with watch.one() as attempt:
            attempt.asked()
            assert not attempt.may_ask_again(ServerTrouble("502"), 11.0)
            while heard < 5:
                moment += 0.9 * attempts.QUIET_S
                attempt.heard()
                heard += 1
                await asyncio.sleep(2 * attempts.LOOK_S)
            moment += 2 * attempts.QUIET_S
            await asyncio.sleep(60)

    assert heard == 5
