"""SIGKILL at any moment of a download: nothing that is left is later taken for good, nothing grows.

Real processes on one cache, one after the other, against the replica; each tells what it found.
"""

import asyncio
import contextlib
import json
import os
import random
import signal
import sys
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.fetch.fakes.messages import CYCLE, PRMSL, T2M, T850, message
from tests.fetch.fakes.nursery import WORK, fetcher_for, names_below, served, wishes
from twf_async.fetch.cache import Cache
from twf_async.replica.directory_tree import DirectoryTree
from twf_async.replica.faults.script import Fault
from twf_async.replica.running import running

REPOSITORY = Path(__file__).resolve().parents[2]
MOST_FILES = 2 * 2 * len(WORK)  # data and record of each answer: at most two an hour
# Slow enough that a kill meets bytes on their way, and some answers go on after a break.
SLOW = (
    Fault("drip", on=("filter",), bytes_per_s=1_000_000),
    Fault("drip", on=("grib",), bytes_per_s=2_000_000),
    Fault("reset", on=("grib",), probability=0.2),
)


class Nursery:
    """See tests/fetch/fakes/nursery.py."""

    def __init__(self, process):
        self._process = process

    async def begin(self, **order):
        """A new child; its pid."""
        self._process.stdin.write(json.dumps({k: str(v) for k, v in order.items()}).encode())
        self._process.stdin.write(b"\n")
        await self._process.stdin.drain()
        return (await self.heard("child"))["child"]

    async def heard(self, word):
        """The next line that has *word*."""
        async with asyncio.timeout(60):
            while True:
                line = await self._process.stdout.readline()
                assert line, "the nursery has ended"
                said = json.loads(line)
                assert "failed" not in said, said
                if word in said:
                    return said

    async def ended(self, pid):
        """Return once the child is gone."""
        async with asyncio.timeout(60):
            while True:
                try:
                    os.kill(pid, 0)
                except ProcessLookupError:
                    return
                await asyncio.sleep(0.002)

    async def kill(self, pid):
        os.kill(pid, signal.SIGKILL)
        await self.ended(pid)


@asynccontextmanager
async def nursery():
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.fetch.fakes.nursery", cwd=REPOSITORY,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    try:
        yield Nursery(process)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()
        process.stdin.close()


async def truth_of(url, root):
    """What a fetcher that nobody disturbs brings: record by record."""
    fetcher = fetcher_for(root, url)
    await fetcher.start()
    try:
        for wish in wishes():
            assert not (await fetcher.hour(wish)).missing
    finally:
        await fetcher.stop()
    return await left_in(root)


def content_of(record):
    return Path(record.path).read_bytes()


def unfinished(files):
    return [name for name in files if name.endswith((".part", ".tmp"))]


async def killed_again_and_again(times, url, root, true):
    """The moments are a seed's shares of what one round takes here: of forgetting and fetching."""
    moments, clock = random.Random(20260129), asyncio.get_running_loop().time
    found_something = left_something = 0
    async with nursery() as children:
        child = await children.begin(work="fetch", cache=root, url=url)
        await children.heard("served")
        began = clock()
        await children.heard("whole")
        round_s = clock() - began
        await children.kill(child)
        for _ in range(times):
            child = await children.begin(work="fetch", cache=root, url=url)
            found = await children.heard("served")
            assert [one for one in found["served"] if one not in true] == []
            assert unfinished(found["files"]) == []
            assert len(found["files"]) <= MOST_FILES
            found_something += bool(found["served"])
            await asyncio.sleep(moments.uniform(0, 1.5 * round_s))  # the moment
            await children.kill(child)
            left_something += bool(unfinished(names_below(root)))
        child = await children.begin(work="fetch", cache=root, url=url)
        await children.heard("whole")
        await children.kill(child)
    assert found_something
    assert left_something, "the kills met no download"


async def after_kills(times, test_data, tmp_path):
    tree = DirectoryTree(test_data / "nomads")
    async with running(tree) as replica:
        true = await truth_of(replica.url, tmp_path / "clean")
    async with running(tree, *SLOW, seed=3) as replica:
        await killed_again_and_again(times, replica.url, tmp_path / "cache", true)


async def test_killed_at_random_moments_it_serves_only_what_is_true(test_data, tmp_path):
    await after_kills(10, test_data, tmp_path)


@pytest.mark.soak
@pytest.mark.timeout(600)
async def test_killed_a_hundred_times_it_serves_only_what_is_true(test_data, tmp_path):
    await after_kills(100, test_data, tmp_path)


async def test_killed_before_each_operation_of_a_download_it_serves_only_what_is_true(
    test_data, tmp_path
):
    """Every opening, renaming, removing and writing through, one kill before each."""
    steps, found = 0, []
    async with running(DirectoryTree(test_data / "nomads")) as replica, nursery() as children:
        true = await truth_of(replica.url, tmp_path / "clean")
        while sorted(found) != sorted(true):
            steps += 1
            root = tmp_path / f"{steps}"
            child = await children.begin(work="fetch", cache=root, url=replica.url, step=steps)
            await children.heard("served")
            await children.ended(child)
            found = await left_in(root)
            assert [one for one in found if one not in true] == []
            assert unfinished([path.name for path in root.rglob("*")]) == []
    # A download opens, proves and keeps in a dozen of operations; there are two.
    assert steps > 24


async def left_in(root):
    """What a cache serves that starts where another process ended."""
    cache, found = Cache(root), []
    await cache.start()
    for wish in wishes():
        where = wish.model.key, wish.cycle, wish.hour
        records, _ = await cache.find(*where, wish.keys, wish.box)
        found += [served(record) for record in records]
    return found


async def test_killed_while_one_file_takes_the_place_of_another_it_serves_one_of_them(tmp_path):
    old, new = message(T2M), message(T850) + message(PRMSL)
    outcomes, steps = [], 0
    async with nursery() as children:
        while not outcomes or outcomes[-1] != new:
            steps += 1
            root = tmp_path / f"{steps}"
            child = await children.begin(work="keep", cache=root, step=steps)
            await children.ended(child)

            cache = Cache(root)
            await cache.start()
            records, _ = await cache.find(
                "gfs", CYCLE, 6, frozenset({T2M, T850, PRMSL}), wishes()[0].box
            )
            assert len(records) <= 1
            content = b"".join(map(content_of, records))
            for record in records:
                assert record.keys == ((T2M,) if content == old else (T850, PRMSL))
            outcomes.append(content)
            assert steps < 100
    assert set(outcomes) == {old, b"", new}
    assert outcomes == sorted(outcomes, key=[old, b"", new].index)


async def test_power_lost_at_any_moment_leaves_no_record_without_its_bytes(tmp_path):
    """What is in place was written through before, and names before what depends on them."""
    async with nursery() as children:
        await children.begin(work="trace", cache=tmp_path)
        told = (await children.heard("operations"))["operations"]

    def of(event, ending):
        return [
            n for n, (e, *names) in enumerate(told) if e == event and names[-1].endswith(ending)
        ]

    folder = f"gfs/{CYCLE}"
    (record_written,) = of("fsync", ".tmp")
    (old_record_gone,) = of("remove", ".json")
    (data_placed,) = of("rename", ".grib2")
    (record_placed,) = of("rename", ".json")
    data_named, record_named = of("fsync", folder)
    assert (
        record_written < old_record_gone < data_placed < data_named < record_placed < record_named
    )
