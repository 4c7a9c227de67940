"""The fault table: what the other side does, what becomes of the hour, what is asked again.

Every row is a server answering one request wrongly and all others rightly.
"""

import asyncio

import pytest
from structlog.testing import capture_logs

from tests.fetch.fakes.messages import CUT_OUT, CYCLE, PRMSL, T2M, T850, TOTAL, file_of, message
from tests.fetch.fakes.nomads import BLOCK_PAGE, answer, bare_302, chunked, ranged
from twf_async.fetch.errors import (
    BadFile,
    Expired,
    FullRefused,
    NotYetPublished,
    RangeIgnored,
    ServerTrouble,
    SourceError,
    Throttled,
    TimedOut,
    Unreachable,
    Unsettled,
    WrongGrid,
    WrongMessages,
)
from twf_async.fetch.patience import Patience
from twf_async.settings.service import FetchSettings

GFS = "/pub/data/nccf/com/gfs/prod/gfs.20260129/12/atmos/gfs.t12z.pgrb2.0p25.f006"
AIGFS = (
    "/pub/data/nccf/com/aigfs/prod/aigfs.20260129/12/model/atmos/grib2/aigfs.t12z.sfc.f006.grib2"
)
CUT = message(T2M, grid=CUT_OUT, payload=bytes(5000))
PAGE = b"<!DOCTYPE html><html><head><title>Home</title></head></html>"


def publish(nomads, path, *keys, **kwargs):
    content, idx = file_of(*keys, **{"payload_bytes": 200_000, **kwargs})
    nomads.files[path] = content
    nomads.files[f"{path}.idx"] = idx.encode()
    nomads.filtered = lambda _: CUT
    return content


def only_file(tmp_path):
    (file,) = (tmp_path / "cache").rglob("*.grib2")
    return file


def leftovers(tmp_path):
    return [path for path in (tmp_path / "cache").rglob("*") if ".part" in path.name]


FILTER_FAULTS = {
    "200 with a page": (answer(PAGE), "not GRIB"),
    "200 with nothing": (chunked(b""), "empty answer"),
    "200 with nothing, no length": (answer(version="HTTP/1.0"), "empty answer"),
    "stream cut between chunks": (chunked(CUT[:2000], whole=False), "connection broken"),
    "Content-Length not reached": (answer(CUT[:2000], length=len(CUT)), "connection broken"),
    "HTTP/1.0, closed early": (answer(CUT[:2000], version="HTTP/1.0"), "truncated"),
    "500": (answer(PAGE, "500 Internal Server Error"), "server error"),
    "502": (answer(PAGE, "502 Bad Gateway"), "server error"),
    "503": (answer(PAGE, "503 Service Unavailable"), "server error"),
    "garbage between messages": (chunked(CUT + b"\0\0\0\0" + CUT), "not GRIB"),
    "no 7777 at the end": (chunked(CUT[:-4] + b"9999"), "not GRIB"),
    "starts in the middle": (chunked(CUT[100:]), "not GRIB"),
    "another run": (chunked(message(T2M, cycle="2026012906", grid=CUT_OUT)), "wrong messages"),
    "another field": (chunked(message(T850, grid=CUT_OUT)), "wrong messages"),
    "sent to another site": (
        answer(PAGE, "302 Found", headers=["Location: https://example.org/"]),
        "server error",
    ),
}


@pytest.mark.parametrize("fault", FILTER_FAULTS)
async def test_a_filter_answer_is_asked_again_until_it_is_right(
    fault, nomads, gfs, running, want, tmp_path
):
    publish(nomads, GFS, T2M, PRMSL)
    reply, reason = FILTER_FAULTS[fault]
    nomads.script = [("/cgi-bin/", reply)]

    with capture_logs() as logs:
        async with running(nomads.url) as fetcher:
            fetched = await fetcher.hour(want(gfs, T2M))

    retried = next(line for line in logs if line["event"] == "fetch.retried")
    assert retried["reason"] == reason
    assert (retried["model"], retried["cycle"], retried["hour"]) == ("gfs", CYCLE, 6)
    assert [path for path, _ in fetched.files] == [str(only_file(tmp_path))]
    assert only_file(tmp_path).read_bytes() == CUT
    assert leftovers(tmp_path) == []


