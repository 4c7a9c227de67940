"""The tree as a start finds it, and as it mends what a crash has left."""

import hashlib
import json
import os
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from twf_async.publish.document import FrameChange
from twf_async.publish.lock import TreeInUse
from twf_async.publish.manifest import FrameState, RunState
from twf_async.publish.tree import PublishedTree

CYCLE, OLDER = "2026012912", "2026012906"
WHAT = {"hours": (0, 6), "regions": ("pnw", "conus"), "products": ("t2m", "refc")}


@asynccontextmanager
async def opened(root, **options):
    tree = PublishedTree(root, **options)
    await tree.start()
    try:
        yield tree
    finally:
        await tree.stop()


async def publish(tree, staged, cycle=CYCLE, hour=6, **options):
    staging = await tree.new_staging("gfs", cycle, hour)
    moved = await tree.publish(staged(staging, cycle, hour, **options))
    await tree.discard_staging(staging)
    return moved


async def test_runs_of_a_version_without_value_grids_stay_as_they_are(tmp_path, staged):
    async with opened(tmp_path) as tree:
        await tree.open_run("gfs", CYCLE, **WHAT)
        await publish(tree, staged, values=False)
        path = tree.manifest_path("gfs", CYCLE)
    before = path.read_bytes()
    assert b"values" not in before
    async with opened(tmp_path) as tree:
        assert len(tree.published("gfs", CYCLE)) == 4
        assert tree.manifest("gfs", CYCLE).frames["pnw"]["t2m"]["f006"].values is None
        assert tree.values_hash("gfs", CYCLE, "pnw", "t2m", 6) is None
        assert path.read_bytes() == before


@pytest.mark.parametrize("fault", ["gone", "cut", "empty"])
async def test_a_frame_whose_value_grid_alone_is_damaged_stays_online_without(
    tmp_path, staged, fault
):
    async with opened(tmp_path) as tree:
        await tree.open_run("gfs", CYCLE, **WHAT)
        await publish(tree, staged)
        await tree.finish_run("gfs", CYCLE, RunState.COMPLETE)
        values = tree.values_path("gfs", CYCLE, "pnw", "t2m", 6)
    content = values.read_bytes()
    values.unlink()
    if fault != "gone":
        values.write_bytes(content[:-3] if fault == "cut" else b"")
    async with opened(tmp_path) as tree:
        assert tree.is_published("gfs", CYCLE, "pnw", "t2m", 6)
        assert tree.values_hash("gfs", CYCLE, "pnw", "t2m", 6) is None
        assert tree.values_hash("gfs", CYCLE, "conus", "t2m", 6) is not None
        assert tree.manifest("gfs", CYCLE).state is RunState.COMPLETE
        on_disk = json.loads(tree.manifest_path("gfs", CYCLE).read_bytes())
        assert "values" not in on_disk["frames"]["pnw"]["t2m"]["f006"]


async def test_files_of_a_redraw_that_the_manifest_missed_are_taken_over(tmp_path, staged):
    async with opened(tmp_path) as tree:
        await tree.open_run("gfs", CYCLE, **WHAT)
        await publish(tree, staged)
        await tree.finish_run("gfs", CYCLE, RunState.COMPLETE)
        old = tree.values_hash("gfs", CYCLE, "pnw", "t2m", 6)
        target = tree.frame_path("gfs", CYCLE, "pnw", "t2m", 6)
    redrawn = staged(tmp_path / "redrawn", text="another text, longer").frames[0]
    os.replace(redrawn.values.path, target.with_suffix(".vgrid"))  # noqa: PTH105
    os.replace(redrawn.path, target)  # noqa: PTH105
    async with opened(tmp_path) as tree:
        assert tree.frame_hash("gfs", CYCLE, "pnw", "t2m", 6) == redrawn.sha256[:16]
        assert tree.values_hash("gfs", CYCLE, "pnw", "t2m", 6) == redrawn.values.sha256[:16] != old
        assert tree.manifest("gfs", CYCLE).state is RunState.COMPLETE


async def test_everything_is_there_again_after_a_restart(tmp_path, staged):
    async with opened(tmp_path) as tree:
        for cycle in (OLDER, CYCLE):
            await tree.open_run("gfs", cycle, **WHAT)
        await publish(tree, staged, OLDER, 0)
        await publish(tree, staged, OLDER, 6)
        await publish(tree, staged, CYCLE, 0)
        tree.mark("gfs", CYCLE, [FrameChange("pnw", "t2m", 6, FrameState.RENDERING)])
        await tree.finish_run("gfs", OLDER, RunState.COMPLETE)
    (tmp_path / ".staging" / "gfs.left.over").mkdir()
    async with opened(tmp_path) as tree:
        assert tree.models() == ("gfs",)
        assert tree.runs("gfs") == (CYCLE, OLDER)
        assert tree.newest("gfs") == CYCLE
        assert tree.newest_with("gfs", "pnw", "t2m", 0) == CYCLE
        assert tree.newest_with("gfs", "pnw", "t2m", 6) == OLDER
        assert tree.newest_with("gfs", "pnw", "t2m", 12) is None
        assert tree.manifest("gfs", OLDER).state is RunState.COMPLETE
        record = tree.manifest("gfs", CYCLE).frames["pnw"]["t2m"]["f006"]
        assert record.state is FrameState.EXPECTED  # nobody is drawing it now
        assert list(tree.staging.iterdir()) == []


