"""Hit log, rate limit, switches, and the replica as a program."""

import asyncio
import json
import signal
import sys
from pathlib import Path

import aiohttp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.replica.asking import GFS, GFS_F006, Client
from twf_async.errors import BadInput
from twf_async.replica.directory_tree import DirectoryTree
from twf_async.replica.file_answers import StaticOptions
from twf_async.replica.filter import FilterOptions
from twf_async.replica.limit import Limit
from twf_async.replica.limiter import RateLimiter
from twf_async.replica.main import running_replica, serve_replica
from twf_async.replica.server import ServerOptions

FILE = f"{GFS}/gfs.t12z.pgrb2.0p25.f006"


async def test_every_request_is_in_the_hit_log_with_what_was_answered(replica, gfs_f006):
    await replica.get(f"{FILE}.idx", User_Agent="test/1 (someone@example.org)")
    await replica.get(FILE, Range="bytes=0-99")
    await replica.get(FILE, "HEAD")
    await replica.get(f"{GFS}/nothing")
    filtered = await replica.get(f"{GFS_F006}&all_var=on&all_lev=on")
    hits = json.loads((await replica.get("/_replica/hits")).body)
    assert [(hit["method"], hit["status"], hit["bytes"]) for hit in hits] == [
        ("GET", 200, 295),
        ("GET", 206, 100),
        ("HEAD", 200, 0),
        ("GET", 404, hits[3]["bytes"]),
        ("GET", 200, len(gfs_f006)),
    ]
    assert len(filtered.body) == hits[4]["bytes"]
    assert hits[0]["path"] == f"{FILE}.idx"
    assert hits[0]["user_agent"] == "test/1 (someone@example.org)"
    assert hits[1]["range"] == "bytes=0-99"
    assert hits[4]["query"] == f"{GFS_F006}&all_var=on&all_lev=on".partition("?")[2]
    assert (await replica.get("/_replica/hits", "DELETE")).status == 204
    assert json.loads((await replica.get("/_replica/hits")).body) == []


async def test_over_the_limit_is_a_302_to_nowhere(test_data):
    options = ServerOptions(limit=Limit(hits_per_min=3, block_s=3600))
    async with (
        running_replica(DirectoryTree(test_data / "nomads"), options=options) as url,
        aiohttp.ClientSession() as session,
    ):
        client = Client(session, url)
        answers = [await client.get(f"{FILE}.idx", "HEAD") for _ in range(3)]
        answers += [await client.get(f"{FILE}.idx") for _ in range(2)]
        assert [answer.status for answer in answers] == [200, 200, 200, 302, 302]
        refused = answers[-1]
        assert refused.reason.startswith("Your allowed limit has been reached.")
        assert "Location" not in refused.headers
        assert "Over Rate Limit" in refused.text
        hits = json.loads((await client.get("/_replica/hits")).body)
        assert [hit["status"] for hit in hits] == [200, 200, 200, 302, 302]
        assert hits[-1]["fault"] == "over the limit"


@given(st.lists(st.floats(0.0, 20.0), max_size=60), st.integers(1, 10))
def test_a_served_minute_never_holds_more_than_the_limit(gaps, allowed):
    limiter = RateLimiter(Limit(hits_per_min=allowed, block_s=60.0))
    now_s, served = 1000.0, []
    for gap in gaps:
        now_s += gap
        if limiter.allows("client", now_s):
            served.append(now_s)
    for start in served:
        assert sum(start <= moment < start + 60.0 for moment in served) <= allowed


def test_a_block_ends_after_its_time_unless_asking_extends_it():
    for extends, later in ((False, True), (True, False)):
        limiter = RateLimiter(Limit(hits_per_min=1, block_s=60.0, extends=extends))
        assert limiter.allows("a", 0.0)
        assert not limiter.allows("a", 1.0)
        assert limiter.allows("b", 1.0)
        assert not limiter.allows("a", 50.0)
        assert limiter.allows("a", 62.0) is later