RANGE_FAULTS = {
    "range ignored": (lambda _: answer(b"GRIB" + bytes(9000)), "byte range ignored"),
    "range shifted": (
        lambda asked: ranged(b"x" * 50 + file_of(PRMSL, T2M, payload_bytes=200_000)[0], asked),
        "not GRIB",
    ),
    "another range than asked": (
        lambda _: answer(b"GRIB", "206 Partial Content", headers=["Content-Range: bytes 0-3/9999"]),
        "connection broken",
    ),
    "206 without Content-Range": (
        lambda _: answer(b"GRIB", "206 Partial Content"),
        "byte range ignored",
    ),
    "reset inside the body": (
        lambda asked: ranged(file_of(PRMSL, T2M, payload_bytes=200_000)[0], asked, keep=1000),
        "connection broken",
    ),
    "416": (lambda _: answer(PAGE, "416 Range Not Satisfiable"), "inventory points past"),
    "503 SlowDown": (lambda _: answer(PAGE, "503 SlowDown"), "server error"),
    "200 with a page": (lambda _: answer(PAGE), "not GRIB"),
}


@pytest.mark.parametrize("fault", RANGE_FAULTS)
async def test_a_byte_range_is_asked_again_until_it_is_right(
    fault, nomads, aigfs, running, want, tmp_path
):
    content = publish(nomads, AIGFS, PRMSL, T2M)
    reply, reason = RANGE_FAULTS[fault]
    nomads.script = [("f006.grib2.idx", answer(nomads.files[f"{AIGFS}.idx"]))]
    nomads.script.append(("f006.grib2", reply))

    with capture_logs() as logs:
        async with running(nomads.url) as fetcher:
            fetched = await fetcher.hour(want(aigfs, T2M))

    retried = next(line for line in logs if line["event"] == "fetch.retried")
    assert retried["reason"].startswith(reason)
    assert fetched.method == "RANGES"
    assert content.endswith(only_file(tmp_path).read_bytes())
    assert leftovers(tmp_path) == []


async def test_a_broken_byte_range_goes_on_where_it_broke(nomads, aigfs, running, want, tmp_path):
    content = publish(nomads, AIGFS, T2M, payload_bytes=200_000)
    nomads.script = [
        ("f006.grib2.idx", answer(nomads.files[f"{AIGFS}.idx"])),
        ("f006.grib2", lambda asked: ranged(content, asked, keep=150_000)),
    ]

    async with running(nomads.url) as fetcher:
        fetched = await fetcher.hour(want(aigfs, T2M))

    starts = [one.headers["range"] for one in nomads.asked if "range" in one.headers]
    assert starts == ["bytes=0-", f"bytes=150000-{len(content) - 1}"]
    assert only_file(tmp_path).read_bytes() == content
    assert fetched.requests == 3


async def test_a_file_that_is_replaced_between_two_ranges_is_begun_again(
    nomads, aigfs, running, want, tmp_path
):
    content = publish(nomads, AIGFS, T2M, PRMSL, TOTAL, payload_bytes=400_000)
    between = len(message(T2M, payload=bytes(400_000)))
    after = between + len(message(PRMSL, payload=bytes(400_000)))
    younger = "Thu, 29 Jan 2026 16:00:00 GMT"
    nomads.script = [
        ("f006.grib2.idx", answer(nomads.files[f"{AIGFS}.idx"])),
        ("f006.grib2", lambda asked: ranged(content, asked)),
        ("f006.grib2", lambda asked: ranged(content, asked, modified=younger)),
    ]
    with capture_logs() as logs:
        async with running(nomads.url, multi_range=False) as fetcher:
            await fetcher.hour(want(aigfs, T2M, TOTAL))

    reasons = [line["reason"] for line in logs if line["event"] == "fetch.retried"]
    assert reasons == ["file replaced while it was read"]
    assert only_file(tmp_path).read_bytes() == content[:between] + content[after:]


