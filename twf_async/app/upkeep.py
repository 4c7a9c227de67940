"""What the daemon has to keep itself well: watchdog, retention of runs, cleaning of the cache."""

from collections.abc import Callable
from collections.abc import Set as AbstractSet
from contextlib import AsyncExitStack
from dataclasses import dataclass

from twf_async.app.assembly import Parts
from twf_async.settings.load import Settings
from twf_async.upkeep.cache import CacheCleaner
from twf_async.upkeep.diary import Diary
from twf_async.upkeep.diskguard import DiskGuard
from twf_async.upkeep.retention import Retention, runs_kept
from twf_async.upkeep.space import SpaceMaker
from twf_async.upkeep.vitals import SystemSampler
from twf_async.upkeep.watchdog import Watchdog


@dataclass(frozen=True, slots=True)
class Upkeep:
    """The parts, made but not started."""

    retention: Retention
    cleaner: CacheCleaner
    watchdog: Watchdog

    async def start(self, undo: AsyncExitStack) -> None:
        """Take off what is too old, then watch. *undo* stops what was started."""
        await self.retention.sweep()
        await self.watchdog.start()
        undo.push_async_callback(self.watchdog.stop)
        await self.cleaner.start()
        undo.push_async_callback(self.cleaner.stop)


def make_upkeep(
    settings: Callable[[], Settings],
    parts: Parts,
    *,
    active: Callable[[], AbstractSet[tuple[str, str]]],
) -> Upkeep:
    """The parts of upkeep over those of the service; *active*: runs being worked on."""
    service = settings().service
    retention = Retention(
        parts.tree,
        parts.ledger,
        keep_runs=lambda model: runs_kept(
            model, settings().catalog.models, settings().service.publish
        ),
        active=active,
    )
    caches = (service.cache_dir / "grib", service.cache_dir / "increments")
    cleaner = CacheCleaner(
        *caches,
        settings=lambda: settings().service.cache,
        active=active,
        clock=parts.clock,
    )
    diary = Diary(parts.clock)
    watchdog = Watchdog(
        SystemSampler((service.state_dir, service.cache_dir, service.publish_dir)),
        parts.gate,
        parts.events,
        lambda: settings().service.watchdog,
        diary=diary,
        disk=DiskGuard(
            parts.gate,
            lambda: settings().service.watchdog,
            diary,
            make_room=SpaceMaker(retention, cleaner, *caches, active=active).make_room,
            tell=parts.tree.hold,
        ),
    )
    return Upkeep(retention, cleaner, watchdog)
