"""Old runs are taken off while others pin, publish, download and delete at the same time."""

import asyncio
import fcntl
import struct

import pytest
from structlog.testing import capture_logs

from tests.publish.conftest import staged as staged  # noqa: PLC0414 - a fixture of that room
from tests.publish.test_keeping_and_evicting import publish
from twf_async.ledger.ledger import Ledger
from twf_async.publish.pins import BadPin
from twf_async.publish.reading import UnknownRun
from twf_async.publish.tree import PublishedTree
from twf_async.upkeep.retention import Retention

CYCLES = tuple(f"20260129{hour:02d}" for hour in (0, 6, 12, 18))
SET_FLAGS, IMMUTABLE = 0x40086602, 0x10


@pytest.fixture
async def bench(tmp_path, staged):
    """A tree with four runs, its ledger, and a retention that keeps one."""
    tree, ledger = PublishedTree(tmp_path / "publish"), Ledger(tmp_path / "l.sqlite")
    await tree.start()
    await ledger.start()
    for cycle in CYCLES:
        await publish(tree, staged, cycle)
        await ledger.run_started("gfs", cycle)
    yield tree, ledger, Retention(tree, ledger, keep_runs=lambda _: 1, active=frozenset)
    await tree.stop()
    await ledger.stop()


async def test_a_run_pinned_while_others_are_taken_off_stays(bench):
    tree, _, retention = bench
    sweeping = asyncio.create_task(retention.sweep())
    while CYCLES[0] in tree.runs("gfs"):
        await asyncio.sleep(0)
    await tree.pin("gfs", CYCLES[2], "the storm")
    await sweeping
    assert tree.runs("gfs") == (CYCLES[3], CYCLES[2])
    assert tree.frame_path("gfs", CYCLES[2], "pnw", "t2m", 6).is_file()


async def test_a_pin_holds_or_is_refused_whenever_it_comes(bench, staged):
    tree, _, _ = bench
    for turns in range(40):
        evicting = asyncio.create_task(tree.evict_run("gfs", CYCLES[0]))
        for _ in range(turns):
            await asyncio.sleep(0)
        try:
            await tree.pin("gfs", CYCLES[0], "the storm")
            pinned = True
        except (UnknownRun, BadPin):
            pinned = False
        gone = await evicting
        assert pinned == (gone is None)
        assert (CYCLES[0] in tree.runs("gfs")) == pinned
        assert (CYCLES[0] in tree.pinned("gfs")) == pinned
        assert tree.run_path("gfs", CYCLES[0]).is_dir() == pinned
        if pinned:
            await tree.unpin("gfs", CYCLES[0])
        else:
            await publish(tree, staged, CYCLES[0])


async def test_of_two_who_take_the_same_run_off_one_does(bench):
    tree, ledger, retention = bench
    other = Retention(tree, ledger, keep_runs=lambda _: 1, active=frozenset)
    with capture_logs() as lines:
        freed = await asyncio.gather(retention.sweep(), other.sweep(), retention.sweep())
    told = [line["cycle"] for line in lines if line["event"] == "retention.run_deleted"]
    assert sorted(told) == list(CYCLES[:3])
    sizes = [line["bytes"] for line in lines if line["event"] == "retention.run_deleted"]
    assert sum(freed) == sum(sizes)
    assert await tree.evict_run("gfs", CYCLES[0]) is None


async def test_hours_that_are_just_being_published_go_with_their_run_or_are_refused(bench, staged):
    tree, _, _ = bench
    hours = [staged(await tree.new_staging("gfs", CYCLES[0], h), CYCLES[0], h) for h in (0, 12, 18)]
    publishing = [asyncio.create_task(tree.publish(hour)) for hour in hours]
    await asyncio.sleep(0)
    evicting = asyncio.create_task(tree.evict_run("gfs", CYCLES[0]))
    await asyncio.wait({*publishing, evicting})
    assert not tree.run_path("gfs", CYCLES[0]).exists()
    for hour, task in zip(hours, publishing, strict=True):
        was_online = task.exception() is None
        assert was_online or isinstance(task.exception(), UnknownRun)
        assert tree.was_published("gfs", CYCLES[0], "pnw", "t2m", hour.hour) == was_online


def immutable(path, *, on=True):
    """What `chattr +i` does; skipped where a file system has no such thing."""
    with path.open("rb") as file:
        try:
            fcntl.ioctl(file, SET_FLAGS, struct.pack("l", IMMUTABLE if on else 0))
        except OSError as error:
            pytest.skip(f"no file can be made immutable here: {error.strerror}")


async def test_a_file_that_cannot_be_deleted_is_told_and_the_run_is_offline_all_the_same(bench):
    tree, _, retention = bench
    stuck = tree.frame_path("gfs", CYCLES[0], "pnw", "t2m", 6)
    immutable(stuck)
    left = None
    try:
        with capture_logs() as lines:
            await retention.sweep()
        (left,) = tree.staging.rglob("f006.png")
        assert not stuck.exists()
        assert tree.runs("gfs") == (CYCLES[3],)
        assert [*tree.staging.rglob("f006.vgrid")] == []  # all else is gone
        (told,) = [line for line in lines if line["event"] == "retention.run_not_deleted"]
        assert (told["cycle"], "f006.png" in told["reason"]) == (CYCLES[0], True)
        assert tree.was_published("gfs", CYCLES[0], "pnw", "t2m", 6)
    finally:
        immutable(left or stuck, on=False)