@pytest.mark.parametrize(
    "page",
    [
        bare_302(),
        answer(b"", "302 Found"),
        answer(BLOCK_PAGE),
        answer(BLOCK_PAGE, "403 Forbidden"),
        answer(PAGE, "403 Forbidden"),
        answer(b"", "429 Too Many Requests"),
        answer(b"Over Rate Limit"),
    ],
    ids=["302", "bare 302", "page under 200", "page under 403", "403 young", "429", "text"],
)
@pytest.mark.parametrize("where", [".idx", "/cgi-bin/"])
async def test_a_block_stops_every_request_to_the_host(page, where, nomads, models, running, want):
    publish(nomads, GFS, T2M)
    nomads.script = [(where, page)]
    patience = Patience(attempts=4, throttle_s=60.0)

    async with running(nomads.url, patience=patience) as fetcher:
        with pytest.raises(Throttled) as first, capture_logs() as logs:
            await fetcher.hour(want(models["gfs"], T2M))
        asked = len(nomads.asked)
        with pytest.raises(Throttled) as second:
            await fetcher.exists(models["aigfs"], "2026012912", 6)
        left_s = fetcher.sources[0].host.breaker.throttled_for_s

    assert [line["event"] for line in logs] == ["fetch.throttled"]
    assert 59.0 < first.value.retry_after_s <= 75.0
    assert 50.0 < second.value.retry_after_s <= first.value.retry_after_s
    assert len(nomads.asked) == asked
    assert left_s > 50.0


async def test_after_a_block_one_request_finds_out_and_the_pause_doubles(
    nomads, gfs, running, want
):
    publish(nomads, GFS, T2M)
    nomads.script = [(".idx", bare_302()), (".idx", bare_302())]

    with capture_logs() as logs:  # what an error tells is less by the time since
        async with running(nomads.url, patience=Patience(throttle_s=0.1)) as fetcher:
            for _ in range(2):
                with pytest.raises(Throttled) as caught:
                    await fetcher.hour(want(gfs, T2M))
                assert 0.0 < caught.value.retry_after_s <= 0.25
                await asyncio.sleep(caught.value.retry_after_s)
            fetched = await fetcher.hour(want(gfs, T2M))

    throttled = [line for line in logs if line["event"] == "fetch.throttled"]
    assert [line["pause_s"] for line in throttled] == [0.1, 0.2]
    assert fetched.method == "FILTERED"


async def test_what_aiohttp_repeats_by_itself_is_counted(nomads, gfs, running, want):
    publish(nomads, GFS, T2M)
    nomads.script = [("/cgi-bin/", b"")]

    async with running(nomads.url) as fetcher:
        fetched = await fetcher.hour(want(gfs, T2M))
        left = fetcher.sources[0].host.pacer.last_minute()

    assert fetched.requests == left == len(nomads.asked) == 3


async def test_an_hour_that_is_not_there_costs_one_request(nomads, gfs, aigfs, running, want):
    async with running(nomads.url) as fetcher:
        for model in (gfs, aigfs):
            with pytest.raises(NotYetPublished):
                await fetcher.hour(want(model, T2M, T850))

    assert len(nomads.asked) == 2


async def test_a_page_that_says_not_present_under_200_is_a_404(nomads, gfs, running, want):
    nomads.files[f"{GFS}.idx"] = b"<html><title>data file is not present; /common</title></html>"

    async with running(nomads.url) as fetcher:
        with pytest.raises(NotYetPublished):
            await fetcher.hour(want(gfs, T2M))


async def test_403_on_an_old_run_means_cleared_away(nomads, gfs, running, want):
    nomads.script = [(".idx", answer(PAGE, "403 Forbidden"))]

    async with running(nomads.url) as fetcher:
        with pytest.raises(Expired):
            await fetcher.hour(want(gfs, T2M, cycle="2026010112"))


async def test_a_server_that_stays_ill_is_given_up_after_the_attempts(nomads, gfs, running, want):
    publish(nomads, GFS, T2M)
    nomads.script = [("/cgi-bin/", answer(PAGE, "500 Error"))] * 9

    async with running(nomads.url) as fetcher:
        with pytest.raises(ServerTrouble):
            await fetcher.hour(want(gfs, T2M))

    assert len(nomads.paths(".pl")) == 4


async def test_nobody_listening_is_unreachable(gfs, running, want, nobody):
    async with running(nobody) as fetcher:
        with pytest.raises(Unreachable):
            await fetcher.hour(want(gfs, T2M))


async def test_a_server_that_stalls_is_left(nomads, gfs, running, want):
    publish(nomads, GFS, T2M)
    release = asyncio.Event()
    nomads.script = [(".idx", lambda _: release)] * 4

    async with running(nomads.url, read_timeout_s=0.05) as fetcher:
        with pytest.raises(TimedOut, match=f"^silent for 0.05 s: {nomads.url}/"):
            await fetcher.hour(want(gfs, T2M))
    release.set()


