import asyncio
import hashlib
import json
import os
import threading
import time
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from render_farm.domain.jobs import FrameFailure, Reason
from twf_async.publish.document import FrameChange
from twf_async.publish.lock import TreeInUse
from twf_async.publish.manifest import FrameState, RunState
from twf_async.publish.reading import UnknownRun
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


async def test_a_published_frame_lies_where_the_manifest_says(tmp_path, staged):
    async with opened(tmp_path) as tree:
        await tree.open_run("gfs", CYCLE, **WHAT, notice="demo")
        moved = await publish(tree, staged)

        assert len(moved) == 4
        text = json.loads(tree.manifest_path("gfs", CYCLE).read_bytes())
        assert text["notice"] == "demo"
        record = text["frames"]["pnw"]["t2m"]["f006"]
        values = tree.values_path("gfs", CYCLE, "pnw", "t2m", 6)
        assert values == tmp_path / "maps/gfs" / CYCLE / "pnw/t2m/f006.vgrid"
        digest = hashlib.sha256(values.read_bytes()).hexdigest()
        assert record["values"] == {"hash": digest[:16], "bytes": values.stat().st_size}
        assert tree.values_hash("gfs", CYCLE, "pnw", "t2m", 6) == digest[:16]
        path = tmp_path / "maps/gfs" / CYCLE / "pnw/t2m/f006.png"
        assert path == tree.frame_path("gfs", CYCLE, "pnw", "t2m", 6)
        assert (record["state"], record["bytes"]) == ("published", path.stat().st_size)
        assert (record["width_px"], record["height_px"], len(record["hash"])) == (3, 2, 16)
        assert text["frames"]["pnw"]["t2m"]["f000"] == {"state": "expected"}
        assert list(tree.staging.iterdir()) == []


async def test_readers_see_what_is_on_disk_and_nothing_else(tmp_path, staged):
    async with opened(tmp_path, write_every_s=60) as tree:
        await tree.open_run("gfs", CYCLE, **WHAT)
        tree.mark("gfs", CYCLE, [FrameChange("pnw", "t2m", 0, FrameState.FETCHING)])
        shown = tree.manifest("gfs", CYCLE).frames["pnw"]["t2m"]["f000"].state
        assert shown is FrameState.EXPECTED
        await tree.flush()
        assert tree.manifest("gfs", CYCLE).frames["pnw"]["t2m"]["f000"].state is FrameState.FETCHING
        assert tree.manifest_json("gfs", CYCLE) == tree.manifest_path("gfs", CYCLE).read_bytes()


async def test_many_changes_of_state_are_few_writes(tmp_path):
    async with opened(tmp_path, write_every_s=0.05) as tree:
        await tree.open_run("gfs", CYCLE, **WHAT)
        seen, began = set(), time.monotonic()
        for _ in range(40):
            for state in (FrameState.FETCHING, FrameState.EXPECTED):
                tree.mark("gfs", CYCLE, [FrameChange("pnw", "t2m", 0, state)])
            await asyncio.sleep(0.002)
            seen.add(tree.manifest_path("gfs", CYCLE).stat().st_mtime_ns)
        assert len(seen) <= 2 + (time.monotonic() - began) / 0.05  # however slow the machine is
        assert len(seen) < 40


async def test_who_has_all_written_waits_for_what_another_is_writing_just_now(
    tmp_path, monkeypatch
):
    """Else pictures are replaced before the disk knows that they may have been."""
    reached, may = threading.Event(), threading.Event()
    replace_ = os.replace

    def slow(old, new):
        if str(new).endswith("manifest.json"):
            reached.set()
            may.wait(60)
        replace_(old, new)

    async with opened(tmp_path, write_every_s=60.0) as tree:
        await tree.open_run("gfs", CYCLE, **WHAT)
        monkeypatch.setattr(os, "replace", slow)
        tree.mark("gfs", CYCLE, [FrameChange("pnw", "t2m", 0, FrameState.FETCHING)])
        one = asyncio.create_task(tree.flush())
        await asyncio.to_thread(reached.wait, 60)
        other = asyncio.create_task(tree.flush())
        for _ in range(20):
            await asyncio.sleep(0)
        waits = not other.done()
        may.set()
        await asyncio.gather(one, other)

    assert waits
    assert tree.manifest("gfs", CYCLE).frames["pnw"]["t2m"]["f000"].state == "fetching"


async def test_a_published_frame_is_never_taken_back_by_a_change_of_state(tmp_path, staged):
    async with opened(tmp_path) as tree:
        await tree.open_run("gfs", CYCLE, **WHAT)
        await publish(tree, staged)
        tree.mark("gfs", CYCLE, [FrameChange("pnw", "t2m", 6, FrameState.FAILED, "bad data")])
        await tree.flush()
        assert tree.is_published("gfs", CYCLE, "pnw", "t2m", 6)
        assert tree.manifest("gfs", CYCLE).frames["pnw"]["t2m"]["f006"].state.value == "published"


async def test_failures_of_a_worker_are_in_the_manifest_with_their_reason(tmp_path, staged):
    async with opened(tmp_path) as tree:
        await tree.open_run("gfs", CYCLE, **WHAT)
        fault = FrameFailure("pnw", "refc", Reason.BAD_DATA, "all missing")
        assert len(await publish(tree, staged, failures=(fault,))) == 3
        record = tree.manifest("gfs", CYCLE).frames["pnw"]["refc"]["f006"]
        assert (record.state, record.reason) == (FrameState.FAILED, "bad data")
        assert record.detail == "all missing"


