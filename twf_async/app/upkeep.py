"""What keeps the service well: watchdog, retention of runs, cleaning of the cache."""

import os
from collections.abc import AsyncIterator, Callable
from collections.abc import Set as AbstractSet
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from twf_async.app.assembly import Parts
from twf_async.app.directories import DIRECTORIES
from twf_async.clock import Clock
from twf_async.farm.farm import Farm
from twf_async.farm.sizing import worker_count
from twf_async.ledger.ledger import Ledger
from twf_async.publish.manifest import RunState
from twf_async.publish.reading import PublishedRuns
from twf_async.publish.tree import PublishedTree
from twf_async.settings.load import Settings
from twf_async.settings.service import ServiceSettings
from twf_async.upkeep.cache import CacheCleaner
from twf_async.upkeep.diary import Diary
from twf_async.upkeep.diskguard import DiskGuard
from twf_async.upkeep.foreman import Foreman
from twf_async.upkeep.leftovers import Leftover, find_leftovers
from twf_async.upkeep.retention import Retention, runs_kept
from twf_async.upkeep.space import SpaceMaker
from twf_async.upkeep.sweeping import Sweeper
from twf_async.upkeep.vitals import MB, SystemSampler
from twf_async.upkeep.watchdog import Watchdog

Active = Callable[[], AbstractSet[tuple[str, str]]]


@dataclass(frozen=True, slots=True)
class Housekeeping:
    """What deletes: runs, downloads, leftovers."""

    retention: Retention
    cleaner: CacheCleaner
    sweeper: Sweeper

    async def clean(self, *, dry_run: bool, left: tuple[Leftover, ...] = ()) -> dict[str, Any]:
        """Delete at once what is kept for nothing, or tell what would go.

        left   leftovers found before: a start of the tree has removed some of them
        """
        sweeper = self.sweeper
        sweep = await (sweeper.due(left=left) if dry_run else sweeper.sweep(left=left))
        return {"dry_run": dry_run, **sweep.document()}


@dataclass(frozen=True, slots=True)
class Upkeep:
    """The parts, made but not started."""

    keeping: Housekeeping
    watchdog: Watchdog

    @property
    def retention(self) -> Retention:
        """What takes old runs off."""
        return self.keeping.retention

    @property
    def cleaner(self) -> CacheCleaner:
        """What keeps the cache small."""
        return self.keeping.cleaner

    async def start(self, undo: AsyncExitStack) -> None:
        """Take off what is too old, then watch. *undo* stops what was started."""
        await self.retention.sweep()
        await self.watchdog.start()
        undo.push_async_callback(self.watchdog.stop)
        await self.cleaner.start()
        undo.push_async_callback(self.cleaner.stop)


def make_upkeep(settings: Callable[[], Settings], parts: Parts, *, active: Active) -> Upkeep:
    """The parts of upkeep over those of the service; *active*: runs being worked on."""
    service = settings().service

    def spared() -> AbstractSet[tuple[str, str]]:
        return active() | unfinished(parts.tree)

    keeping = make_housekeeping(settings, parts.tree, parts.ledger, parts.clock, active=spared)
    caches = _downloads(service)
    diary = Diary(parts.clock)
    watchdog = Watchdog(
        SystemSampler({key: getattr(service, key) for key in DIRECTORIES}),
        parts.gate,
        parts.events,
        lambda: settings().service.watchdog,
        diary=diary,
        foreman=Foreman(
            parts.farm,
            lambda: settings().service.watchdog,
            diary,
            full=lambda limit_mb: _slots_when_ample(service, parts.farm, limit_mb),
        ),
        disk=DiskGuard(
            parts.gate,
            lambda: settings().service.watchdog,
            diary,
            make_room=SpaceMaker(
                keeping.retention,
                keeping.cleaner,
                *caches,
                maps=parts.tree.root,
                active=spared,
            ).make_room,
            tell=parts.tree.hold,
        ),
    )
    return Upkeep(keeping, watchdog)


@asynccontextmanager
async def watched(settings: Callable[[], Settings], parts: Parts) -> AsyncIterator[None]:
    """A watchdog over a run by hand: it may exhaust memory and disk as well as the service."""
    watchdog = make_upkeep(settings, parts, active=lambda: unfinished(parts.tree)).watchdog
    await watchdog.start()
    try:
        yield
    finally:
        await watchdog.stop()


def make_housekeeping(
    settings: Callable[[], Settings],
    tree: PublishedTree,
    ledger: Ledger,
    clock: Clock,
    *,
    active: Active,
) -> Housekeeping:
    """What deletes, over a tree and its ledger."""
    service = settings().service
    retention = Retention(
        tree,
        ledger,
        keep_runs=lambda model: runs_kept(
            model, settings().catalog.models, settings().service.publish
        ),
        active=active,
    )
    cleaner = CacheCleaner(
        *_downloads(service),
        settings=lambda: settings().service.cache,
        active=active,
        clock=clock,
    )
    unfinished = (*_downloads(service), service.cache_dir / "pixelmaps")
    sweeper = Sweeper(tree, retention, cleaner, lambda: find_leftovers(tree.staging, unfinished))
    return Housekeeping(retention, cleaner, sweeper)


def unfinished(tree: PublishedRuns) -> frozenset[tuple[str, str]]:
    """Runs that a start goes on with, or closes: until then nobody works on them.

    They are kept whatever their age, for somebody may have asked for them, and so are their
    downloads.
    """
    runs = ((model, cycle) for model in tree.models() for cycle in tree.runs(model))
    running = RunState.RUNNING.value
    return frozenset(run for run in runs if tree.summary(*run)["state"] == running)


def _slots_when_ample(service: ServiceSettings, farm: Farm, limit_mb: float) -> int:
    """How many slots the machine carries; a start while memory was short made do with fewer."""
    if service.farm.backend == "dask":
        return farm.size  # its own one: jobs are drawn elsewhere
    limit = int(limit_mb * MB)
    return worker_count(
        service.farm,
        cores=len(os.sched_getaffinity(0)),
        memory_limit=limit,
        memory_available=limit,
        costs_mb=(farm.worker_mb,),
    )


def _downloads(service: ServiceSettings) -> tuple[Path, ...]:
    return service.cache_dir / "grib", service.cache_dir / "increments"
