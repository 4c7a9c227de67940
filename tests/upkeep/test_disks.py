"""State, cache and maps on one disk or on several: each is judged by itself, and by its name."""

import asyncio
import os
import shutil
from dataclasses import replace

import pytest
from structlog.testing import capture_logs

from tests.upkeep.looks import EVERYTHING, LIMITS, LOW, WELL, Scripted, disk, watchdog
from tests.upkeep.mounts import make_read_only, mounted
from twf_async.ledger.ledger import Ledger
from twf_async.pipeline.gate import DispatchGate
from twf_async.publish.events import EventBus
from twf_async.publish.tree import PublishedTree
from twf_async.settings.service import CacheSettings
from twf_async.upkeep.cache import CacheCleaner
from twf_async.upkeep.diskroom import MARGIN, DiskRoom, survey
from twf_async.upkeep.disks import Disk, look_at_disks
from twf_async.upkeep.retention import Retention
from twf_async.upkeep.space import SpaceMaker

STATE, CACHE, PUBLISH = ("state_dir",), ("cache_dir",), ("publish_dir",)
GB = 1 << 30
NOTHING = DiskRoom()


def room(*disks, before=NOTHING):
    return survey(before, disks, LIMITS)


def test_directories_of_one_file_system_are_one_disk_and_those_of_two_are_two(tmp_path):
    with mounted(tmp_path / "here", "size=16m") as here, mounted(here / "maps", "size=8m") as maps:
        (maps / "large").write_bytes(bytes(3 << 20))
        found = look_at_disks(
            {
                "state_dir": here / "state",  # not made yet
                "cache_dir": here / "cache" / "deep" / "below",
                "publish_dir": maps,
            }
        )
        free_gb = [shutil.disk_usage(place).free / GB for place in (here, maps)]
    assert [disk.names for disk in found] == [("state_dir", "cache_dir"), ("publish_dir",)]
    assert [disk.total_gb for disk in found] == [16 / 1024, 8 / 1024]
    assert [disk.free_gb for disk in found] == free_gb
    assert free_gb[1] == 5 / 1024


def test_a_link_counts_where_it_leads(tmp_path):
    with mounted(tmp_path / "elsewhere", "size=8m") as elsewhere:
        (tmp_path / "maps").symlink_to(elsewhere)
        (found,) = look_at_disks({"publish_dir": tmp_path / "maps"})
        (below,) = look_at_disks({"publish_dir": tmp_path / "maps" / "gfs"})
    assert found.total_gb == below.total_gb == 8 / 1024


def test_a_directory_removed_under_us_counts_where_it_was(tmp_path):
    place = tmp_path / "maps"
    place.mkdir()
    before = look_at_disks({"publish_dir": place})
    place.rmdir()
    after = look_at_disks({"publish_dir": place})
    assert (after[0].names, after[0].fault) == (before[0].names, "")
    assert after[0].total_gb == before[0].total_gb


def test_a_directory_that_cannot_be_looked_at_hides_no_other(tmp_path):
    loop = tmp_path / "loop"
    loop.symlink_to(loop)
    well, ill = look_at_disks({"cache_dir": tmp_path, "publish_dir": loop})
    assert (well.names, well.fault) == (CACHE, "")
    assert (ill.names, ill.fault) == (PUBLISH, "Too many levels of symbolic links")
    full = room(well, ill).full
    assert full == "disk cannot be looked at (Too many levels of symbolic links): publish_dir"


def test_a_read_only_disk_is_seen(tmp_path):
    with mounted(tmp_path / "maps", "size=8m") as maps:
        make_read_only(maps)
        (found,) = look_at_disks({"publish_dir": maps})
        assert found.read_only
        assert room(found).full == "disk is read-only"
        make_read_only(maps, again=False)
        (found,) = look_at_disks({"publish_dir": maps})
        assert not found.read_only


def test_a_disk_out_of_inodes_is_seen_though_its_bytes_are_free(tmp_path):
    with mounted(tmp_path / "maps", "size=8m,nr_inodes=40") as maps:
        for number in range(39):
            (maps / str(number)).touch()
        (found,) = look_at_disks({"publish_dir": maps})
        assert (found.files_free, found.files_total) == (0, 40)
        with pytest.raises(OSError, match="No space left on device"):
            (maps / "one-more").touch()
    ample = replace(found, free_gb=80.0, total_gb=250.0)
    assert room(ample).full == "disk can hold hardly any more files"
    assert room(ample).wanted_gb == {"publish_dir": 0.0}


