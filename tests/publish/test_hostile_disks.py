"""A tree on a disk that is full, fails here and there, or holds what nobody put there."""

import asyncio
import json

import pytest
from structlog.testing import capture_logs

from tests.publish.test_published_tree import CYCLE, OLDER, WHAT, opened, publish
from tests.upkeep.mounts import make_read_only, mounted
from twf_async.publish.manifest import FrameState
from twf_async.publish.tree import PublishedTree, SplitTree


def stuff(directory):
    """Fill a disk to the last byte; the file that does it."""
    path = directory / "somebody-elses"
    with path.open("ab", buffering=0) as file:
        try:
            while file.write(bytes(1 << 12)):
                pass
        except OSError:
            return path


async def filled(root, staged):
    """Two runs, each with an hour online."""
    async with opened(root) as tree:
        for cycle in (OLDER, CYCLE):
            await tree.open_run("gfs", cycle, **WHAT)
            await publish(tree, staged, cycle)


async def test_a_service_starts_on_a_full_disk_and_makes_room(tmp_path, staged):
    with mounted(tmp_path / "disk", "size=2m") as disk:
        await filled(disk, staged)
        (disk / "maps" / "gfs" / OLDER / "manifest.json").write_text("{")  # made anew at the start
        (disk / "maps" / "gfs" / OLDER / "large").write_bytes(bytes(1 << 19))
        (disk / ".lock").unlink()
        stuff(disk)
        with capture_logs() as lines:
            async with opened(disk, write_every_s=0.01) as tree:
                assert tree.runs("gfs") == (CYCLE, OLDER)
                assert len(tree.published("gfs", OLDER)) == 4
                with pytest.raises(OSError, match="No space left"):
                    await publish(tree, staged, CYCLE, 0)
                assert await tree.evict_run("gfs", OLDER) > 0
                await publish(tree, staged, CYCLE, 0)
        assert "publish.write_failed" in [line["event"] for line in lines]
        async with opened(disk) as tree:
            assert len(tree.published("gfs", CYCLE)) == 8
            assert tree.was_published("gfs", OLDER, "pnw", "t2m", 6)


async def test_a_manifest_that_could_not_be_mended_for_want_of_room_is_when_there_is_some(
    tmp_path, staged
):
    with mounted(tmp_path / "disk", "size=2m") as disk:
        await filled(disk, staged)
        path = disk / "maps" / "gfs" / CYCLE / "manifest.json"
        path.unlink()
        stuffing = stuff(disk)
        async with opened(disk, write_every_s=0.01) as tree:
            assert len(tree.published("gfs", CYCLE)) == 4
            assert not path.exists()
            stuffing.unlink()
            async with asyncio.timeout(60):
                while not path.exists():
                    await asyncio.sleep(0.01)
        assert path.read_bytes().count(b'"published"') == 4


async def test_on_a_disk_that_turned_read_only_what_is_online_stays_so(tmp_path, staged):
    with mounted(tmp_path / "disk", "size=2m") as disk:
        await filled(disk, staged)
        async with opened(disk) as tree:
            rendered = staged(await tree.new_staging("gfs", CYCLE, 0), CYCLE, 0)
            make_read_only(disk)
            with pytest.raises(OSError, match="Read-only file system"):
                await tree.publish(rendered)
            assert len(tree.published("gfs", CYCLE)) == 4
            make_read_only(disk, again=False)
            await tree.publish(rendered)
        async with opened(disk) as tree:
            assert len(tree.published("gfs", CYCLE)) == 8


async def test_out_of_inodes_is_told_as_out_of_room_and_costs_nothing_that_is_online(
    tmp_path, staged
):
    with mounted(tmp_path / "disk", "size=4m,nr_inodes=120") as disk:
        await filled(disk, staged)
        async with opened(disk) as tree:
            rendered = staged(await tree.new_staging("gfs", CYCLE, 0), CYCLE, 0)
            number = 0
            with pytest.raises(OSError, match="No space left"):
                while True:
                    (disk / str(number)).touch()
                    number += 1
            with pytest.raises(OSError, match="No space left"):
                await tree.publish(rendered)
            assert len(tree.published("gfs", CYCLE)) == 4
            (disk / "0").unlink()
            await tree.publish(rendered)
            assert len(tree.published("gfs", CYCLE)) == 8


@pytest.mark.parametrize("what", ["manifest.json", "pin.json", "pnw/t2m/f006.png"])
async def test_one_file_that_cannot_be_read_costs_a_start_that_file_only(tmp_path, staged, what):
    await filled(tmp_path, staged)
    path = tmp_path / "maps" / "gfs" / CYCLE / what
    path.unlink(missing_ok=True)
    path.mkdir()  # EISDIR, not even root reads it
    async with opened(tmp_path) as tree:
        assert len(tree.published("gfs", OLDER)) == 4
        assert len(tree.published("gfs", CYCLE)) == (3 if what.endswith("png") else 4)
        assert (tree.pin_of("gfs", CYCLE) is not None) == (what == "pin.json")


