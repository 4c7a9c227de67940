"""What others put among our maps, or changed: it costs itself only."""

import asyncio
import hashlib
import json
import os
import shutil
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from render_farm.domain.jobs import FrameFailure, Reason
from tests.publish.test_published_tree import CYCLE, OLDER, WHAT, opened, publish
from tests.upkeep.mounts import make_read_only, mounted
from twf_async.publish.manifest import RunState
from twf_async.publish.whole import read_whole


async def filled(root, staged):
    async with opened(root) as tree:
        await tree.open_run("gfs", CYCLE, **WHAT)
        await publish(tree, staged)


def change_record(root, *, without):
    """Take an entry out of the record of a frame."""
    path = root / "maps" / "gfs" / CYCLE / "manifest.json"
    manifest = json.loads(path.read_bytes())
    del manifest["frames"]["pnw"]["t2m"]["f006"][without]
    path.write_text(json.dumps(manifest))


@pytest.mark.parametrize("lacking", ["hash", "bytes", "published_at"])
async def test_a_manifest_that_says_online_and_not_what_is_made_anew(tmp_path, staged, lacking):
    await filled(tmp_path, staged)
    change_record(tmp_path, without=lacking)
    with capture_logs() as lines:
        async with opened(tmp_path) as tree:
            assert tree.manifest("gfs", CYCLE).frames["pnw"]["t2m"]["f006"].hash
            assert tree.run_bytes("gfs", CYCLE) > 0
    (told,) = [line for line in lines if line["event"] == "publish.manifest_rebuilt"]
    assert "published without its hash, bytes or published_at" in told["reason"]


async def test_values_that_are_null_are_none(tmp_path, staged):
    await filled(tmp_path, staged)
    path = tmp_path / "maps" / "gfs" / CYCLE / "manifest.json"
    manifest = json.loads(path.read_bytes())
    manifest["frames"]["pnw"]["t2m"]["f006"]["values"] = None
    path.write_text(json.dumps(manifest))
    async with opened(tmp_path) as tree:
        assert tree.run_bytes("gfs", CYCLE) > 0
        assert tree.values_hash("gfs", CYCLE, "pnw", "t2m", 6) is None


@pytest.mark.parametrize("name", ["2026139999", "0000000000", "٢٠٢٦٠١٢٩١٢", "20260129", "backup"])
async def test_a_directory_that_is_called_as_no_run_is_none(tmp_path, staged, name):
    await filled(tmp_path, staged)
    shutil.copytree(tmp_path / "maps" / "gfs" / CYCLE, tmp_path / "maps" / "gfs" / name)
    async with opened(tmp_path) as tree:
        assert tree.runs("gfs") == (CYCLE,)
    assert (tmp_path / "maps" / "gfs" / name / "pnw").is_dir()


@pytest.mark.parametrize("name", ["@eaDir", ".snapshot", "PNW"])
async def test_pictures_in_a_directory_that_is_no_region_are_no_frames(tmp_path, staged, name):
    await filled(tmp_path, staged)
    run = tmp_path / "maps" / "gfs" / CYCLE
    shutil.copytree(run / "pnw", run / name)
    (run / "manifest.json").unlink()
    for _ in range(2):  # what is made anew can be read
        async with opened(tmp_path) as tree:
            assert {region for region, *_ in tree.published("gfs", CYCLE)} == {"pnw", "conus"}
    assert list(run.glob("*.corrupt-*")) == []


@pytest.mark.parametrize("what", ["pnw/t2m/f006.png", "manifest.json", "pin.json"])
async def test_a_pipe_in_the_place_of_a_file_holds_no_start_up(tmp_path, staged, what):
    await filled(tmp_path, staged)
    path = tmp_path / "maps" / "gfs" / CYCLE / what
    path.unlink(missing_ok=True)
    os.mkfifo(path)
    async with asyncio.timeout(60), opened(tmp_path) as tree:
        assert len(tree.published("gfs", CYCLE)) == (3 if what.endswith("png") else 4)


async def test_a_picture_of_gigabytes_is_not_read(tmp_path, staged):
    await filled(tmp_path, staged)
    path = tmp_path / "maps" / "gfs" / CYCLE / "pnw" / "t2m" / "f006.png"
    os.truncate(path, 1 << 40)  # sparse; read, it would be more than there is memory
    async with opened(tmp_path) as tree:
        assert len(tree.published("gfs", CYCLE)) == 3


