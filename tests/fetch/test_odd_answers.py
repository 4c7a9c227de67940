"""Answers that no fault of the replica is: what else a web server, or somebody between, sends."""

import gzip

import pytest

from tests.fetch.fakes.messages import PRMSL, T2M
from tests.fetch.fakes.nomads import answer, chunked
from tests.fetch.test_faults import CUT, GFS, PAGE, publish
from twf_async.errors import FetchError
from twf_async.fetch.errors import SourceError, Throttled


def sent_on(to, status="302 Found"):
    return answer(PAGE, status, headers=[f"Location: {to}"])


async def test_an_answer_that_is_packed_though_nobody_asked_for_that_is_unpacked(
    nomads, gfs, running, want
):
    publish(nomads, GFS, T2M, PRMSL)
    packed = gzip.compress(nomads.files[f"{GFS}.idx"])
    nomads.script = [
        (".idx", answer(packed, headers=["Content-Encoding: gzip"])),
        ("/cgi-bin/", answer(gzip.compress(CUT), headers=["Content-Encoding: gzip"])),
    ]
    async with running(nomads.url) as fetcher:
        fetched = await fetcher.hour(want(gfs, T2M))
    assert fetched.requests == 2


async def test_an_answer_that_is_packed_badly_is_asked_for_again(nomads, gfs, running, want):
    publish(nomads, GFS, T2M, PRMSL)
    nomads.script = [("/cgi-bin/", answer(CUT, headers=["Content-Encoding: gzip"]))] * 2
    async with running(nomads.url) as fetcher:
        fetched = await fetcher.hour(want(gfs, T2M))
    assert fetched.requests == 4


@pytest.mark.parametrize("to", [GFS + ".idx", "/login?from=here", "https://example.org/login", ""])
async def test_redirects_without_end_or_to_a_page_cost_a_few_requests(
    to, nomads, gfs, running, want
):
    publish(nomads, GFS, T2M, PRMSL)
    nomads.files["/login"] = PAGE
    nomads.script = [(".idx", sent_on(to))] * 50
    async with running(nomads.url) as fetcher:
        with pytest.raises(FetchError) as caught:
            await fetcher.hour(want(gfs, T2M))
    assert not isinstance(caught.value, Throttled)
    assert len(nomads.asked) <= 8


@pytest.mark.parametrize(
    ("retry_after", "at_least_s", "at_most_s"),
    [
        ("604800", 600.0, 3600.0),  # a week
        ("30", 30.0, 60.0),
        ("Thu, 01 Jan 2015 00:00:00 GMT", 0.0, 60.0),  # over long ago
        ("-5", 0.0, 60.0),
        ("soon", 0.0, 60.0),
        ("9" * 5000, 600.0, 3600.0),
    ],
)
async def test_a_host_may_say_when_to_come_back_within_reason(
    retry_after, at_least_s, at_most_s, nomads, gfs, running, want
):
    publish(nomads, GFS, T2M, PRMSL)
    nomads.script = [(".idx", answer(b"", "429 Slow", headers=[f"Retry-After: {retry_after}"]))]
    async with running(nomads.url) as fetcher:
        with pytest.raises(Throttled) as caught:
            await fetcher.hour(want(gfs, T2M))
    assert at_least_s - 1 <= caught.value.retry_after_s <= at_most_s


@pytest.mark.parametrize(
    "modified",
    [
        "Thu, 01 Jan 2099 00:00:00 GMT",
        "Thu, 01 Jan 1970 00:00:00 GMT",
        "yesterday",
        "Thu, 29 Jan 2026 24:61:00 GMT",
        "Thu, 29 Jan 2026 15:40:00 +9999",
        "Thu, 29 Jan 0000 15:40:00 GMT",
        "",
    ],
)
async def test_whatever_time_a_file_says_the_hour_comes(modified, nomads, gfs, running, want):
    publish(nomads, GFS, T2M, PRMSL)
    idx = nomads.files[f"{GFS}.idx"]
    headers = [f"Last-Modified: {modified}"]
    nomads.script = [(".idx", answer(idx, headers=headers))]
    async with running(nomads.url) as fetcher:
        await fetcher.appeared(gfs, "2026012912", 6)
        fetched = await fetcher.hour(want(gfs, T2M))
    assert fetched.files


async def test_an_answer_that_says_it_is_longer_than_it_is_is_given_up_in_time(
    nomads, gfs, running, want
):
    publish(nomads, GFS, T2M, PRMSL)
    nomads.script = [(".idx", answer(nomads.files[f"{GFS}.idx"], length=10**15))]
    async with running(nomads.url) as fetcher:
        fetched = await fetcher.hour(want(gfs, T2M))
    assert fetched.requests == 3


async def test_an_answer_without_end_is_hung_up(nomads, gfs, running, want):
    publish(nomads, GFS, T2M, PRMSL)
    nomads.script = [(".idx", chunked(b"1:0:d=2026012912:A:b:anl:\n" * 200_000))]
    async with running(nomads.url) as fetcher:
        fetched = await fetcher.hour(want(gfs, T2M))
    assert fetched.requests == 3


@pytest.mark.parametrize(
    "reply",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: -4\r\n\r\n1:0",
        b"HTTP/1.1 999 What\r\nContent-Length: 0\r\n\r\n",
        b"\x16\x03\x01\x00\x00",
        b"HTTP/1.1 200 OK\r\nX: " + b"y" * 100_000 + b"\r\n\r\n",
        b"HTTP/1.1 204 No Content\r\n\r\n",
        b"HTTP/1.1 206 Partial Content\r\nContent-Length: 0\r\n\r\n",
    ],
    ids=lambda reply: repr(reply[:24]),
)
async def test_what_is_no_answer_ends_in_an_error_of_ours_and_the_hour_comes_later(
    reply, nomads, gfs, running, want
):
    publish(nomads, GFS, T2M, PRMSL)
    nomads.script = [(".idx", reply)] * 50
    async with running(nomads.url) as fetcher:
        with pytest.raises(SourceError):
            await fetcher.hour(want(gfs, T2M))
        asked = len(nomads.asked)
        nomads.script.clear()
        fetched = await fetcher.hour(want(gfs, T2M))
    assert fetched.files
    assert asked <= 8