def test_what_is_kept_for_root_is_not_ours(tmp_path, monkeypatch):
    """Of its blocks and of its files; and blocks are counted in fragments."""
    found = os.statvfs_result((65536, 4096, 1 << 18, 1 << 17, 1 << 16, 1000, 500, 250, 0, 255))
    monkeypatch.setattr(os, "statvfs", lambda _: found)

    (disk,) = look_at_disks({"cache_dir": tmp_path})

    assert (disk.free_gb, disk.total_gb) == (0.25, 1.0)
    assert (disk.files_free, disk.files_total) == (250, 1000)


def test_a_small_disk_with_room_hides_no_large_one_that_is_full():
    small = disk(3.0, 20.0, STATE)  # its floor is 2 GB
    large = disk(4.0, 100.0, PUBLISH)  # its floor is 5 GB
    after = room(small, large)
    assert after.full == "disk nearly full: publish_dir"
    assert after.wanted_gb == {"publish_dir": 6.0}
    assert after.full_names == {"publish_dir"}


def test_a_large_disk_with_room_hides_no_small_one_that_is_full():
    after = room(disk(1.9, 20.0, STATE), disk(80.0, 250.0, (*CACHE, *PUBLISH)))
    assert after.full == "disk nearly full: state_dir"


def test_every_full_disk_is_named():
    after = room(disk(1.0, 20.0, CACHE), disk(1.0, 20.0, PUBLISH), disk(15.0, 20.0, STATE))
    assert after.full == "disk nearly full: cache_dir; disk nearly full: publish_dir"
    assert after.wanted_gb == {"cache_dir": 2.4, "publish_dir": 2.4}


@pytest.mark.parametrize(
    ("ill", "held"),
    [
        ({"read_only": True}, "disk is read-only: publish_dir"),
        (
            {"fault": "Input/output error"},
            "disk cannot be looked at (Input/output error): publish_dir",
        ),
        (
            {"files_free": 40, "files_total": 1000},
            "disk can hold hardly any more files: publish_dir",
        ),
        ({"files_free": 60, "files_total": 1000}, ""),
        ({"files_free": 0, "files_total": 0}, ""),  # a file system that makes inodes at need
    ],
)
def test_a_disk_that_takes_nothing_holds_downloads_whatever_is_free(ill, held):
    assert room(disk(names=CACHE), disk(names=PUBLISH, **ill)).full == held


def test_a_read_only_state_holds_nothing_for_it_is_kept_in_memory():
    assert room(disk(names=STATE, read_only=True), disk(names=PUBLISH)).full == ""


def test_each_disk_has_its_own_margin_to_be_free_again():
    before = room(disk(1.9, 20.0, CACHE), disk(80.0, 250.0, PUBLISH))
    assert before.full_names == {"cache_dir"}
    between = room(disk(2.1, 20.0, CACHE), disk(12.6, 250.0, PUBLISH), before=before)
    assert between.full == "disk nearly full: cache_dir"  # 12.6 is above the floor of the other
    assert room(disk(2.5, 20.0, CACHE), disk(12.6, 250.0, PUBLISH), before=between).full == ""


def test_inodes_do_not_flap_either():
    before = room(disk(files_free=49, files_total=1000))
    assert before.full
    again = room(disk(files_free=55, files_total=1000), before=before)
    assert again.full == before.full
    assert room(disk(files_free=61, files_total=1000), before=again).full == ""


async def test_what_holds_downloads_is_told_anew_when_another_disk_is_full():
    full = [disk(1.0, 250.0, CACHE), disk(80.0, 250.0, PUBLISH)]
    fuller = [full[0], disk(1.0, 250.0, PUBLISH)]
    looks = [replace(WELL, disks=tuple(disks)) for disks in (full, full, fuller, fuller, full)]
    gate, told, at_s = DispatchGate(), [], iter(range(0, 900, 5))
    dog = watchdog(
        Scripted(WELL, *looks, WELL),
        gate,
        EventBus(),
        monotonic=lambda: float(next(at_s)),
        tell=told.append,
    )
    with capture_logs() as lines:
        for _ in range(7):
            await dog.look()
    cache, both = "disk nearly full: cache_dir", "disk nearly full: publish_dir"
    assert told == [cache, f"{cache}; {both}", cache, ""]
    held = [line["reason"] for line in lines if line["event"] == "watchdog.fetch_held"]
    assert held == told[:3]
    low = [line["directories"] for line in lines if line["event"] == "watchdog.disk_low"]
    assert low == [["cache_dir"], ["cache_dir", "publish_dir"]]
    assert gate.fetch_is_open


