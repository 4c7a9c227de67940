"""Runs that are gone are remembered for years: what that takes."""

import random
import tracemalloc
from datetime import UTC, datetime, timedelta

from twf_async.plan.runs import cycle_name
from twf_async.publish import tombstones
from twf_async.publish.tombstones import Block, Extent, Tombstones
from twf_async.publish.tree import PublishedTree

YEAR = [cycle_name(datetime(2026, 1, 1, tzinfo=UTC) + timedelta(hours=n)) for n in range(8760)]


REGIONS = ("pnw", "west", "conus")


def frames_of(cycle):
    """What a run of HRRR had; every sixth is a long one, and totals begin at the first hour."""
    hours = range(49 if int(cycle[8:]) % 6 == 0 else 19)
    return {
        (region, f"product_{number}", hour)
        for region in REGIONS
        for number in range(21)
        for hour in hours
        if hour or number > 3
    }


SHORT, LONG = (Extent.of_frames(frames_of(cycle)) for cycle in ("2026010101", "2026010100"))


def extent(cycle):
    """A set of its own for each run, as each run's manifest makes one."""
    like = LONG if int(cycle[8:]) % 6 == 0 else SHORT
    return Extent(
        frozenset(
            Block(frozenset([*b.hours]), frozenset([*b.regions]), frozenset([*b.products]))
            for b in like.blocks
        )
    )


def one(hour, region, product):
    return Extent.of_frames({(region, product, hour)})


def test_a_year_of_runs_takes_two_megabytes():
    """By a month of it: tracing what is allocated takes long."""
    stones, month = Tombstones(), YEAR[:730]
    tracemalloc.start()
    try:
        for cycle in month:
            stones.add(cycle, extent(cycle))
        taken, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert taken < 2_000_000 / 12
    assert len(stones.runs) == len(month)


def test_runs_that_share_what_they_had_are_still_told_apart():
    stones = Tombstones()
    for cycle in YEAR[:13]:
        stones.add(cycle, extent(cycle))
    stones.add(YEAR[1], one(30, "pnw", "t2m"))

    assert stones.has(YEAR[12], "pnw", "product_3", 48)
    assert not stones.has(YEAR[7], "pnw", "product_3", 48)
    assert stones.has(YEAR[1], "pnw", "t2m", 30)
    assert not stones.has(YEAR[1], "west", "t2m", 30)
    assert stones.has(YEAR[1], "west", "product_3", 18)
    assert not stones.has(YEAR[2], "pnw", "t2m", 30)
    assert Tombstones.from_json(stones.to_json()) == stones


async def test_of_the_writing_of_a_run_nothing_is_kept_when_it_is_over(tmp_path, staged):
    tree = PublishedTree(tmp_path)
    await tree.start()
    try:
        for cycle in YEAR[:5]:
            await tree.open_run("gfs", cycle, hours=(6,), regions=("pnw",), products=("t2m",))
            staging = await tree.new_staging("gfs", cycle, 6)
            await tree.publish(staged(staging, cycle, 6))
            await tree.evict_run("gfs", cycle)
        assert tree.runs("gfs") == ()
        assert dict(tree._locks) == {}
        assert tree._writes == set()
    finally:
        await tree.stop()


def test_of_a_run_with_holes_every_frame_is_told_apart():
    was = frames_of(YEAR[0])
    failed = {("pnw", "product_7", 12), ("west", "product_7", 12), ("conus", "product_9", 48)}
    known = Extent.of_frames(was - failed)

    assert {frame for block in known.blocks for frame in block.frames()} == was - failed
    assert all(known.has(*frame) for frame in was - failed)
    assert not any(known.has(*frame) for frame in failed)
    assert not known.has("pnw", "product_3", 0)
    assert len(known.blocks) < 8


def test_a_run_with_holes_everywhere_is_remembered_as_a_whole_and_small():
    ragged = set(random.Random(1).sample(sorted(frames_of(YEAR[0])), 2000))
    known = Extent.of_frames(ragged)

    assert len(known.blocks) == 1
    assert all(known.has(*frame) for frame in ragged)
    stones = Tombstones({YEAR[0]: known})
    assert len(stones.to_json()) < 1000
    assert Tombstones.from_json(stones.to_json()) == stones


def test_runs_of_which_each_has_other_holes_are_bounded_and_the_oldest_are_forgotten():
    chance, stones = random.Random(2), Tombstones()
    whole = sorted(frames_of(YEAR[0]))
    for cycle in YEAR[:400]:
        stones.add(cycle, Extent.of_frames({*whole} - {*chance.sample(whole, 6)}))

    assert list(stones.runs) == YEAR[400 - tombstones.MOST_SETS : 400]
    assert len(stones.to_json()) < 2_000_000


def test_a_list_of_the_version_before_is_read():
    content = (
        b'{"version":1,"extents":[{"hours":[0,6],"regions":["pnw"],"products":["t2m","refc"]}],'
        b'"runs":{"2026012900":0}}'
    )
    stones = Tombstones.from_json(content)

    assert stones.has("2026012900", "pnw", "refc", 6)
    assert not stones.has("2026012900", "pnw", "refc", 3)
    assert Tombstones.from_json(stones.to_json()) == stones


def test_what_is_joined_is_all_of_both_and_as_few_blocks_as_can_be():
    both = one(0, "pnw", "t2m").joined(one(6, "pnw", "t2m"))

    assert both.blocks == {Block(frozenset({0, 6}), frozenset({"pnw"}), frozenset({"t2m"}))}


async def test_a_list_that_is_no_list_any_more_by_its_size_is_not_read(tmp_path, monkeypatch):
    monkeypatch.setattr(tombstones, "MOST_BYTES", 1000)
    path = tmp_path / "gfs" / tombstones.FILE
    path.parent.mkdir()
    stones = Tombstones({YEAR[0]: one(0, "pnw", "t2m")})
    path.write_bytes(stones.to_json() + b" " * 1000)

    found, bad = tombstones.read_tombstones(tmp_path, ["gfs", "hrrr"])

    assert (found, bad) == ({}, ["gfs"])