BAD_INDEXES = {
    "empty": b"",
    "cut": b"1:0:d=2026012912:TMP:2 m above gro",
    "not from the start": b"2:10:d=2026012912:TMP:2 m above ground:6 hour fcst:\n",
    "of another run": b"1:0:d=2026012906:TMP:2 m above ground:6 hour fcst:\n",
}


@pytest.mark.parametrize("content", BAD_INDEXES.values(), ids=BAD_INDEXES)
async def test_an_unusable_inventory_is_read_again(content, nomads, gfs, running, want):
    publish(nomads, GFS, T2M)
    nomads.script = [(".idx", answer(content))]

    with capture_logs() as logs:
        async with running(nomads.url) as fetcher:
            fetched = await fetcher.hour(want(gfs, T2M))

    assert [line["reason"] for line in logs if line["event"] == "fetch.retried"] == [
        "unusable inventory"
    ]
    assert fetched.missing == frozenset()


async def test_a_stale_inventory_is_read_again_when_the_bytes_do_not_fit(
    nomads, aigfs, running, want, tmp_path
):
    """The file was replaced; its old inventory points into the middle of a message."""
    publish(nomads, AIGFS, PRMSL, T2M)
    stale = file_of(PRMSL, T2M, payload_bytes=1500)[1]
    nomads.script = [(".idx", answer(stale.encode()))]

    async with running(nomads.url) as fetcher:
        fetched = await fetcher.hour(want(aigfs, T2M))

    assert fetched.missing == frozenset()
    assert only_file(tmp_path).read_bytes() == message(T2M, payload=bytes(range(250)) * 800)
    assert len(nomads.paths(".idx")) == 2


async def test_a_grown_file_is_not_taken_to_its_new_end(nomads, aigfs, running, want):
    """The last field ends where its message does; more behind it means another inventory."""
    publish(nomads, AIGFS, T2M)
    nomads.files[AIGFS] += message(PRMSL)

    async with running(nomads.url) as fetcher:
        with pytest.raises(WrongMessages):
            await fetcher.hour(want(aigfs, T2M))


async def test_a_box_without_a_grid_point_is_an_error_not_a_globe(
    nomads, gfs, running, want, tmp_path
):
    publish(nomads, GFS, T2M)
    nomads.filtered = lambda _: message(T2M)

    async with running(nomads.url) as fetcher:
        with pytest.raises(WrongGrid):
            await fetcher.hour(want(gfs, T2M))

    assert list((tmp_path / "cache").rglob("*.grib2")) == []


async def test_a_whole_file_is_refused_unless_allowed(nomads, aigfs, running, want, tmp_path):
    content = publish(nomads, AIGFS, PRMSL, T2M)
    nomads.script = [
        (".idx", answer(nomads.files[f"{AIGFS}.idx"])),
        *[("f006.grib2", answer(content))] * 99,
    ]

    async with running(nomads.url) as fetcher:
        with pytest.raises(FullRefused) as caught:
            await fetcher.hour(want(aigfs, T2M))
    assert isinstance(caught.value.__cause__, RangeIgnored)
    assert list((tmp_path / "cache").rglob("*.grib2")) == []

    nomads.script.insert(0, (".idx", answer(nomads.files[f"{AIGFS}.idx"])))
    with capture_logs() as logs:
        async with running(nomads.url, fetch=FetchSettings(allow_full=True)) as fetcher:
            fetched = await fetcher.hour(want(aigfs, T2M))
    told = next(line for line in logs if line["event"] == "fetch.finished")
    assert (fetched.method, told["method"], told["log_level"]) == ("FULL", "FULL", "warning")
    assert only_file(tmp_path).read_bytes() == content


async def test_one_redirect_within_the_host_is_followed(nomads, gfs, running, want):
    publish(nomads, GFS, T2M)
    nomads.files["/moved.idx"] = nomads.files[f"{GFS}.idx"]
    nomads.script = [(".idx", answer(status="301 Moved", headers=["Location: /moved.idx"]))]

    async with running(nomads.url) as fetcher:
        fetched = await fetcher.hour(want(gfs, T2M))

    assert fetched.requests == 3
    assert nomads.asked[1].path == "/moved.idx"


async def test_every_error_is_one_of_ours_and_says_whether_to_come_back():
    def below(kind):
        return {kind} | {sub for child in kind.__subclasses__() for sub in below(child)}

    for kind in below(SourceError) - {SourceError, BadFile, Throttled, Unsettled}:
        error = kind("what happened")
        assert error.retry_after_s is None or error.retry_after_s > 0
        assert error.reason != SourceError.reason