def test_of_a_disk_that_is_low_an_operator_is_told_once_however_it_wavers():
    bar = LIMITS.disk_warn_gb
    low = room(disk(bar - 0.1, 40.0))
    wavering = room(disk(MARGIN * bar - 0.1, 40.0), before=low)
    well = room(disk(MARGIN * bar, 40.0), before=wavering)

    assert low.low_names == wavering.low_names == set(EVERYTHING)
    assert (well.low, well.low_names) == (False, set())


async def test_memory_is_looked_after_while_room_is_made_for_long_and_downloads_wait_for_it():
    begun, may = [], asyncio.Event()

    async def make_room(wanted):
        begun.append(wanted)
        await may.wait()
        return 7

    full, gate = replace(LOW, disks=(disk(1.0),)), DispatchGate()
    sampler = Scripted(WELL, replace(WELL, disks=full.disks), full)
    at_s = iter(range(0, 90_000, 61))  # room might be made anew at each look
    dog = watchdog(
        sampler,
        gate,
        EventBus(),
        monotonic=lambda: float(next(at_s)),
        make_room=make_room,
        patience_s=0.01,
    )
    with capture_logs() as lines:
        for _ in range(5):
            await dog.look()
        assert (gate.paused_because, gate.fetch_held_because) == ("memory low", "disk nearly full")
        assert len(begun) == 1
        may.set()
        await asyncio.sleep(0)
        sampler.looks = [WELL]
        await dog.look()
        assert gate.fetch_held_because == ""
    events = [line["event"] for line in lines]
    assert events[:2] == ["watchdog.fetch_held", "watchdog.disk_low"]
    assert {"watchdog.paused", "watchdog.fetch_released"} <= set(events)


async def test_it_stops_while_room_is_being_made():
    async def make_room(_wanted):
        await asyncio.Event().wait()

    gate = DispatchGate()
    dog = watchdog(
        Scripted(replace(WELL, disks=(disk(1.0),))),
        gate,
        EventBus(),
        monotonic=lambda: 0.0,
        make_room=make_room,
        patience_s=0.01,
    )
    await dog.start()
    assert not gate.fetch_is_open
    async with asyncio.timeout(60):
        await dog.stop()
    assert gate.fetch_is_open


async def test_nothing_is_deleted_for_a_disk_that_takes_nothing():
    wanted = []

    async def make_room(asked):
        wanted.append(asked)
        return 0

    ill = replace(WELL, disks=(disk(read_only=True),))
    dog = watchdog(
        Scripted(ill), DispatchGate(), EventBus(), monotonic=lambda: 0.0, make_room=make_room
    )
    await dog.look()
    assert dog.status()["fetch_held"] == "disk is read-only"
    assert wanted == []


@pytest.mark.parametrize(
    ("full", "left"), [(CACHE, 0), ((*CACHE, *PUBLISH), 0), (PUBLISH, 1), (STATE, 1)]
)
async def test_good_downloads_go_only_where_that_makes_room(tmp_path, full, left):
    tree, ledger = PublishedTree(tmp_path / "publish"), Ledger(tmp_path / "l.sqlite")
    await tree.start()
    await ledger.start()
    download = tmp_path / "grib" / "gfs" / "2026012906" / "f000.grib2"
    download.parent.mkdir(parents=True)
    download.write_bytes(b"x" * 1000)
    retention = Retention(tree, ledger, keep_runs=lambda _: 2, active=frozenset)
    cleaner = CacheCleaner(
        tmp_path / "grib", settings=CacheSettings, active=frozenset, clock=tree._clock
    )
    space = SpaceMaker(
        retention,
        cleaner,
        tmp_path / "grib",
        maps=tree.root,
        active=frozenset,
        free_bytes=lambda _: 1.0 * GB,  # less than is wanted, on whichever disk it is
    )
    await space.make_room(dict.fromkeys(full, 2.0 * GB))
    assert len([*tmp_path.rglob("*.grib2")]) == left
    await tree.stop()
    await ledger.stop()


def test_a_disk_that_nobody_could_ask_has_no_figure():
    ill = replace(WELL, disks=(Disk(PUBLISH, fault="Input/output error"),))
    assert ill.figures()["disk_free_gb"] is None
    assert ill.document()["disks"][0]["fault"] == "Input/output error"
