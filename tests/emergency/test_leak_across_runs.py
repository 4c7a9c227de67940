"""The old system: memory and files piled up from run to run until somebody restarted it.

The long form, forty runs of a daemon and megabytes, is tests/soak/test_forty_runs.py. Here a few
runs, and all that the service itself holds: what a run left behind would be left once a run.
"""

import asyncio
import gc
import os
import threading
from collections import Counter
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from pathlib import Path

import psutil
import pytest

from tests.acquisition.redated import RedatedTree
from tests.acquisition.rehearsal import REPOSITORY, Stage
from twf_async.app.assembly import assembled
from twf_async.app.desk import Desk
from twf_async.app.upkeep import make_upkeep
from twf_async.farm.boot import boot
from twf_async.fetch import budget, cuts, doubts, inventories
from twf_async.replica.running import running
from twf_async.settings.load import load

NEWEST = "2026012912"
OLDER = [f"20260128{hour:02d}" for hour in (0, 6, 12, 18)] + ["2026012900", "2026012906"]
WARM = 2  # after so many runs everything has been used once
RUNS = len(OLDER) - WARM
OURS = ("twf_async.", "render_farm.")
OTHERS = "twf_async.replica"
# What is remembered of the last runs on purpose, and of how many; inventories hold the other two.
# Connections stay open for a while: both ends of the three that a model has at most, and a door.
BOUNDS = {
    "connections": 2 * 3 + 1,
    "object Box": cuts._RUNS_REMEMBERED,  # each its own where its download is read from the disk
    "object _Spent": budget._RUNS_REMEMBERED,
    "object _RunHas": doubts._RUNS_REMEMBERED,
    "object _Known": inventories._KEPT,
}
PARTS = {"object IdxLine", "object MessageKey"}


@dataclass(frozen=True)
class Held:
    """What there is of each kind: objects, descriptors, threads, tasks, files."""

    counts: Counter[str]

    def grown_since(self, earlier):
        """Kinds of which there is one more for every run, or more."""
        more = {kind: n - earlier.counts[kind] for kind, n in self.counts.items()}
        grown = {kind: n for kind, n in more.items() if n >= RUNS and kind not in PARTS}
        return {k: n for k, n in grown.items() if self.counts[k] > BOUNDS.get(k, 0)}


def held(root):
    gc.collect()
    kinds = (type(each) for each in gc.get_objects())
    named = ((str(kind.__module__), kind) for kind in kinds)
    ours = (kind for name, kind in named if name.startswith(OURS) and OTHERS not in name)
    counts = Counter(f"object {kind.__qualname__}" for kind in ours)
    counts["connections"] = len(psutil.Process().net_connections("tcp"))
    counts["descriptors"] = len([*Path("/proc/self/fd").iterdir()]) - counts["connections"]
    counts["threads"] = threading.active_count()
    counts["tasks"] = len(asyncio.all_tasks())
    counts["files"] = sum(path.is_file() for path in root.rglob("*"))
    return Held(counts)


@pytest.fixture(scope="module")
def context():
    return boot()


async def every_thread():
    """Have all that the loop may start for what blocks: there are as many at once by chance."""
    most = min(32, (os.cpu_count() or 1) + 4)  # as concurrent.futures has it
    there = threading.Barrier(most, timeout=60)
    await asyncio.gather(*(asyncio.to_thread(there.wait) for _ in range(most)))


async def test_leak_across_runs_nothing_that_the_service_holds_grows_from_run_to_run(
    context, test_data, tmp_path
):
    stage = Stage(
        {"gfs": [*OLDER, NEWEST]},
        hours="0-6/3",
        products={"gfs": ("t2m", "precip_total")},
        speed=1.0,
        settings={
            "TWF_CLOCK__START": "2026-01-29T18:30:00Z",
            "TWF_PUBLISH__KEEP_RUNS": "1",
            "TWF_CACHE__MAX_GB": "0.000001",
        },
    )
    await every_thread()
    async with AsyncExitStack() as stack:
        replica = await stack.enter_async_context(running(RedatedTree(test_data, stage.cycles)))
        settings = load(REPOSITORY / "config", stage.environment(tmp_path, replica))
        parts = await stack.enter_async_context(assembled(lambda: settings, context))
        upkeep = make_upkeep(
            lambda: settings,
            parts,
            active=lambda: desk.active_runs(),  # noqa: PLW0108 - made below, from this part
        )
        desk = Desk(replace(parts.workshop, before_run=upkeep.retention.make_room))
        await desk.start()
        stack.push_async_callback(desk.stop)
        await ended(parts.tree, desk, NEWEST)
        looks = []
        for cycle in OLDER:
            await desk.backfill("gfs", cycle)
            assert await ended(parts.tree, desk, cycle) == "complete"
            await upkeep.retention.sweep()
            await upkeep.cleaner.clean()
            looks.append(held(tmp_path))

        assert parts.tree.runs("gfs") == (NEWEST,)
        assert looks[-1].grown_since(looks[WARM - 1]) == {}
        assert not list(tmp_path.rglob("*.part"))
        assert not list(parts.tree.staging.iterdir())


async def ended(tree, desk, cycle):
    """How the run ended."""
    async with asyncio.timeout(60):
        while cycle not in tree.runs("gfs") or ("gfs", cycle) in desk.active_runs():
            await asyncio.sleep(0.01)
    return tree.summary("gfs", cycle)["state"]
