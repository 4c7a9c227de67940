"""Files that are wrong for everyone who asks: late, cut, replaced, mislabelled."""

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

import pytest

from tests.replica.asking import (
    COM,
    GFS,
    GFS_F006,
    GFS_FILTER,
    HRRR,
    HRRR_F06,
    HandClock,
    messages_of,
)
from twf_async.replica.directory_tree import DirectoryTree
from twf_async.replica.faults.script import Fault
from twf_async.replica.release_tree import ReleaseTree
from twf_async.replica.wording import read_inventory

F000 = f"{GFS}/gfs.t12z.pgrb2.0p25.f000"
F006 = f"{GFS}/gfs.t12z.pgrb2.0p25.f006"
HRRR_FILE = f"{HRRR}/hrrr.t17z.wrfsfcf06.grib2"
ALL = f"{GFS_F006}&all_var=on&all_lev=on"
BOX = "&leftlon=235&rightlon=245&bottomlat=40&toplat=48"
NOW = datetime(2026, 1, 29, 16, tzinfo=UTC)


async def fetched(client, file):
    """A file message by message, as its .idx says: (line, bytes of it)."""
    size = int((await client.get(file, "HEAD")).headers["Content-Length"])
    lines = read_inventory((await client.get(f"{file}.idx")).text, size)
    found = []
    for line in lines:
        asked = f"bytes={line.offset}-{line.offset + line.length - 1}"
        found.append((line, (await client.get(file, Range=asked)).body))
    return found


async def test_an_hour_can_be_absent_in_every_way_to_ask(scripted):
    async with scripted(Fault("absent", path="f006")) as (client, replica):
        for path in (F006, f"{F006}.idx", ALL):
            assert (await client.get(path)).status == 404
        assert "f006" not in (await client.get(f"{GFS}/")).text
        assert "f006" not in (await client.get(f"{GFS_FILTER}")).text
        assert (await client.get(F000)).status == 200
        assert [hit.fault for hit in replica.hits][:3] == ["absent"] * 3
        assert replica.hits[-1].fault == ""


async def test_a_run_can_be_absent_with_its_directory(scripted):
    async with scripted(Fault("absent", path="*/gfs.20260129/*")) as (client, _):
        for path in (f"{GFS}/", F000, f"{COM}/gfs/prod/gfs.20260129/"):
            assert (await client.get(path)).status == 404
        assert "gfs.20260129" not in (await client.get(f"{COM}/gfs/prod/")).text
        assert (await client.get(HRRR_FILE, "HEAD")).status == 200


async def test_an_idx_alone_can_be_absent_for_the_first_requests_and_then_be_there(scripted):
    fault = Fault("absent", path="f006", on=("idx",), first=2)
    async with scripted(fault) as (client, _):
        assert "f006.idx" not in (await client.get(f"{GFS}/")).text
        asked = [(await client.get(f"{F006}.idx")).status for _ in range(3)]
        assert asked == [404, 404, 200]
        assert (await client.get(F006, "HEAD")).status == 200
        assert "f006.idx" in (await client.get(f"{GFS}/")).text


async def test_a_run_can_be_aborted_at_an_hour(scripted):
    async with scripted(Fault("aborted", last_hour=3)) as (client, _):
        assert (await client.get(f"{F000}.idx")).status == 200
        assert (await client.get(f"{F006}.idx")).status == 404
        assert (await client.get(HRRR_FILE)).status == 404
        listing = (await client.get(f"{GFS}/")).text
        assert ("f000" in listing, "f006" in listing) == (True, False)


async def test_a_directory_can_be_closed(scripted):
    async with scripted(Fault("aged_out", path="*/gfs.20260129/*")) as (client, _):
        for path in (f"{GFS}/", F000, ALL):
            assert (await client.get(path)).status == 403


async def test_an_hour_can_come_late_and_out_of_order(scripted, test_data):
    clock = HandClock(NOW)
    tree = ReleaseTree(DirectoryTree(test_data / "nomads"), clock)
    late = Fault("late", path="f000", seconds=3600.0)
    async with scripted(late, tree=tree, clock=clock) as (client, _):
        assert (await client.get(f"{F000}.idx")).status == 404
        assert (await client.get(f"{F006}.idx")).status == 200
        clock.time = NOW + timedelta(minutes=26)
        answer = await client.get(f"{F000}.idx")
        assert answer.status == 200
        assert parsedate_to_datetime(answer.headers["Last-Modified"]).hour == 16


