"""Cleaning at an operator's wish: what goes, what stays, and what is told of it."""

import asyncio
import os
import subprocess
import sys
import time

import pytest

from tests.publish.conftest import staged as staged  # noqa: PLC0414 - a fixture of that room
from tests.publish.test_keeping_and_evicting import publish
from twf_async.app.cleaning import clean_alone
from twf_async.publish.lock import TreeInUse
from twf_async.publish.manifest import RunState
from twf_async.publish.tree import PublishedTree
from twf_async.settings.load import load
from twf_async.upkeep.leftovers import find_leftovers

RUNS = ("2026012900", "2026012906", "2026012912")
OLD_H = 8


@pytest.fixture
def dead():
    """The number of a process that has ended."""
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
    return process.pid


@pytest.fixture
def settings(config_dir, tmp_path):
    environ = {f"TWF_{name.upper()}_DIR": str(tmp_path / name) for name in ("state", "cache")}
    environ |= {"TWF_PUBLISH_DIR": str(tmp_path / "publish"), "TWF_PUBLISH__KEEP_RUNS": "1"}
    return load(config_dir, environ)


def write(path, size, *, age_h=0.0):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x" * size)
    then = time.time() - age_h * 3600
    os.utime(path, (then, then))
    return path


@pytest.fixture
async def untidy(settings, staged, dead):
    """Three runs of which one is to be kept and one pinned, old downloads, and leftovers."""
    service = settings.service
    tree = PublishedTree(service.publish_dir)
    await tree.start()
    for cycle in RUNS:
        await publish(tree, staged, cycle)
        await tree.finish_run("gfs", cycle, RunState.COMPLETE)
    await tree.pin("gfs", RUNS[0], "the storm")
    size = tree.run_bytes("gfs", RUNS[1])
    await tree.stop()
    write(tree.staging / f"gfs.{RUNS[2]}.f006.{dead}-1" / "pnw.t2m.png", 50)
    write(tree.staging / f"gfs.{RUNS[2]}.f009.{os.getpid()}-1" / "pnw.t2m.png", 60)
    grib = service.cache_dir / "grib" / "gfs" / RUNS[2]
    write(grib / "f000.aa.grib2", 1000, age_h=OLD_H)
    write(grib / "f000.aa.json", 100, age_h=OLD_H)
    write(grib / "f003.bb.grib2", 2000)
    write(grib / f"f006.cc.grib2.{dead}.part", 30, age_h=OLD_H)
    write(grib / f"f006.dd.grib2.{os.getpid()}.part", 40)
    write(service.cache_dir / "pixelmaps" / f"map.bin.{dead}.part", 7)
    return size


def everything(root):
    return sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file())


async def alone(settings, *, dry_run):
    return await asyncio.to_thread(clean_alone, settings, dry_run=dry_run)


async def test_a_dry_run_tells_all_of_it_and_touches_nothing(settings, untidy, tmp_path):
    before = everything(tmp_path)
    told = await alone(settings, dry_run=True)
    assert everything(tmp_path) == before
    assert told == {
        "dry_run": True,
        "runs": [{"model": "gfs", "cycle": RUNS[1], "bytes": untidy}],
        "downloads": {"files": 1, "bytes": 1100},
        "leftovers": {"files": 3, "bytes": 87},
        "bytes": untidy + 1187,
    }


async def test_what_was_told_is_what_goes(settings, untidy, tmp_path):
    told = await alone(settings, dry_run=True)
    done = await alone(settings, dry_run=False)
    assert done == told | {"dry_run": False}
    cache = settings.service.cache_dir
    assert everything(cache) == [
        f"grib/gfs/{RUNS[2]}/f003.bb.grib2",
        f"grib/gfs/{RUNS[2]}/f006.dd.grib2.{os.getpid()}.part",
    ]
    tree = PublishedTree(settings.service.publish_dir)
    await tree.start()
    assert tree.runs("gfs") == (RUNS[2], RUNS[0])
    assert tree.was_published("gfs", RUNS[1], "pnw", "t2m", 6)
    await tree.stop()
    nothing = await alone(settings, dry_run=False)
    assert (nothing["bytes"], nothing["runs"]) == (0, [])


async def test_where_there_is_nothing_nothing_is_made(settings, tmp_path):
    assert (await alone(settings, dry_run=True))["bytes"] == 0
    assert list(tmp_path.iterdir()) == []


async def test_beside_a_process_that_works_on_the_tree_it_refuses(settings, untidy, tmp_path):
    tree = PublishedTree(settings.service.publish_dir)
    await tree.start()
    before = everything(tmp_path)
    with pytest.raises(TreeInUse, match=f"in use by process {os.getpid()}"):
        await alone(settings, dry_run=False)
    assert everything(tmp_path) == before
    assert (await alone(settings, dry_run=True))["runs"]
    await tree.stop()


async def test_a_dry_run_leaves_a_damaged_manifest_as_it_is(settings, untidy):
    tree = PublishedTree(settings.service.publish_dir)
    tree.manifest_path("gfs", RUNS[1]).write_text("{")
    told = await alone(settings, dry_run=True)
    assert told["runs"] == []
    assert tree.manifest_path("gfs", RUNS[1]).read_text() == "{"


def test_a_leftover_that_cannot_be_removed_keeps_no_other(tmp_path, dead):
    for name in ("a", "b"):
        write(tmp_path / "grib" / f"{name}.{dead}.part", 5)
    found = find_leftovers(tmp_path / "staging", [tmp_path / "grib"])
    found[0].path.unlink()
    (found[0].path / "below").mkdir(parents=True)  # by now a directory
    (tmp_path / "grib").rename(tmp_path / "moved")
    (tmp_path / "grib").touch()  # and what was above it no directory any more
    for leftover in found:
        leftover.delete()
    assert (tmp_path / "moved").is_dir()


def test_names_without_a_process_are_no_leftovers(tmp_path, dead):
    huge = "9" * 30  # no process, and more than the system's calls take
    names = (f"f000.{dead}.grib2", "f000.grib2.part", f"{dead}.part", f"a.{dead}-x.part")
    for name in (*names, f"f000.{huge}.part"):
        write(tmp_path / "grib" / name, 1)
    write(tmp_path / "staging" / f"gfs.{dead}" / "a", 1)
    write(tmp_path / "staging" / f"gfs.f006.{huge}-1" / "a", 1)
    assert find_leftovers(tmp_path / "staging", [tmp_path / "grib"]) == ()
    assert find_leftovers(tmp_path / "nowhere", [tmp_path / "nowhere"]) == ()
