"""What a power cut leaves: contents reach the disk before their name, names before the manifest.

No kill of a process shows that, for the kernel lives on. So it is noted what is asked of the disk.
"""

import os
from pathlib import Path

import pytest

from twf_async.publish.durable import write_atomically
from twf_async.publish.tree import PublishedTree

CYCLE = "2026012912"
RUN = {"hours": (6,), "regions": ("pnw", "conus"), "products": ("t2m", "refc")}


@pytest.fixture
def steps(monkeypatch):
    """("flushed", path, bytes) and ("named", from, to), in the order in which they were done."""
    done = []
    flush, rename, replace = os.fsync, os.rename, os.replace

    def fsync(descriptor):
        place = Path(f"/proc/self/fd/{descriptor}").readlink()
        flush(descriptor)
        done.append(("flushed", place, 0 if place.is_dir() else os.fstat(descriptor).st_size))

    def noted(really):
        def name(old, new):
            really(old, new)
            done.append(("named", Path(old), Path(new)))

        return name

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(os, "rename", noted(rename))
    monkeypatch.setattr(os, "replace", noted(replace))
    return done


def flushed(steps, path, *, until=None):
    """When *path* was last flushed; -1: never."""
    taken = [step[:2] == ("flushed", path) for step in steps[:until]]
    return max((number for number, is_it in enumerate(taken) if is_it), default=-1)


def named(steps, path):
    """When something was put into the place of *path*."""
    return next(n for n, (kind, _, place) in enumerate(steps) if (kind, place) == ("named", path))


def test_a_file_is_whole_on_the_disk_before_it_has_its_name_and_that_lasts(tmp_path, steps):
    path = tmp_path / "manifest.json"
    aside = tmp_path / "manifest.json.tmp"

    write_atomically(path, b"all of it")

    assert steps == [("flushed", aside, 9), ("named", aside, path), ("flushed", tmp_path, 0)]


async def test_frames_have_their_names_for_good_before_a_manifest_tells_of_them(
    tmp_path, staged, steps
):
    tree = PublishedTree(tmp_path / "publish")
    await tree.start()
    await tree.open_run("gfs", CYCLE, **RUN)
    steps.clear()

    online = await tree.publish(staged(tmp_path / "publish" / ".staging" / "job"))

    manifest = tree.manifest_path("gfs", CYCLE)
    told = named(steps, manifest)
    for frame in online:
        picture = tree.frame_path("gfs", CYCLE, frame.region, frame.product, 6)
        values = picture.with_suffix(".vgrid")
        # Where the manifest is lost, too, what lies there counts: no picture without its values.
        assert named(steps, values) < named(steps, picture)
        assert named(steps, picture) < flushed(steps, picture.parent) < told
        for made_in in (picture.parent.parent, manifest.parent):
            assert flushed(steps, made_in, until=told) >= 0
    assert told < flushed(steps, manifest.parent)
    await tree.stop()


async def test_the_directories_of_a_new_run_are_there_for_good_before_its_manifest(tmp_path, steps):
    tree = PublishedTree(tmp_path / "publish")
    await tree.start()
    steps.clear()

    await tree.open_run("gfs", CYCLE, **RUN)

    told = named(steps, tree.manifest_path("gfs", CYCLE))
    for made_in in (tree.maps, tree.maps / "gfs"):
        assert flushed(steps, made_in, until=told) >= 0
    await tree.stop()


async def test_a_run_that_was_taken_off_stays_off(tmp_path, staged, steps):
    """Else half of its files would be there again, with its manifest."""
    tree = PublishedTree(tmp_path / "publish")
    await tree.start()
    await tree.open_run("gfs", CYCLE, **RUN)
    await tree.publish(staged(tmp_path / "publish" / ".staging" / "job"))
    steps.clear()

    await tree.evict_run("gfs", CYCLE)

    away = next(n for n, (kind, old, _) in enumerate(steps) if old == tree.run_path("gfs", CYCLE))
    noted = named(steps, tree.maps / "gfs" / "evicted.json")
    assert noted < away < flushed(steps, tree.maps / "gfs")
    assert away < flushed(steps, tree.staging)
    await tree.stop()