async def test_a_list_of_evicted_runs_that_cannot_be_read_ends_no_start(tmp_path, staged):
    await filled(tmp_path, staged)
    (tmp_path / "maps" / "gfs" / "evicted.json").mkdir()
    with capture_logs() as lines:
        async with opened(tmp_path) as tree:
            await tree.evict_run("gfs", OLDER)
    assert "publish.evicted_list_lost" in [line["event"] for line in lines]
    async with opened(tmp_path) as tree:
        assert tree.was_published("gfs", OLDER, "pnw", "t2m", 6)


async def test_a_manifest_of_newer_software_is_set_aside_whole_and_its_frames_stay(
    tmp_path, staged
):
    await filled(tmp_path, staged)
    run = tmp_path / "maps" / "gfs" / CYCLE
    newer = json.loads((run / "manifest.json").read_bytes()) | {"schema": 2}
    (run / "manifest.json").write_text(json.dumps(newer))
    with capture_logs() as lines:
        async with opened(tmp_path) as tree:
            assert len(tree.published("gfs", CYCLE)) == 4
    (told,) = [line for line in lines if line["event"] == "publish.manifest_rebuilt"]
    assert told["reason"].endswith("written by another version: 2 where this one knows 1")
    (aside,) = run.glob("manifest.json.corrupt-*")
    assert json.loads(aside.read_bytes()) == newer


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.99])
async def test_a_manifest_cut_anywhere_is_made_anew_from_the_pictures(tmp_path, staged, share):
    await filled(tmp_path, staged)
    path = tmp_path / "maps" / "gfs" / CYCLE / "manifest.json"
    whole = path.read_bytes()
    path.write_bytes(whole[: int(share * len(whole))])
    async with opened(tmp_path) as tree:
        assert len(tree.published("gfs", CYCLE)) == 4
        assert json.loads(path.read_bytes())["cycle"] == CYCLE


@pytest.mark.parametrize(
    "damage",
    [
        {"frames": {"pnw": {"t2m": {"hour six": {"state": "expected"}}}}},
        {"frames": {"pnw": {"t2m": {"f006": {"state": "published", "bytes": "many"}}}}},
        {"frames": {"..": {"t2m": {"f006": {"state": "expected"}}}}},
        {"frames": []},
        {"cycle": OLDER},
        {"state": "lost"},
    ],
)
async def test_a_manifest_that_lies_about_its_form_is_made_anew(tmp_path, staged, damage):
    await filled(tmp_path, staged)
    path = tmp_path / "maps" / "gfs" / CYCLE / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_bytes()) | damage))
    with capture_logs() as lines:
        async with opened(tmp_path) as tree:
            record = tree.manifest("gfs", CYCLE).frames["pnw"]["t2m"]["f006"]
            assert record.state is FrameState.PUBLISHED
    assert "publish.manifest_rebuilt" in [line["event"] for line in lines]


async def test_a_directory_removed_under_us_costs_its_frames_and_takes_new_ones(tmp_path, staged):
    await filled(tmp_path, staged)
    async with opened(tmp_path) as tree:
        for place in (tree.maps / "gfs", tree.staging):
            place.rename(tmp_path / f"moved-{place.name}")
        await publish(tree, staged, CYCLE, 0)
        assert tree.frame_path("gfs", CYCLE, "pnw", "t2m", 0).is_file()
        assert await tree.evict_run("gfs", OLDER) is not None
    async with opened(tmp_path) as tree:
        assert {hour for _, _, hour in tree.published("gfs", CYCLE)} == {0}


async def test_a_tree_behind_a_link_works_and_one_in_two_halves_is_refused(tmp_path, staged):
    with mounted(tmp_path / "disk", "size=2m") as disk:
        (tmp_path / "publish").symlink_to(disk)
        await filled(tmp_path / "publish", staged)
        assert (disk / "maps" / "gfs" / CYCLE / "pnw" / "t2m" / "f006.png").is_file()

        halved = tmp_path / "halved"
        halved.mkdir()
        (halved / "maps").symlink_to(disk / "maps")
        with pytest.raises(SplitTree, match="on two file systems.*publish_dir"):
            await PublishedTree(halved).start()


async def test_a_run_that_was_put_elsewhere_is_taken_off_and_what_it_leads_to_is_left(
    tmp_path, staged
):
    await filled(tmp_path / "publish", staged)
    run = tmp_path / "publish" / "maps" / "gfs" / OLDER
    run.rename(tmp_path / "archive")
    run.symlink_to(tmp_path / "archive")
    async with opened(tmp_path / "publish") as tree:
        assert len(tree.published("gfs", OLDER)) == 4
        assert await tree.evict_run("gfs", OLDER) > 0
        assert not run.is_symlink()
        assert [*tree.staging.iterdir()] == []
    assert (tmp_path / "archive" / "pnw" / "t2m" / "f006.png").is_file()
