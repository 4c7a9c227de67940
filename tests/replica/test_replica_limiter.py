"""The limit in all its forms, and the bot mitigation below it."""

import aiohttp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.replica.asking import GFS, Client
from twf_async.replica.directory_tree import DirectoryTree
from twf_async.replica.limit import Burst, Limit, Refusal
from twf_async.replica.limiter import RateLimiter
from twf_async.replica.running import running
from twf_async.replica.server import ServerOptions

IDX = f"{GFS}/gfs.t12z.pgrb2.0p25.f006.idx"


@pytest.mark.parametrize(
    ("refusal", "status", "text"),
    [
        (Refusal.REDIRECT, 302, "Over Rate Limit"),
        (Refusal.PAGE, 200, "Over Rate Limit"),
        (Refusal.BLOCK, 403, "abusive-user-block"),
    ],
)
async def test_the_blocked_are_answered_in_one_of_three_ways(scripted, refusal, status, text):
    async with scripted() as (client, replica):
        replica.play(limit=Limit(2, refusal=refusal))
        answers = [await client.get(IDX) for _ in range(4)]
        assert [answer.status for answer in answers] == [200, 200, status, status]
        assert all(text in answer.text for answer in answers[2:])
        assert all("Location" not in answer.headers for answer in answers)
        assert [hit.fault for hit in replica.hits] == ["", "", *["over the limit"] * 2]


async def test_a_burst_without_the_cookie_is_redirected_to_nowhere_for_a_while(scripted):
    options = ServerOptions(burst=Burst(requests=3, window_s=3600.0, times=2))
    async with scripted(options=options) as (client, replica):
        answers = [await client.get(IDX) for _ in range(8)]
        assert [answer.status for answer in answers] == [200, 200, 200, 302, 302, 200, 200, 200]
        bare = answers[3]
        assert (bare.reason, bare.body) == ("Found", b"")
        assert "Location" not in bare.headers
        assert answers[0].headers["Set-Cookie"].startswith("ak_bmsc=")
        assert replica.hits[3].fault == "taken for a bot"


async def test_who_sends_the_cookie_back_may_burst(test_data):
    options = ServerOptions(burst=Burst(requests=1, window_s=3600.0))
    async with (
        running(DirectoryTree(test_data / "nomads"), options=options) as replica,
        # An IP address: a jar keeps its cookies only when told to.
        aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as session,
    ):
        client = Client(session, replica.url)
        assert [(await client.get(IDX)).status for _ in range(6)] == [200] * 6
        assert len(session.cookie_jar) == 1


async def test_the_cookie_is_no_way_around_the_limit(test_data):
    options = ServerOptions(limit=Limit(2), burst=Burst(requests=5))
    async with (
        running(DirectoryTree(test_data / "nomads"), options=options) as replica,
        aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as session,
    ):
        client = Client(session, replica.url)
        assert [(await client.get(IDX)).status for _ in range(3)] == [200, 200, 302]


@given(st.lists(st.floats(0.0, 1.0), max_size=60), st.integers(1, 10), st.integers(1, 3))
def test_after_a_burst_and_its_redirects_all_is_as_before(gaps, allowed, times):
    limiter = RateLimiter(None, Burst(allowed, 1.0, times))
    now_s, served = 0.0, ""
    for gap in gaps:
        now_s += gap
        served += "y" if limiter.trusts("client", now_s) else "n"
    runs = served.replace("ny", "n y").replace("yn", "y n").split()
    assert all(len(run) <= times for run in runs if run.startswith("n"))
    assert all(len(run) >= allowed for run in runs[:-1] if run.startswith("y"))
    if len(gaps) > allowed and sum(gaps[1 : allowed + 1]) < 1.0:
        assert served[allowed] == "n"
