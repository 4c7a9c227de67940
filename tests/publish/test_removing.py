"""Runs that are taken off without a trace."""

import asyncio

import pytest

from tests.publish.test_published_tree import CYCLE, WHAT, opened, publish
from twf_async.publish.document import FrameChange
from twf_async.publish.manifest import FrameState
from twf_async.publish.reading import UnknownRun


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
