"""Runs that are gone are remembered for years: what that takes."""

import tracemalloc
from datetime import UTC, datetime, timedelta

from twf_async.plan.runs import cycle_name
from twf_async.publish.tombstones import Extent, Tombstones
from twf_async.publish.tree import PublishedTree

YEAR = [cycle_name(datetime(2026, 1, 1, tzinfo=UTC) + timedelta(hours=n)) for n in range(8760)]


def extent(cycle):
    """What a run of HRRR had; every sixth is a long one."""
    hours = range(49 if int(cycle[8:]) % 6 == 0 else 19)
    products = frozenset(f"product_{number}" for number in range(21))
    return Extent(frozenset(hours), frozenset({"pnw", "west", "conus"}), products)


def test_a_year_of_runs_takes_two_megabytes():
    stones = Tombstones()
    tracemalloc.start()
    try:
        for cycle in YEAR:
            stones.add(cycle, extent(cycle))
        taken, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert taken < 2_000_000
    assert len(stones.runs) == len(YEAR)


def test_runs_that_share_what_they_had_are_still_told_apart():
    stones = Tombstones()
    for cycle in YEAR[:13]:
        stones.add(cycle, extent(cycle))
    stones.add(YEAR[1], Extent(frozenset({30}), frozenset({"pnw"}), frozenset({"t2m"})))

    assert stones.has(YEAR[12], "pnw", "product_3", 48)
    assert not stones.has(YEAR[7], "pnw", "product_3", 48)
    assert stones.has(YEAR[1], "west", "t2m", 30)
    assert stones.has(YEAR[1], "west", "product_3", 18)
    assert not stones.has(YEAR[2], "west", "t2m", 30)
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
