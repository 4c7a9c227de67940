"""Run after run, and of none is anything kept: objects and entries counted, not megabytes."""

import asyncio
import gc
from collections import Counter, deque

from tests.acquisition.rehearsal import Stage, rehearsing
from twf_async.app.upkeep import make_housekeeping

RUNS = [f"20260127{hour:02d}" for hour in range(17)]
EARLY = 8
# What is remembered of more runs than these are, with its bound here.
BOUNDS = {
    "twf_async.fetch.budget._RUNS_REMEMBERED": 4,
    "twf_async.fetch.cuts._RUNS_REMEMBERED": 4,
    "twf_async.fetch.doubts._RUNS_REMEMBERED": 4,
    "twf_async.fetch.proofs._FILES_REMEMBERED": 8,
    "twf_async.fetch.inventories._KEPT": 8,
    "twf_async.publish.tombstones.KEPT": 4,
}
OURS = ("twf_async.", "render_farm.", "asyncio.", "_asyncio.", "pathlib.", "aiosqlite.")
# The other side, which is in this process too; when requests left within the last real minute; how
# fresh the hours of a day were; cancelled timers, which asyncio keeps until there are a hundred.
OTHERS = (
    "twf_async.replica.",
    "Sent.",
    "Allowance.",
    "FreshnessBook.",
    "FreshnessEntry",
    "TimerHandle",
)


def counted() -> Counter[str]:
    """Objects by type, and entries by the attribute of ours that holds them."""
    gc.collect()
    found: Counter[str] = Counter()
    for thing in gc.get_objects():
        kind = type(thing)
        module, name = str(kind.__module__), kind.__qualname__
        if not module.startswith(OURS) or module.startswith(OTHERS) or name.startswith(OTHERS):
            continue
        found[f"{module}.{name}"] += 1
        if module.startswith("twf_async."):
            for attribute, held in held_by(thing):
                if not f"{name}.{attribute}".startswith(OTHERS):
                    found[f"{module}.{name}.{attribute}"] += len(held)
    return found


def held_by(thing):
    """(attribute, container) of an object, whether it has slots or a dictionary."""
    names = {*getattr(thing, "__dict__", ())}
    for kind in type(thing).__mro__:
        slots = kind.__dict__.get("__slots__", ())
        names |= {slots} if isinstance(slots, str) else {*slots}
    for name in names - {"__dict__", "__weakref__"}:
        held = getattr(thing, name, None)
        if isinstance(held, dict | list | set | deque):
            yield name, held


async def test_of_runs_that_are_over_nothing_is_kept(
    tmp_path, test_data, context, maps, monkeypatch
):
    for place, bound in BOUNDS.items():
        monkeypatch.setattr(place, bound)
    stage = Stage(
        {"hrrr": RUNS},
        hours="0-1",
        products={"hrrr": ("t2m",)},
        speed=7_000.0,
        settings={"TWF_PUBLISH__KEEP_RUNS": "3", "TWF_CACHE__MAX_GB": "0.0001"},
    )
    counts: dict[int, Counter[str]] = {}
    async with rehearsing(tmp_path, test_data, stage, context, maps=maps) as rehearsal:
        parts = rehearsal.parts
        keeping = make_housekeeping(
            parts.workshop.settings,
            parts.tree,
            parts.ledger,
            parts.clock,
            active=rehearsal.desk.active_runs,
        )
        ended: set[str] = set()  # on a busy machine a run is passed over for a newer one
        async with asyncio.timeout(60):
            while RUNS[-1] not in ended:
                await asyncio.sleep(0.01)
                fresh = {line["cycle"] for line in rehearsal.events("pipeline.run_ended")} - ended
                if not fresh:
                    continue
                rehearsal.log.clear()  # before anything is waited for: a run may end meanwhile
                ended |= fresh
                await keeping.clean(dry_run=False)
                if RUNS[-1] in ended or (len(ended) >= EARLY and not counts):
                    counts[len(ended)] = counted()

    (first, early), (last, late) = counts.items()
    assert len(parts.tree.runs("hrrr")) <= 4
    assert late["twf_async.publish.reading.RunOnDisk"] >= 3  # they are seen
    assert {
        kind: (early[kind], count)
        for kind, count in late.items()
        if count - early[kind] >= max(last - first, EARLY)
    } == {}
