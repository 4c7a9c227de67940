"""Runs as they come in: what readers and the disk are told of frames, and when."""

import asyncio
import hashlib
import json
import os
import threading
import time

import pytest

from render_farm.domain.jobs import FrameFailure, Reason
from tests.publish.test_published_tree import CYCLE, OLDER, WHAT, opened, publish
from twf_async.publish.document import FrameChange
from twf_async.publish.manifest import FrameState, RunState


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


async def test_why_nothing_new_comes_is_in_the_manifests_of_runs_that_come_in(tmp_path, staged):
    async with opened(tmp_path, write_every_s=0.01) as tree:
        for cycle in (OLDER, CYCLE):
            await tree.open_run("gfs", cycle, **WHAT)
            await publish(tree, staged, cycle)
        await tree.finish_run("gfs", OLDER, RunState.COMPLETE)
        tree.hold("disk nearly full")
        await tree.flush()
        assert tree.manifest("gfs", CYCLE).held == "disk nearly full"
        assert tree.summary("gfs", CYCLE)["held"] == "disk nearly full"
        assert tree.manifest("gfs", OLDER).held == ""
        await tree.open_run("hrrr", CYCLE, **WHAT)
        assert tree.manifest("hrrr", CYCLE).held == "disk nearly full"
        await tree.finish_run("hrrr", CYCLE, RunState.PARTIAL)  # so nothing is to come
        assert tree.manifest("hrrr", CYCLE).held == ""
    async with opened(tmp_path, write_every_s=0.01) as tree:  # whether it still is, it will see
        tree.hold("disk nearly full")
        await tree.flush()
        tree.hold("")
        await tree.flush()
        assert tree.manifest("gfs", CYCLE).held == ""
        assert json.loads(tree.manifest_path("gfs", CYCLE).read_bytes())["held"] == ""
