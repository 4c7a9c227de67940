"""Disk full: what happens from the warning to the floor and back, on a real small disk.

A file system in memory where one may be mounted; and a directory of which the sampler is shown what
its files leave of a quota.
"""

import ctypes
import os
import time
from dataclasses import replace

import pytest
from structlog.testing import capture_logs

from tests.publish.conftest import staged as staged  # noqa: PLC0414 - a fixture of that room
from tests.publish.test_keeping_and_evicting import publish
from twf_async.clock import Clock
from twf_async.ledger.ledger import Ledger
from twf_async.pipeline.gate import DispatchGate
from twf_async.publish.events import EventBus
from twf_async.publish.tree import PublishedTree
from twf_async.settings.service import CacheSettings, WatchdogSettings
from twf_async.upkeep.cache import CacheCleaner
from twf_async.upkeep.diary import Diary
from twf_async.upkeep.diskguard import DiskGuard
from twf_async.upkeep.disks import GB, Disk
from twf_async.upkeep.retention import Retention
from twf_async.upkeep.space import SpaceMaker
from twf_async.upkeep.vitals import MB, SystemSampler
from twf_async.upkeep.watchdog import Watchdog

DISK_MB = 40
RUNS = ("2026012900", "2026012906", "2026012912")


class Quota:
    """A directory that may hold DISK_MB."""

    def __init__(self, root):
        self.root = root

    def free_bytes(self, _path):
        return self.sample().disks[0].free_gb * GB

    def sample(self):
        used = sum(path.stat().st_size for path in self.root.rglob("*") if path.is_file())
        free_gb = (DISK_MB * MB - used) / GB
        disk = Disk(("cache_dir", "publish_dir"), free_gb, DISK_MB * MB / GB)
        return replace(SystemSampler({}).sample(), disks=(disk,))


@pytest.fixture(params=["tmpfs", "quota"])
def disk(tmp_path, request):
    """A directory on a disk of DISK_MB, and its sampler."""
    root = tmp_path / "disk"
    root.mkdir()
    if request.param == "quota":
        yield root, Quota(root)
        return
    libc = ctypes.CDLL(None, use_errno=True)
    size = f"size={DISK_MB}m".encode()
    if libc.mount(b"none", os.fsencode(root), b"tmpfs", 0, size) != 0:
        pytest.skip("no file system may be mounted here")
    yield root, SystemSampler({"cache_dir": root / "grib", "publish_dir": root / "publish"})
    assert libc.umount2(os.fsencode(root), 2) == 0  # at once, or when its last file is closed


def settings():
    """The floor is at 10 MB, a warning comes at 20 MB."""
    return WatchdogSettings(
        disk_floor_gb=1 * MB / GB,
        disk_floor_share=0.25,
        disk_warn_gb=20 * MB / GB,
        critical_below=0.001,
        pause_below=0.002,
        resume_above=0.003,
        memory_stall_pct=99.0,
        io_stall_pct=99.0,
    )


class Bench:
    """Upkeep over a tree, a ledger and a cache on one disk."""

    def __init__(self, root, sampler):
        self.root = root
        self.active = set()
        self.tree, self.ledger = PublishedTree(root / "publish"), Ledger(root / "l.sqlite")
        self.gate = DispatchGate()
        self.retention = Retention(
            self.tree, self.ledger, keep_runs=lambda _: 2, active=lambda: self.active
        )
        cleaner = CacheCleaner(
            root / "grib", settings=CacheSettings, active=lambda: self.active, clock=Clock()
        )
        quota = {"free_bytes": sampler.free_bytes} if isinstance(sampler, Quota) else {}
        space = SpaceMaker(
            self.retention,
            cleaner,
            root / "grib",
            maps=self.tree.root,
            active=lambda: self.active,
            **quota,
        )
        diary = Diary(Clock())
        self.at_s = 0.0
        self.dog = Watchdog(
            sampler,
            self.gate,
            EventBus(),
            settings,
            diary=diary,
            disk=DiskGuard(
                self.gate, settings, diary, make_room=space.make_room, tell=self.tree.hold
            ),
            monotonic=lambda: self.at_s,
        )

    async def look(self, after_s=61.0):
        self.at_s += after_s
        await self.dog.look()

    def download(self, cycle, megabytes, *, age_h=0.0):
        path = self.root / "grib" / "gfs" / cycle / f"f{len(self.downloads()):03d}.grib2"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x" * int(megabytes * MB))
        then = time.time() - age_h * 3600
        os.utime(path, (then, then))
        return path

    def downloads(self):
        return sorted(self.root.glob("grib/gfs/*/*"))


