"""403: of one directory, or of the whole host? The page tells, and what else is refused."""

import asyncio

import pytest
from structlog.testing import capture_logs

from tests.fetch.fakes.messages import T2M
from tests.fetch.fakes.nomads import answer, bare_302
from tests.fetch.test_faults import GFS, publish
from twf_async.fetch.answers import Blocked, require_good_status
from twf_async.fetch.errors import Expired, Forbidden, NotYetPublished, Throttled
from twf_async.fetch.pacing import Breaker
from twf_async.fetch.patience import Patience
from twf_async.replica import pages

APACHE = pages.forbidden("/pub/data/nccf/com/gfs/prod/gfs.20260129/12/").encode()
AKAMAI = b"""<HTML><HEAD>
<TITLE>Access Denied</TITLE>
</HEAD><BODY>
<H1>Access Denied</H1>
You don't have permission to access "http&#58;&#47;&#47;nomads" on this server.<P>
Reference&#32;&#35;18&#46;5f2c1702
</BODY></HTML>"""
S3 = b"""<?xml version="1.0" encoding="UTF-8"?>
<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>"""
UNCLEAR = b"<html><head><title>Error</title></head></html>"


@pytest.mark.parametrize(
    ("page", "server", "young", "old"),
    [
        (APACHE, "Apache", Forbidden, Expired),
        (S3, "AmazonS3", Forbidden, Expired),
        (AKAMAI, "AkamaiGHost", Blocked, Blocked),
        (AKAMAI, "", Blocked, Blocked),
        (APACHE, "AkamaiGHost", Blocked, Blocked),
        (pages.BLOCKED.encode(), "", Blocked, Blocked),
        (UNCLEAR, "Apache", Blocked, Expired),
        (b"", "", Blocked, Expired),
    ],
    ids=["Apache", "S3", "Akamai", "Akamai's page", "Akamai's name", "abuse", "unclear", "empty"],
)
def test_the_page_tells_a_closed_directory_from_a_closed_host(page, server, young, old):
    for recent, expected in ((True, young), (False, old)):
        with pytest.raises(expected) as caught:
            require_good_status(403, "Forbidden", {"Server": server}, page, recent=recent)
        assert type(caught.value) is expected


async def test_a_closed_directory_is_told_once_and_shuts_nothing():
    breaker = Breaker("nomads", Patience())
    with capture_logs() as logs:
        errors = [breaker.forbidden("/gfs.20260129/12/atmos", Forbidden("403")) for _ in range(9)]

    breaker.require_open()
    assert {type(error) for error in errors} == {Forbidden}
    (line,) = logs
    assert line["directory"] == "/gfs.20260129/12/atmos"


async def test_several_closed_directories_and_nothing_open_between_shut_the_host():
    breaker = Breaker("nomads", Patience())
    for name in ("a", "b"):
        assert isinstance(breaker.forbidden(name, Forbidden("403")), Forbidden)
    breaker.good()
    for name in ("a", "b"):
        assert isinstance(breaker.forbidden(name, Forbidden("403")), Forbidden)
    assert isinstance(breaker.forbidden("c", Forbidden("403")), Throttled)
    with pytest.raises(Throttled):
        breaker.require_open()


async def test_not_there_is_an_answer_too_after_which_the_host_is_open_again(
    nomads, gfs, running, want
):
    """A block ends while there is nothing to be had: the next one must not count as its second."""
    nomads.script = [(".idx", bare_302())]
    patience = Patience(throttle_s=0.05)
    async with running(nomads.url, patience=patience) as fetcher:
        with pytest.raises(Throttled) as first:
            await fetcher.hour(want(gfs, T2M))
        await asyncio.sleep(first.value.retry_after_s)
        with pytest.raises(NotYetPublished):
            await fetcher.hour(want(gfs, T2M))
        publish(nomads, GFS, T2M)
        nomads.script = [(".idx", bare_302())]
        with capture_logs() as logs, pytest.raises(Throttled):
            await fetcher.hour(want(gfs, T2M))

    assert [line["times_in_a_row"] for line in logs if line["event"] == "fetch.throttled"] == [1]


async def test_a_closed_directory_of_a_young_run_is_asked_for_at_the_next_poll(
    nomads, gfs, running, want
):
    publish(nomads, GFS, T2M)
    nomads.script = [(".idx", answer(APACHE, "403 Forbidden"))]

    async with running(nomads.url) as fetcher:
        assert not await fetcher.exists(gfs, "2026012912", 6)
        fetched = await fetcher.hour(want(gfs, T2M))

    assert fetched.method == "FILTERED"
