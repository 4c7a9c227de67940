"""What the hit log says of a client."""

import json
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from tests.replica.asking import COM, GFS, GFS_F006, HRRR, HandClock
from twf_async.replica.faults.script import Fault
from twf_async.replica.hits import Hit
from twf_async.replica.manners import busiest, downloaded_twice, not_due

F006 = f"{GFS}/gfs.t12z.pgrb2.0p25.f006"
TMP = f"{GFS_F006}&var_TMP=on&lev_2_m_above_ground=on"
BOX = "&leftlon=235&rightlon=245&bottomlat=40&toplat=48"
OUT = datetime(2026, 1, 29, 15, 26, 18, tzinfo=UTC)


def hit(path="/", at_s=0.0, clock=OUT, query=""):
    return Hit("", clock.isoformat(), at_s, "c", "GET", path, query, "", "")


@given(st.lists(st.floats(0.0, 500.0), max_size=80), st.floats(1.0, 120.0))
def test_the_busiest_window_is_no_wider_than_asked(times, window_s):
    by_hand = max((sum(t - window_s < u <= t for u in times) for t in times), default=0)
    assert busiest([hit(at_s=t) for t in times], window_s) == by_hand


def test_hours_are_due_a_little_before_their_time():
    for ago, vain in ((timedelta(minutes=14), False), (timedelta(minutes=16), True)):
        for path, query in ((f"{F006}.idx", ""), (F006, ""), tuple(TMP.split("?"))):
            asked = hit(path, clock=OUT - ago, query=query)
            assert bool(not_due([asked])) is vain
        bucket = hit("/gfs.20260129/12/atmos/gfs.t12z.pgrb2.0p25.f006", clock=OUT - ago)
        assert bool(not_due([bucket])) is vain


def test_hours_that_no_run_has_are_never_due():
    later = OUT + timedelta(days=1)
    for path, vain in (
        (f"{GFS}/gfs.t12z.pgrb2.0p25.f120", False),
        (f"{GFS}/gfs.t12z.pgrb2.0p25.f121", True),
        (f"{GFS}/gfs.t12z.pgrb2.0p25.f123", False),
        (f"{GFS}/gfs.t12z.pgrb2.0p25.f385", True),
        (f"{HRRR}/hrrr.t17z.wrfsfcf18.grib2", False),
        (f"{HRRR}/hrrr.t17z.wrfsfcf19.grib2", True),
        (f"{HRRR}/hrrr.t12z.wrfsfcf19.grib2", False),
        (f"{COM}/gfs/prod/", False),
        ("/cgi-bin/filter_gfs_0p25.pl", False),
    ):
        assert bool(not_due([hit(path, clock=later)])) is vain, path


async def test_bytes_that_came_twice_are_told(scripted):
    async with scripted() as (client, replica):
        await client.get(F006, Range="bytes=0-99")
        await client.get(F006, Range="bytes=100-199")
        await client.get(F006, "HEAD")
        for _ in range(2):
            await client.get(f"{F006}.idx")
        assert downloaded_twice(replica.hits) == []
        await client.get(F006, Range="bytes=300-400,90-109")
        again = downloaded_twice(replica.hits)
        assert [(part.start, part.end) for part in again] == [(90, 100), (100, 110)]
        assert {part.file for part in again} == {F006}


async def test_messages_that_the_filter_sent_twice_are_told(scripted):
    async with scripted() as (client, replica):
        await client.get(f"{TMP}{BOX}")
        await client.get(f"{TMP}&leftlon=0&rightlon=10&bottomlat=40&toplat=48")
        await client.get(f"{GFS_F006}&var_PRMSL=on&all_lev=on{BOX}")
        assert downloaded_twice(replica.hits) == []
        await client.get(f"{GFS_F006}&var_TMP=on&all_lev=on{BOX}")
        (again,) = downloaded_twice(replica.hits)
        assert again.start == 4407198
        assert again.box


async def test_what_was_broken_or_replaced_may_be_fetched_again(scripted):
    async with scripted(Fault("truncate_inside", first=1)) as (client, replica):
        for _ in range(2):
            await client.get(F006, Range="bytes=0-999")
            await client.get(f"{TMP}{BOX}")
            replica.play(Fault("rerun", after=-1.0))
        assert len({hit.version for hit in replica.hits if hit.spans}) >= 2
        assert downloaded_twice(replica.hits) == []


async def test_what_a_fault_left_whole_must_not_be_fetched_again(scripted):
    faults = Fault("hang", seconds=0.0), Fault("rerun")
    async with scripted(*faults) as (client, replica):
        for _ in range(2):
            await client.get(F006, Range="bytes=0-9")
        assert replica.hits[0].fault == "rerun; hang"
        assert len(downloaded_twice(replica.hits)) == 1


async def test_the_control_page_tells_all_three(scripted):
    clock = HandClock(OUT - timedelta(hours=1))
    async with scripted(clock=clock) as (client, _):
        for _ in range(2):
            await client.get(F006, Range="bytes=0-9")
        told = json.loads((await client.get("/_replica/manners")).body)
        assert told == {
            "requests": 2,
            "busiest_minute": 2,
            "not_due": [f"GET {F006}"] * 2,
            "downloaded_twice": [{"file": F006, "box": "", "start": 0, "end": 10}],
        }
