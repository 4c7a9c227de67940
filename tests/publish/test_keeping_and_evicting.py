"""Runs that stay because somebody wants them, and runs that went: both outlive a manifest."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from tests.publish.test_published_tree import CYCLE, OLDER, WHAT, opened
from twf_async.publish import tombstones
from twf_async.publish.pins import BadPin
from twf_async.publish.tombstones import Extent, Tombstones


async def publish(tree, staged, cycle=CYCLE, hour=6):
    await tree.open_run("gfs", cycle, **WHAT)
    staging = await tree.new_staging("gfs", cycle, hour)
    await tree.publish(staged(staging, cycle, hour))
    await tree.discard_staging(staging)


async def test_a_pin_outlives_a_restart_and_a_lost_manifest(tmp_path, staged):
    async with opened(tmp_path) as tree:
        await publish(tree, staged)
        await tree.pin("gfs", CYCLE, "  the storm of\n January ")
        assert tree.pinned("gfs") == {CYCLE}
        tree.manifest_path("gfs", CYCLE).unlink()
    async with opened(tmp_path) as tree:
        pin = tree.pin_of("gfs", CYCLE)
        assert (pin.reason, pin.pinned_at.tzinfo is not None) == ("the storm of January", True)
        assert tree.summary("gfs", CYCLE)["pinned"] == "the storm of January"
        await tree.unpin("gfs", CYCLE)
    async with opened(tmp_path) as tree:
        assert tree.pinned("gfs") == frozenset()
        assert tree.summary("gfs", CYCLE)["pinned"] is None


async def test_a_marker_that_cannot_be_read_still_keeps_its_run(tmp_path, staged):
    async with opened(tmp_path) as tree:
        await publish(tree, staged)
        (tree.run_path("gfs", CYCLE) / "pin.json").write_text("{")
    async with opened(tmp_path) as tree:
        assert tree.pinned("gfs") == {CYCLE}
        assert tree.summary("gfs", CYCLE)["pinned"] == ""


async def test_only_runs_that_are_there_are_pinned_and_for_a_reason(tmp_path, staged):
    async with opened(tmp_path) as tree:
        await publish(tree, staged)
        with pytest.raises(BadPin, match=f"no run {OLDER} of gfs online; there are: {CYCLE}"):
            await tree.pin("gfs", OLDER, "a storm")
        with pytest.raises(BadPin, match="no run 2026012912 of nam online; there are: none"):
            await tree.unpin("nam", CYCLE)
        with pytest.raises(BadPin, match="say why"):
            await tree.pin("gfs", CYCLE, " \n ")
        with pytest.raises(BadPin, match="below 200"):
            await tree.pin("gfs", CYCLE, "x" * 201)
        with pytest.raises(BadPin, match="gfs 2026012912 is not pinned"):
            await tree.unpin("gfs", CYCLE)
        assert tree.pinned("gfs") == frozenset()


async def test_an_evicted_run_is_remembered_over_restarts(tmp_path, staged):
    async with opened(tmp_path) as tree:
        await publish(tree, staged)
        size = sum(path.stat().st_size for path in tree.maps.rglob("f006.*"))
        assert await tree.evict_run("gfs", CYCLE) == size
        assert not tree.run_path("gfs", CYCLE).exists()
    async with opened(tmp_path) as tree:
        assert tree.runs("gfs") == ()
        assert tree.was_published("gfs", CYCLE, "pnw", "t2m", 6)
        assert not tree.was_published("gfs", CYCLE, "pnw", "t2m", 0)  # expected, never there
        assert not tree.was_published("gfs", OLDER, "pnw", "t2m", 6)
        assert not tree.was_published("hrrr", CYCLE, "pnw", "t2m", 6)


async def test_a_run_of_which_nothing_was_online_leaves_nothing(tmp_path):
    async with opened(tmp_path) as tree:
        await tree.open_run("gfs", CYCLE, **WHAT)
        assert await tree.evict_run("gfs", CYCLE) == 0
        assert not (tree.maps / "gfs" / "evicted.json").exists()


async def test_a_run_evicted_twice_is_remembered_with_all_that_it_ever_had(tmp_path, staged):
    async with opened(tmp_path) as tree:
        for hour in (0, 6):
            await publish(tree, staged, hour=hour)
            await tree.evict_run("gfs", CYCLE)
        assert tree.was_published("gfs", CYCLE, "pnw", "t2m", 0)
        assert tree.was_published("gfs", CYCLE, "pnw", "t2m", 6)


@pytest.mark.parametrize("damage", [b"", b"[]", b'{"version": 7}', b'{"version": 1, "runs": {"a'])
async def test_a_list_that_cannot_be_read_is_told_and_begun_anew(tmp_path, staged, damage):
    async with opened(tmp_path) as tree:
        await publish(tree, staged)
        await publish(tree, staged, OLDER)
        await tree.evict_run("gfs", OLDER)
        (tree.maps / "gfs" / "evicted.json").write_bytes(damage)
    with capture_logs() as lines:
        async with opened(tmp_path) as tree:
            assert not tree.was_published("gfs", OLDER, "pnw", "t2m", 6)
            await tree.evict_run("gfs", CYCLE)
    assert [line["model"] for line in lines if line["event"] == "publish.evicted_list_lost"] == [
        "gfs"
    ]
    assert (tree.maps / "gfs" / "evicted.json.corrupt").read_bytes() == damage
    async with opened(tmp_path) as tree:
        assert tree.was_published("gfs", CYCLE, "pnw", "t2m", 6)


async def test_a_disk_too_full_for_the_note_still_loses_the_run(tmp_path, staged):
    async with opened(tmp_path) as tree:
        await publish(tree, staged)
        obstacle = tree.maps / "gfs" / "evicted.json.tmp"
        obstacle.mkdir()  # nothing can be written there, not even by root
        with capture_logs() as lines:
            assert await tree.evict_run("gfs", CYCLE) > 0
        assert [line["event"] for line in lines] == ["publish.write_failed"] * 2
        assert tree.runs("gfs") == ()
        assert tree.was_published("gfs", CYCLE, "pnw", "t2m", 6)


FRAMES = st.sets(
    st.tuples(
        st.sampled_from(["pnw", "conus"]),
        st.sampled_from(["t2m", "refc", "cape"]),
        st.integers(0, 384),
    ),
    min_size=1,
    max_size=30,
)
EXTENTS = st.builds(Extent.of_frames, FRAMES)


@given(FRAMES, FRAMES)
def test_of_an_evicted_run_exactly_what_was_online_is_gone(was, more):
    known = Extent.of_frames(was)
    assert all(known.has(*frame) for frame in was)
    assert not any(known.has(*frame) for frame in more - was)
    both = known.joined(Extent.of_frames(more))
    assert {frame for block in both.blocks for frame in block.frames()} == was | more


@given(st.dictionaries(st.integers(2026010100, 2026010123).map(str), EXTENTS))
def test_a_list_is_read_as_it_was_written(runs):
    stones = Tombstones()
    for cycle, extent in runs.items():
        stones.add(cycle, extent)
    assert Tombstones.from_json(stones.to_json()).runs == runs


def test_the_list_is_bounded_and_small(monkeypatch):
    monkeypatch.setattr(tombstones, "KEPT", 300)
    products = [str(number) for number in range(21)]
    extent = Extent.of_frames(("pnw", kind, hour) for kind in products for hour in range(0, 385, 3))
    stones = Tombstones()
    for number in range(400):
        stones.add(str(2026000000 + number), extent)
    assert sorted(stones.runs) == [str(2026000000 + number) for number in range(100, 400)]
    text = stones.to_json()
    assert len(text) < 300 * 17 + 1500
    assert len(json.loads(text)["extents"]) == 1