async def test_an_idx_can_come_before_its_file(scripted, test_data):
    out = datetime(2026, 1, 29, 15, 26, 18, tzinfo=UTC)
    clock = HandClock(out + timedelta(seconds=5))
    tree = ReleaseTree(DirectoryTree(test_data / "nomads"), clock)
    fault = Fault("late", path="f006", on=("grib",), seconds=33.0)
    async with scripted(fault, tree=tree, clock=clock) as (client, _):
        assert (await client.get(f"{F006}.idx")).status == 200
        assert (await client.get(F006)).status == 404
        assert (await client.get(ALL)).status == 404
        clock.time = out + timedelta(seconds=33)
        assert (await client.get(F006)).status == 200


async def test_a_fault_begins_and_ends_by_the_clock(scripted):
    clock = HandClock(NOW)
    window = {"after": NOW + timedelta(minutes=1), "until": 120.0}
    async with scripted(Fault("absent", path="f006", **window), clock=clock) as (client, _):
        statuses = []
        for second in (0, 59, 60, 119, 120):
            clock.time = NOW + timedelta(seconds=second)
            statuses.append((await client.get(f"{F006}.idx")).status)
        assert statuses == [200, 200, 404, 404, 200]


async def test_a_file_can_grow_between_requests(scripted, gfs_f006):
    clock = HandClock(NOW)
    fault = Fault("growing", path="f006", on=("grib",), seconds=10.0)
    async with scripted(fault, clock=clock) as (client, _):
        sizes = []
        for second in (0, 3, 6, 10):
            clock.time = NOW + timedelta(seconds=second)
            answer = await client.get(F006)
            assert answer.body == gfs_f006[: len(answer.body)]
            sizes.append(len(answer.body))
            assert (await client.get(ALL)).status == (404 if second < 10 else 200)
        assert sizes[0] == 0 < sizes[1] < sizes[2] < sizes[3] == len(gfs_f006)


async def test_a_file_can_be_truncated_always_at_the_same_byte(scripted, gfs_f006):
    half = len(gfs_f006) // 2
    async with scripted(Fault("truncated", path="f006", on=("grib",))) as (client, _):
        for _ in range(2):
            assert (await client.get(F006)).body == gfs_f006[:half]
        assert (await client.get(F006, Range=f"bytes={half}-")).status == 416
        lines = read_inventory((await client.get(f"{F006}.idx")).text, half)
        assert lines[-1].offset > half
        assert (await client.get(ALL)).body == gfs_f006[:half]
        with pytest.raises(Exception, match="payload"):
            await client.get(f"{ALL}{BOX}")


async def test_a_rerun_replaces_a_file_whole(scripted, gfs_f006):
    clock = HandClock(NOW)
    fault = Fault("rerun", path="f006", after=NOW + timedelta(hours=1))
    async with scripted(fault, clock=clock) as (client, _):
        before = await fetched(client, F006)
        clock.time = NOW + timedelta(hours=2)
        head = await client.get(F006, "HEAD")
        assert parsedate_to_datetime(head.headers["Last-Modified"]) >= fault.after
        after = await fetched(client, F006)
        assert len(after) == len(before) == len(messages_of(gfs_f006))
        for (old_line, old), (line, new) in zip(before, after, strict=True):
            assert line.parameter == old_line.parameter
            (was,), (now,) = messages_of(old), messages_of(new)
            assert len(new) == len(old) + 8
            step = now.values - was.values
            assert step.min() == pytest.approx(step.max(), rel=1e-3)
            assert step.min() > 0
        whole = b"".join(new for _, new in after)
        assert (await client.get(F006)).body == (await client.get(ALL)).body == whole
        (cut,) = messages_of((await client.get(f"{GFS_F006}&var_PRMSL=on&all_lev=on{BOX}")).body)
        assert cut.shape == (33, 41)


async def test_a_stale_idx_does_not_fit_its_replaced_file(scripted):
    faults = Fault("rerun"), Fault("idx_stale", path="f006", on=("idx",), first=1)
    async with scripted(*faults) as (client, _):
        stale = await fetched(client, F006)
        assert stale[0][1].startswith(b"GRIB")
        assert not any(octets.startswith(b"GRIB") for _, octets in stale[1:])
        fresh = await fetched(client, F006)
        assert all(octets.startswith(b"GRIB") for _, octets in fresh)