async def test_a_staged_file_that_is_gone_fails_its_frame_only(tmp_path, staged):
    async with opened(tmp_path) as tree:
        await tree.open_run("gfs", CYCLE, **WHAT)
        rendered = staged(await tree.new_staging("gfs", CYCLE, 6))
        os.unlink(rendered.frames[0].path)  # noqa: PTH108
        assert len(await tree.publish(rendered)) == 3
        record = tree.manifest("gfs", CYCLE).frames["pnw"]["t2m"]["f006"]
        assert (record.state, record.reason) == (FrameState.FAILED, "render error")


async def test_a_picture_does_not_come_online_without_its_staged_values(tmp_path, staged):
    async with opened(tmp_path) as tree:
        await tree.open_run("gfs", CYCLE, **WHAT)
        rendered = staged(await tree.new_staging("gfs", CYCLE, 6))
        os.unlink(rendered.frames[0].values.path)  # noqa: PTH108
        assert len(await tree.publish(rendered)) == 3
        record = tree.manifest("gfs", CYCLE).frames["pnw"]["t2m"]["f006"]
        assert (record.state, record.detail) == (FrameState.FAILED, "the staged file is gone")
        assert not tree.frame_path("gfs", CYCLE, "pnw", "t2m", 6).exists()


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


async def test_opening_again_extends_a_run_and_keeps_what_is_known(tmp_path, staged):
    async with opened(tmp_path) as tree:
        await tree.open_run("gfs", CYCLE, hours=(6,), regions=("pnw",), products=("t2m",))
        await tree.open_run("gfs", CYCLE, **WHAT)
        await publish(tree, staged)
        await tree.open_run("gfs", CYCLE, hours=(12,), regions=("pnw",), products=("cape",))
        manifest = tree.manifest("gfs", CYCLE)
        assert manifest.hours == (0, 6, 12)
        assert manifest.products == ("t2m", "refc", "cape")
        assert manifest.frames["pnw"]["t2m"]["f006"].state is FrameState.PUBLISHED


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


async def test_a_deleted_run_is_gone_and_takes_no_more_frames(tmp_path, staged):
    async with opened(tmp_path) as tree:
        await tree.open_run("gfs", CYCLE, **WHAT)
        await publish(tree, staged)
        rendered = staged(await tree.new_staging("gfs", CYCLE, 0), hour=0)
        assert await tree.delete_run("gfs", CYCLE)
        assert not await tree.delete_run("gfs", CYCLE)
        with pytest.raises(UnknownRun):
            await tree.publish(rendered)
        assert not tree.run_path("gfs", CYCLE).exists()
        assert not [*tree.maps.rglob("*.vgrid")]
        assert tree.runs("gfs") == ()


async def test_a_cancelled_publish_is_finished_all_the_same(tmp_path, staged):
    async with opened(tmp_path) as tree:
        await tree.open_run("gfs", CYCLE, **WHAT)
        rendered = staged(await tree.new_staging("gfs", CYCLE, 6))
        task = asyncio.create_task(tree.publish(rendered))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait({task})
    async with opened(tmp_path) as tree:
        assert len(tree.published("gfs", CYCLE)) == 4


async def test_hours_published_at_once_are_all_in_the_manifest(tmp_path, staged):
    async with opened(tmp_path) as tree:
        await tree.open_run("gfs", CYCLE, **WHAT | {"hours": range(0, 60, 3)})
        await asyncio.gather(*(publish(tree, staged, hour=hour) for hour in range(0, 60, 3)))
        assert len(tree.published("gfs", CYCLE)) == 80
    async with opened(tmp_path) as tree:
        assert len(tree.published("gfs", CYCLE)) == 80


async def test_a_manifest_that_the_disk_refused_is_written_once_it_takes_it(tmp_path, staged):
    async with opened(tmp_path, write_every_s=0.01) as tree:
        await tree.open_run("gfs", CYCLE, **WHAT)
        path = tree.manifest_path("gfs", CYCLE)
        obstacle = path.with_name("manifest.json.tmp")
        obstacle.mkdir()  # nothing can be written there, not even by root
        with pytest.raises(OSError):
            await publish(tree, staged)
        assert tree.published("gfs", CYCLE) == set()
        obstacle.rmdir()
        while len(tree.published("gfs", CYCLE)) < 4:
            await asyncio.sleep(0.01)
        assert path.read_bytes().count(b'"published"') == 4
        assert not tree.task.done()


async def test_a_run_deleted_while_its_manifest_cannot_be_written_is_let_go(tmp_path):
    async with opened(tmp_path, write_every_s=60) as tree:
        await tree.open_run("gfs", CYCLE, **WHAT)
        tree.mark("gfs", CYCLE, [FrameChange("pnw", "t2m", 0, FrameState.FETCHING)])
        tree.manifest_path("gfs", CYCLE).with_name("manifest.json.tmp").mkdir()
        writing = asyncio.create_task(tree.flush())
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        await tree.delete_run("gfs", CYCLE)
        await asyncio.wait({writing})
        await tree.flush()
        assert tree.runs("gfs") == ()


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