@pytest.fixture
async def bench(disk):
    bench = Bench(*disk)
    await bench.tree.start()
    await bench.ledger.start()
    yield bench
    await bench.tree.stop()
    await bench.ledger.stop()


async def test_a_disk_that_runs_full_is_warned_of_then_cleaned_then_held_and_comes_back(bench):
    events = []
    stuffing = bench.root / "somebody-elses"
    with capture_logs() as lines:
        bench.active.add(("gfs", RUNS[2]))
        own = bench.download(RUNS[2], 3)
        old = bench.download(RUNS[1], 3, age_h=2)
        await bench.look()
        assert lines == []

        stuffing.write_bytes(b"x" * 15 * MB)
        await bench.look()
        assert [line["event"] for line in lines] == ["watchdog.disk_low"]
        assert bench.gate.fetch_is_open

        stuffing.write_bytes(b"x" * 28 * MB)  # 6 MB are left: 6 are lacking, one download has 3
        await bench.look()
        assert [line["event"] for line in lines[1:]] == ["cache.sacrificed", "watchdog.fetch_held"]
        assert (old.exists(), own.exists()) == (False, True)  # it would only be fetched again
        assert bench.gate.fetch_held_because == "disk nearly full"
        assert bench.gate.is_open
        assert bench.dog.status()["fetch_held"] == "disk nearly full"
        assert lines[2]["bytes"] == 3 * MB

        await bench.look(after_s=1.0)
        assert len(lines) == 3

        stuffing.unlink()
        await bench.look(after_s=1.0)
        assert bench.gate.fetch_is_open
        events = [line["event"] for line in lines[3:]]
    assert events == ["watchdog.fetch_released"]


async def test_runs_beyond_the_number_to_keep_go_before_downloads_do(bench, staged):
    for cycle in RUNS:
        await publish(bench.tree, staged, cycle)
    directory = bench.tree.run_path("gfs", RUNS[0])
    (directory / "large").write_bytes(b"x" * 10 * MB)
    download = bench.download(RUNS[1], 1, age_h=2)
    (bench.root / "somebody-elses").write_bytes(b"x" * 20 * MB)
    with capture_logs() as lines:
        await bench.look()
    assert not directory.exists()
    assert bench.tree.runs("gfs") == (RUNS[2], RUNS[1])
    assert bench.gate.fetch_is_open
    assert [line["event"] for line in lines] == ["retention.run_deleted", "watchdog.disk_low"]
    assert download.exists()


async def test_a_run_that_the_next_one_pushes_out_goes_before_no_next_one_can_come(bench, staged):
    for cycle in RUNS[1:]:  # as many as are to be kept
        await publish(bench.tree, staged, cycle)
    (bench.tree.run_path("gfs", RUNS[1]) / "large").write_bytes(b"x" * 10 * MB)
    download = bench.download(RUNS[2], 1)
    stuffing = bench.root / "somebody-elses"
    stuffing.write_bytes(b"x" * 20 * MB)
    with capture_logs() as lines:
        await bench.look()
    assert bench.tree.runs("gfs") == (RUNS[2],)
    assert bench.gate.fetch_is_open
    assert [line["event"] for line in lines] == [
        "cache.sacrificed",
        "retention.run_deleted",
        "watchdog.disk_low",
    ]
    assert not download.exists()

    stuffing.write_bytes(b"x" * 35 * MB)
    await bench.look()
    assert bench.tree.runs("gfs") == (RUNS[2],)  # what is shown stays
    assert bench.gate.fetch_held_because == "disk nearly full"


async def test_while_downloads_are_held_the_manifest_of_a_run_that_comes_in_says_why(bench, staged):
    await publish(bench.tree, staged, RUNS[2])
    bench.active.add(("gfs", RUNS[2]))
    stuffing = bench.root / "somebody-elses"
    stuffing.write_bytes(b"x" * 34 * MB)
    await bench.look()
    await bench.tree.flush()
    assert bench.tree.manifest("gfs", RUNS[2]).held == "disk nearly full"
    stuffing.unlink()
    await bench.look()
    await bench.tree.flush()
    assert bench.tree.manifest("gfs", RUNS[2]).held == ""


async def test_room_is_looked_for_again_while_downloads_are_held(bench):
    (bench.root / "somebody-elses").write_bytes(b"x" * 31 * MB)
    await bench.look()
    assert not bench.gate.fetch_is_open
    bench.download(RUNS[0], 4, age_h=1)
    await bench.look(after_s=30.0)
    assert len(bench.downloads()) == 1
    with capture_logs() as lines:
        await bench.look(after_s=31.0)
    assert bench.downloads() == []
    assert [line["event"] for line in lines] == ["cache.sacrificed"]
