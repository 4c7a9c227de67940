"""The mirror, as S3 hands files out."""

from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

import aiohttp
import pytest

from tests.replica.asking import GFS, HRRR, Client, HandClock
from twf_async.replica.directory_tree import DirectoryTree
from twf_async.replica.faults.script import Fault
from twf_async.replica.limit import Burst, Limit
from twf_async.replica.mirror import MirrorOptions
from twf_async.replica.release import PLANS, kept
from twf_async.replica.release_tree import ReleaseTree
from twf_async.replica.running import running
from twf_async.replica.server import ServerOptions

KEY = "/gfs.20260129/12/atmos/gfs.t12z.pgrb2.0p25.f006"
HRRR_KEY = "/hrrr.20260129/conus/hrrr.t17z.wrfsfcf06.grib2"
F006 = f"{GFS}/gfs.t12z.pgrb2.0p25.f006"


@pytest.fixture
def mirrored(scripted):
    """The mirror's client, NOMADS' client and the replica."""

    @asynccontextmanager
    async def run(*faults, **how):
        how.setdefault("mirror", MirrorOptions())
        async with (
            scripted(*faults, **how) as (nomads, replica),
            aiohttp.ClientSession() as session,
        ):
            yield Client(session, replica.mirror_url), nomads, replica

    return run


async def test_keys_are_the_paths_of_nomads_without_model_and_prod(mirrored, gfs_f006, hrrr_f06):
    async with mirrored() as (mirror, _, replica):
        assert (await mirror.get(KEY)).body == gfs_f006
        assert (await mirror.get(HRRR_KEY)).body == hrrr_f06
        assert (await mirror.get(f"{KEY}.idx")).text.startswith("1:0:d=2026012912:PRMSL")
        assert [hit.file for hit in replica.hits][:2] == [
            F006,
            f"{HRRR}/hrrr.t17z.wrfsfcf06.grib2",
        ]


async def test_headers_are_those_of_s3(mirrored, gfs_f006):
    async with mirrored() as (mirror, _, _):
        answer = await mirror.get(KEY, "HEAD")
        assert answer.headers["Server"] == "AmazonS3"
        assert answer.headers["x-amz-request-id"]
        assert answer.headers["Content-Length"] == str(len(gfs_f006))
        assert answer.headers["Accept-Ranges"] == "bytes"
        assert "Strict-Transport-Security" not in answer.headers
        assert "Set-Cookie" not in answer.headers


async def test_one_range_is_answered_and_several_are_ignored(mirrored, gfs_f006):
    async with mirrored() as (mirror, _, _):
        for asked, part in (("bytes=5-14", slice(5, 15)), ("bytes=-7", slice(-7, None))):
            answer = await mirror.get(KEY, Range=asked)
            assert (answer.status, answer.body) == (206, gfs_f006[part])
        answer = await mirror.get(KEY, Range="bytes=0-9,20-29")
        assert (answer.status, answer.body) == (200, gfs_f006)


async def test_errors_are_xml(mirrored):
    async with mirrored() as (mirror, _, _):
        for key in (f"{KEY}9", "/gfs.20260129/12/atmos/", "/", "/gfs.20260129", "/../x", GFS):
            answer = await mirror.get(key)
            assert answer.status == 404
            assert "<Code>NoSuchKey</Code>" in answer.text
        answer = await mirror.get(KEY, Range="bytes=99999999-")
        assert (answer.status, "<Code>InvalidRange</Code>" in answer.text) == (416, True)
        assert answer.headers["Content-Range"] == "bytes */5289672"


async def test_there_is_no_limit_no_cookie_and_no_filter(mirrored):
    options = ServerOptions(limit=Limit(0), burst=Burst(1))
    async with mirrored(options=options) as (mirror, nomads, _):
        assert {(await mirror.get(f"{KEY}.idx")).status for _ in range(5)} == {200}
        assert (await nomads.get(f"{F006}.idx")).status == 302
        assert (await mirror.get("/cgi-bin/filter_gfs_0p25.pl")).status == 404


async def test_it_slows_down_alone(mirrored):
    fault = Fault("slow_down", source="mirror", every=2)
    async with mirrored(fault) as (mirror, nomads, replica):
        asked = [await mirror.get(f"{KEY}.idx") for _ in range(4)]
        assert [answer.status for answer in asked] == [200, 503, 200, 503]
        assert "<Code>SlowDown</Code>" in asked[1].text
        assert (await nomads.get(f"{F006}.idx")).status == 200
        assert replica.hits[1].fault == "slow_down"


async def test_files_can_be_wrong_on_one_side_only(mirrored):
    async with mirrored(Fault("absent", path="f006", source="nomads")) as (mirror, nomads, _):
        assert (await nomads.get(F006)).status == 404
        assert (await mirror.get(KEY)).status == 200


async def test_copies_come_after_their_originals(test_data):
    out = datetime(2026, 1, 29, 15, 26, 18, tzinfo=UTC)
    clock = HandClock(out + timedelta(seconds=76))
    tree = ReleaseTree(DirectoryTree(test_data / "nomads"), clock)
    async with (
        running(tree, clock=clock, mirror=MirrorOptions(lag_s=77.0)) as replica,
        aiohttp.ClientSession() as session,
    ):
        nomads, mirror = Client(session, replica.url), Client(session, replica.mirror_url)
        assert (await nomads.get(F006, "HEAD")).status == 200
        assert (await mirror.get(KEY, "HEAD")).status == 404
        clock.time = out + timedelta(seconds=77)
        answer = await mirror.get(KEY, "HEAD")
        assert parsedate_to_datetime(answer.headers["Last-Modified"]) == clock.time


async def test_it_keeps_what_nomads_has_closed(mirrored, test_data):
    clock, files = HandClock(datetime(2026, 2, 20, tzinfo=UTC)), DirectoryTree(test_data / "nomads")
    tree, copied = ReleaseTree(files, clock), ReleaseTree(files, clock, kept(PLANS))
    async with mirrored(tree=tree, mirror_tree=copied, clock=clock) as (mirror, nomads, _):
        assert (await nomads.get(F006, "HEAD")).status == 403
        assert (await mirror.get(KEY, "HEAD")).status == 200