async def test_an_idx_can_be_newer_than_its_file(scripted):
    async with scripted(Fault("idx_stale", path="f006")) as (client, _):
        found = await fetched(client, F006)
        assert not any(octets.startswith(b"GRIB") for _, octets in found[1:])


async def test_an_idx_can_be_empty_cut_or_point_past_the_end(scripted, gfs_f006):
    for fault, at in ((Fault("idx_empty"), 0), (Fault("idx_cut", at=0.5), 147)):
        async with scripted(fault) as (client, _):
            answer = await client.get(f"{F006}.idx")
            assert (answer.status, len(answer.body)) == (200, at)
            assert int(answer.headers["Content-Length"]) == at
    async with scripted(Fault("idx_past_end")) as (client, _):
        lines = read_inventory((await client.get(f"{F006}.idx")).text, 10**9)
        offsets = [line.offset for line in lines]
        assert offsets[0] == 0
        assert offsets[-1] > len(gfs_f006) > offsets[-3]


async def test_a_file_can_lack_a_message_and_its_idx_says_so(scripted, gfs_f006):
    fault = Fault("message_missing", path="f006", message="TMP:2 m above*")
    async with scripted(fault) as (client, _):
        found = await fetched(client, F006)
        assert "TMP:2 m above ground" not in {f"{line.parameter}:{line.level}" for line, _ in found}
        assert all(octets.startswith(b"GRIB") for _, octets in found)
        text = (await client.get(f"{F006}.idx")).text
        assert [line.partition(":")[0] for line in text.splitlines()] == list("12345")
        left = messages_of((await client.get(ALL)).body)
        assert len(left) == len(messages_of(gfs_f006)) - 1
        named = "var_TMP=on&lev_2_m_above_ground=on"
        assert (await client.get(f"{GFS_F006}&{named}")).body == b""


async def test_messages_can_be_of_another_run(scripted, gfs_f006):
    async with scripted(Fault("other_run", path="f006", hours=-6)) as (client, _):
        for body in [
            (await client.get(ALL)).body,
            (await client.get(f"{ALL}{BOX}")).body,
            b"".join(octets for _, octets in await fetched(client, F006)),
        ]:
            for message in messages_of(body):
                assert (message.keys["dataDate"], message.keys["dataTime"]) == (20260129, 600)
        assert "d=2026012912" in (await client.get(f"{F006}.idx")).text


async def test_messages_can_be_on_another_grid_at_their_offsets(scripted, hrrr_f06):
    async with scripted(Fault("other_grid", path="wrfsfcf06")) as (client, _):
        true = messages_of(hrrr_f06)
        found = await fetched(client, HRRR_FILE)
        for was, (_, octets) in zip(true, found, strict=True):
            (now,) = messages_of(octets)
            assert len(octets) == len(was.octets)
            assert now.shape[1] == was.shape[1]
            assert 0 < now.shape[0] < was.shape[0]
            values = was.values.reshape(was.shape)[: now.shape[0]].ravel()
            step = 2.0 ** now.keys["binaryScaleFactor"] / 10.0 ** now.keys["decimalScaleFactor"]
            assert abs(now.values - values).max() <= step
        assert (await client.get(HRRR_FILE)).body == b"".join(octets for _, octets in found)
        box = "&leftlon=-120&rightlon=-110&bottomlat=40&toplat=48"
        filtered = messages_of((await client.get(f"{HRRR_F06}&all_var=on&all_lev=on{box}")).body)
        assert len(filtered) == len(true)


async def test_chance_wrongs_a_file_for_good(scripted):
    """A file is as it is: whoever asks, and however often."""
    seen = set()
    for seed in range(12):
        async with scripted(Fault("absent", path="f0", probability=0.5), seed=seed) as (client, _):
            asked = [(await client.get(f"{path}.idx")).status for path in (F000, F006) * 3]
            assert asked[:2] * 3 == asked
            assert (await client.get(ALL)).status == asked[1]
            seen.add(tuple(asked[:2]))
    assert len(seen) >= 3
