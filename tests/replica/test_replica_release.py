"""The release clock: hours appear one by one, grow, and age out."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path

import aiohttp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.replica.asking import COM, GFS, GFS_F006, HRRR, Client, HandClock
from twf_async.clock import Clock
from twf_async.replica.directory_tree import DirectoryTree
from twf_async.replica.main import running_replica
from twf_async.replica.release import PLANS
from twf_async.replica.release_tree import ReleaseTree

F006 = f"{GFS}/gfs.t12z.pgrb2.0p25.f006"
CYCLE = datetime(2026, 1, 29, 12, tzinfo=UTC)
F006_COMPLETE = CYCLE + timedelta(hours=3, minutes=25, seconds=6 * 13)
PLAN = {plan.tree.partition("/")[0]: plan for plan in PLANS}


@asynccontextmanager
async def released(test_data: Path, time: datetime) -> AsyncIterator[tuple[Client, HandClock]]:
    clock = HandClock(time)
    tree = ReleaseTree(DirectoryTree(test_data / "nomads"), clock)
    async with running_replica(tree) as url, aiohttp.ClientSession() as session:
        yield Client(session, url), clock


async def test_before_its_time_a_file_is_not_there_and_not_listed(test_data):
    async with released(test_data, F006_COMPLETE - timedelta(seconds=30)) as (client, _):
        assert (await client.get(F006)).status == 404
        assert (await client.get(f"{F006}.idx")).status == 404
        assert (await client.get(f"{GFS_F006}&all_var=on&all_lev=on")).status == 404
        listing = (await client.get(f"{GFS}/")).text
        assert "f000" in listing
        assert "f006" not in listing


async def test_a_file_grows_before_it_is_complete(test_data, gfs_f006):
    async with released(test_data, F006_COMPLETE) as (client, clock):
        sizes = []
        for left_s in (9.0, 5.0, 1.0):
            clock.time = F006_COMPLETE - timedelta(seconds=left_s)
            answer = await client.get(F006)
            assert int(answer.headers["Content-Length"]) == len(answer.body)
            assert answer.body == gfs_f006[: len(answer.body)]
            assert parsedate_to_datetime(answer.headers["Last-Modified"]) == clock.time
            assert (await client.get(f"{F006}.idx")).status == 404
            sizes.append(len(answer.body))
        assert 0 < sizes[0] < sizes[1] < sizes[2] < len(gfs_f006)
        beyond = await client.get(F006, Range=f"bytes={len(gfs_f006) - 10}-")
        assert beyond.status == 416
        open_end = await client.get(F006, Range="bytes=100-")
        assert open_end.body == gfs_f006[100 : sizes[2]]


async def test_the_filter_has_no_file_until_it_is_complete_and_indexed(test_data):
    ask = f"{GFS_F006}&var_TMP=on&lev_2_m_above_ground=on"
    async with released(test_data, F006_COMPLETE - timedelta(seconds=5)) as (client, clock):
        assert (await client.get(ask)).status == 404
        clock.time = F006_COMPLETE + timedelta(seconds=1)
        assert (await client.get(ask)).status == 404
        clock.time = F006_COMPLETE + timedelta(seconds=2)
        assert (await client.get(ask)).status == 200


async def test_the_idx_follows_the_complete_file_and_both_tell_their_time(test_data, gfs_f006):
    async with released(test_data, F006_COMPLETE) as (client, clock):
        grib = await client.get(F006, "HEAD")
        assert int(grib.headers["Content-Length"]) == len(gfs_f006)
        assert parsedate_to_datetime(grib.headers["Last-Modified"]) == F006_COMPLETE
        assert (await client.get(f"{F006}.idx")).status == 404
        clock.time = F006_COMPLETE + timedelta(seconds=2)
        idx = await client.get(f"{F006}.idx")
        assert parsedate_to_datetime(idx.headers["Last-Modified"]) == clock.time


async def test_directories_appear_with_their_first_file(test_data):
    async with released(test_data, CYCLE + timedelta(hours=3)) as (client, clock):
        assert "gfs.20260129" not in (await client.get(f"{COM}/gfs/prod/")).text
        for path in (f"{GFS}/", f"{COM}/gfs/prod/gfs.20260129/"):
            assert (await client.get(path)).status == 404
        assert "gfs.20260129" not in (await client.get("/cgi-bin/filter_gfs_0p25_1hr.pl")).text
        clock.time = CYCLE + timedelta(hours=3, minutes=25)
        assert "gfs.20260129" in (await client.get(f"{COM}/gfs/prod/")).text
        assert (await client.get(f"{GFS}/")).status == 200


async def test_a_day_ages_out_into_403_and_out_of_the_listing(test_data):
    async with released(test_data, CYCLE + timedelta(days=2, hours=12)) as (client, clock):
        assert (await client.get(f"{HRRR}/")).status == 403
        assert (await client.get(f"{HRRR}/hrrr.t17z.wrfsfcf00.grib2")).status == 403
        assert "hrrr.20260129" not in (await client.get(f"{COM}/hrrr/prod/")).text
        assert (await client.get(F006)).status == 200
        clock.time = CYCLE + timedelta(days=20)
        assert (await client.get(F006)).status == 403
        assert (await client.get(f"{GFS_F006}&all_var=on&all_lev=on")).status == 403


async def test_a_running_clock_releases_by_itself(test_data):
    long_ago = Clock(start=CYCLE, speed=1.0)
    tree = ReleaseTree(DirectoryTree(test_data / "nomads"), long_ago)
    assert tree.stat(F006) is None
    later = Clock(start=F006_COMPLETE, speed=60.0)
    entry = ReleaseTree(DirectoryTree(test_data / "nomads"), later).stat(F006)
    assert entry is not None
    assert entry.mtime == F006_COMPLETE


@pytest.mark.parametrize(
    ("model", "hour", "after"),
    [
        ("gfs", 0, timedelta(hours=3, minutes=25)),
        ("gfs", 120, timedelta(hours=3, minutes=51)),
        ("gfs", 384, timedelta(hours=5, minutes=11, seconds=40)),
        ("hrrr", 0, timedelta(minutes=51)),
        ("hrrr", 18, timedelta(minutes=87)),
        ("hrrr", 48, timedelta(minutes=111)),
        ("aigfs", 0, timedelta(hours=3, minutes=40)),
        ("aigfs", 384, timedelta(hours=3, minutes=45, seconds=20)),
    ],
)
def test_hours_come_at_the_cadence_seen_on_nomads(model, hour, after):
    assert PLAN[model].complete(CYCLE, hour) == CYCLE + after


@given(st.integers(0, 383))
def test_later_hours_never_come_earlier(hour):
    for plan in PLANS:
        assert plan.complete(CYCLE, hour) <= plan.complete(CYCLE, hour + 1)


@pytest.mark.parametrize(
    ("path", "hour"),
    [
        (f"{F006}.idx", 6),
        (f"{HRRR}/hrrr.t12z.wrfsfcf18.grib2", 18),
        (
            f"{COM}/aigfs/prod/aigfs.20260129/12/model/atmos/grib2/aigfs.t12z.pres.f384.grib2.idx",
            384,
        ),
    ],
)
def test_paths_of_the_three_models_are_read(path, hour):
    file = PLAN[path.removeprefix(f"{COM}/").partition("/")[0]].read(path)
    assert file is not None
    assert (file.cycle, file.hour, file.is_idx) == (CYCLE, hour, path.endswith(".idx"))


@pytest.mark.parametrize("day", ["99999999", "20260230"])
def test_days_of_no_calendar_are_nobodys(day):
    path = f"{COM}/gfs/prod/gfs.{day}/12/atmos/gfs.t12z.pgrb2.0p25.f006"
    assert PLAN["gfs"].read(path) is None
    assert not PLAN["gfs"].closed(path, CYCLE)


def test_an_idx_can_be_told_to_come_before_its_file(test_data):
    early = replace(PLAN["gfs"], idx_lag_s=-15.0)
    clock = HandClock(F006_COMPLETE - timedelta(seconds=15))
    tree = ReleaseTree(DirectoryTree(test_data / "nomads"), clock, [early])
    assert tree.stat(f"{F006}.idx") is not None
    assert tree.stat(F006) is None
    assert tree.messages(F006) is None