@pytest.mark.parametrize(
    ("options", "header"),
    [
        (StaticOptions(ranges=False), "bytes=0-9"),
        (StaticOptions(multi_range=False), "bytes=0-9,20-29"),
    ],
)
async def test_ranges_can_be_ignored_as_some_servers_do(test_data, gfs_f006, options, header):
    tree = DirectoryTree(test_data / "nomads")
    async with (
        running_replica(tree, options=ServerOptions(static=options)) as url,
        aiohttp.ClientSession() as session,
    ):
        answer = await Client(session, url).get(FILE, Range=header)
        assert (answer.status, len(answer.body)) == (200, len(gfs_f006))


async def test_no_match_can_be_an_error_as_seen_at_times(test_data):
    options = ServerOptions(filter=FilterOptions(no_match_error=True))
    async with (
        running_replica(DirectoryTree(test_data / "nomads"), options=options) as url,
        aiohttp.ClientSession() as session,
    ):
        answer = await Client(session, url).get(f"{GFS_F006}&var_X=on&lev_surface=on")
        assert (answer.status, answer.text) == (500, "g2sub: no matching records\n")


async def test_a_fault_can_be_put_between_limit_and_files(test_data):
    @aiohttp.web.middleware
    async def broken(request, handler):
        return aiohttp.web.Response(status=503, text="<html>error occurred</html>")

    options = ServerOptions(faults=[broken])
    async with (
        running_replica(DirectoryTree(test_data / "nomads"), options=options) as url,
        aiohttp.ClientSession() as session,
    ):
        client = Client(session, url)
        assert (await client.get(FILE)).status == 503
        assert json.loads((await client.get("/_replica/hits")).body)[0]["status"] == 503


async def test_the_com_directory_itself_can_be_the_root(test_data):
    tree = DirectoryTree(test_data / "nomads/pub/data/nccf/com")
    assert tree.stat(FILE) is not None
    assert [entry.name for entry in tree.listdir("/pub") or ()] == ["data"]


async def test_an_idx_is_made_where_there_is_none(test_data, tmp_path):
    for name in ("gfs.t12z.pgrb2.0p25.f006", "gfs.t12z.pgrb2.0p25.f000"):
        there = tmp_path / GFS.lstrip("/") / name
        there.parent.mkdir(parents=True, exist_ok=True)
        there.symlink_to(test_data / f"nomads{GFS}/{name}")
        (there.parent / "README").write_text("not GRIB")
        true = (test_data / f"nomads{GFS}/{name}.idx").read_text()
        tree = DirectoryTree(tmp_path)
        made = b"".join(tree.open_range(f"{GFS}/{name}.idx", 0, len(true))).decode()
        assert made == true
        entry = tree.stat(f"{GFS}/{name}.idx")
        assert entry is not None
        assert entry.size == len(true)
        assert f"{name}.idx" in {found.name for found in tree.listdir(GFS) or ()}
        assert "README.idx" not in {found.name for found in tree.listdir(GFS) or ()}
        assert tree.messages(f"{GFS}/{name}") == DirectoryTree(test_data / "nomads").messages(
            f"{GFS}/{name}"
        )


async def test_root_and_demo_exclude_each_other():
    with pytest.raises(BadInput, match="either"):
        await serve_replica(None)
    with pytest.raises(BadInput, match="not a directory"):
        await serve_replica(Path("/nonexistent"))


async def test_the_program_prints_its_url_serves_and_ends_at_sigterm(test_data, tmp_path):
    hits = tmp_path / "hits.jsonl"
    command = [sys.executable, "-m", "twf_async.replica", "--root", str(test_data / "nomads")]
    program = await asyncio.create_subprocess_exec(
        *command,
        "--hits",
        str(hits),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        assert program.stdout is not None
        url = (await program.stdout.readline()).decode().strip()
        assert url.startswith("http://127.0.0.1:")
        async with aiohttp.ClientSession() as session:
            assert (await Client(session, url).get(f"{FILE}.idx")).status == 200
        program.send_signal(signal.SIGTERM)
        rest, logged = await program.communicate()
        assert (program.returncode, rest) == (0, b"")
        events = [json.loads(line) for line in logged.splitlines()]
        assert [event["event"] for event in events] == ["replica.started", "replica.stopped"]
        assert events[0]["url"] == url
    finally:
        if program.returncode is None:
            program.kill()
            await program.wait()
    (line,) = hits.read_text().splitlines()
    assert json.loads(line)["bytes"] == 295