async def test_a_corrupt_manifest_is_set_aside_and_rebuilt_from_the_frames(tmp_path, staged):
    async with opened(tmp_path) as tree:
        await tree.open_run("gfs", CYCLE, **WHAT)
        await publish(tree, staged)
        before = tree.manifest("gfs", CYCLE).frames["pnw"]["t2m"]["f006"]
        path = tree.manifest_path("gfs", CYCLE)
    path.write_bytes(path.read_bytes()[:200])
    cut = path.parent / "pnw/refc/f006.png"
    cut.write_bytes(cut.read_bytes()[:-5])
    async with opened(tmp_path) as tree:
        after = tree.manifest("gfs", CYCLE).frames["pnw"]["t2m"]["f006"]
        assert (after.hash, after.bytes, after.width_px) == (before.hash, before.bytes, 3)
        assert after.values == before.values
        assert len(tree.published("gfs", CYCLE)) == 3
        assert len(list(path.parent.glob("manifest.json.corrupt-*"))) == 1


async def test_a_corrupt_manifest_without_frames_is_dropped(tmp_path):
    path = tmp_path / "maps/gfs" / CYCLE / "manifest.json"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"\0" * 100)
    async with opened(tmp_path) as tree:
        assert tree.runs("gfs") == ()
        await tree.open_run("gfs", CYCLE, **WHAT)
        assert tree.runs("gfs") == (CYCLE,)


async def test_a_frame_whose_file_is_gone_is_expected_again(tmp_path, staged):
    async with opened(tmp_path) as tree:
        await tree.open_run("gfs", CYCLE, **WHAT)
        await publish(tree, staged)
        await tree.finish_run("gfs", CYCLE, RunState.COMPLETE)
        tree.frame_path("gfs", CYCLE, "pnw", "t2m", 6).unlink()
    async with opened(tmp_path) as tree:
        assert tree.summary("gfs", CYCLE)["state"] == "running"  # else nobody would draw it
        assert not tree.is_published("gfs", CYCLE, "pnw", "t2m", 6)
        assert tree.is_published("gfs", CYCLE, "conus", "t2m", 6)
        on_disk = json.loads(tree.manifest_path("gfs", CYCLE).read_bytes())
        assert on_disk["frames"]["pnw"]["t2m"]["f006"]["state"] == "expected"


async def test_a_second_process_is_refused_in_one_sentence_and_harms_nothing(tmp_path, staged):
    async with opened(tmp_path) as tree:
        await tree.open_run("gfs", CYCLE, **WHAT)
        rendered = staged(await tree.new_staging("gfs", CYCLE, 6))
        with pytest.raises(TreeInUse, match=f"in use by process {os.getpid()}"):
            await PublishedTree(tmp_path).start()
        assert len(await tree.publish(rendered)) == 4
    async with opened(tmp_path) as again:
        assert len(again.published("gfs", CYCLE)) == 4


async def test_a_redraw_of_the_same_size_that_a_crash_kept_from_the_manifest_is_taken_over(
    tmp_path, staged
):
    async with opened(tmp_path) as tree:
        await tree.open_run("gfs", CYCLE, **WHAT)
        rendered = staged(await tree.new_staging("gfs", CYCLE, 6))
        frames = tuple(replace(frame, config_hash="0" * 16) for frame in rendered.frames)
        await tree.publish(replace(rendered, frames=frames))
        old = tree.restyle("gfs", CYCLE, {("pnw", "t2m"): "f" * 16, ("pnw", "refc"): "f" * 16})
        assert old == {("pnw", "t2m", 6), ("pnw", "refc", 6)}
    path = tree.frame_path("gfs", CYCLE, "pnw", "t2m", 6)
    before, after = path.read_bytes(), path.read_bytes().replace(b"tEXtt", b"tEXts")
    assert (len(before) == len(after), before != after) == (True, True)
    path.write_bytes(after)

    async with opened(tmp_path) as again:
        records = again.manifest("gfs", CYCLE).frames["pnw"]

        assert hashlib.sha256(after).hexdigest().startswith(records["t2m"]["f006"].hash)
        assert not records["t2m"]["f006"].old_style
        assert records["refc"]["f006"].old_style
        assert records["refc"]["f006"].config_hash == "0" * 16