async def test_a_start_on_a_read_only_disk_shows_what_is_there(tmp_path, staged):
    with mounted(tmp_path / "disk", "size=2m") as disk:
        await filled(disk, staged)
        make_read_only(disk)
        async with opened(disk) as tree:
            assert len(tree.published("gfs", CYCLE)) == 4
        make_read_only(disk, again=False)
        (disk / ".lock").unlink()
        make_read_only(disk)
        async with opened(disk) as tree:
            assert len(tree.published("gfs", CYCLE)) == 4


async def test_half_a_manifest_is_not_left_on_a_disk_that_is_full(tmp_path, staged):
    with mounted(tmp_path / "disk", "size=2m") as disk:
        await filled(disk, staged)
        async with opened(disk) as tree:
            stuffing = disk / "somebody-elses"
            with pytest.raises(OSError, match="No space"):
                stuffing.write_bytes(bytes(4 << 20))
            with pytest.raises(OSError, match="No space"):
                await tree.open_run("gfs", CYCLE, **WHAT | {"hours": range(600)})
            assert list(disk.rglob("*.tmp")) == []
            stuffing.unlink()


def test_what_is_no_file_costs_no_descriptor(tmp_path):
    before = len([*Path("/proc/self/fd").iterdir()])
    for _ in range(5):
        with pytest.raises(IsADirectoryError):
            read_whole(tmp_path)
    assert len([*Path("/proc/self/fd").iterdir()]) == before


@pytest.mark.parametrize("state", [RunState.PARTIAL, None], ids=["ended", "left by a crash"])
async def test_a_run_that_is_begun_anew_while_it_is_about_to_go_stays(tmp_path, staged, state):
    async with opened(tmp_path) as tree:
        for cycle in (OLDER, CYCLE):
            await tree.open_run("gfs", cycle, **WHAT)
            await publish(tree, staged, cycle)
            if state is not None:
                await tree.finish_run("gfs", cycle, state)
        going = asyncio.create_task(tree.evict_run("gfs", OLDER))
        while "gfs" not in tree._departed:  # remembered, and not gone yet
            await asyncio.sleep(0)
        await tree.open_run("gfs", OLDER, **WHAT)
        assert await going is None
        await publish(tree, staged, OLDER, hour=0)
        assert len(tree.published("gfs", OLDER)) == 8
        assert not tree.was_evicted("gfs", OLDER)
        assert await tree.evict_run("gfs", CYCLE) > 0


async def test_a_run_that_is_pinned_before_it_has_a_directory_is_pinned(tmp_path, staged):
    await filled(tmp_path, staged)
    async with opened(tmp_path) as tree:
        going = asyncio.create_task(tree.evict_run("gfs", CYCLE))
        await asyncio.sleep(0)
        pinning = asyncio.create_task(tree.pin("gfs", CYCLE, "for the archive"))
        while "gfs" in tree.models():  # then the next one may have the lock
            await asyncio.sleep(0)
        await tree.open_run("gfs", CYCLE, **WHAT)
        await asyncio.gather(going, pinning)
    async with opened(tmp_path) as tree:
        assert tree.pin_of("gfs", CYCLE).reason == "for the archive"


async def test_where_a_directory_cannot_be_made_all_that_is_online_stays_as_the_manifest_has_it(
    tmp_path, staged
):
    async with opened(tmp_path) as tree:
        await tree.open_run("gfs", CYCLE, **WHAT)
        missing = [
            FrameFailure("conus", name, Reason.FIELD_MISSING, "") for name in ("t2m", "refc")
        ]
        await publish(tree, staged, failures=missing)
        (tree.run_path("gfs", CYCLE) / "conus").write_bytes(b"in the way")
        with pytest.raises(OSError):
            await publish(tree, staged, text="drawn again")
        content = tree.frame_path("gfs", CYCLE, "pnw", "t2m", 6).read_bytes()
        said = tree.frame_hash("gfs", CYCLE, "pnw", "t2m", 6)
        assert hashlib.sha256(content).hexdigest().startswith(said)


async def test_a_link_in_the_staging_directory_goes_and_what_it_leads_to_stays(tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "map").touch()
    root = tmp_path / "publish"
    (root / ".staging").mkdir(parents=True)
    (root / ".staging" / "link").symlink_to(elsewhere)

    async with opened(root) as tree:
        assert list(tree.staging.iterdir()) == []

    assert list(elsewhere.iterdir()) == [elsewhere / "map"]
