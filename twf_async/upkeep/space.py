"""Makes room on a disk that runs full: what is too old first, then downloads, oldest first."""

import asyncio
import time
from collections.abc import Callable
from collections.abc import Set as AbstractSet
from pathlib import Path

import structlog

from twf_async.upkeep.cache import CacheCleaner, files_to_delete, find_files
from twf_async.upkeep.retention import Retention


class SpaceMaker:
    """Deletes what can be had again, in the order in which it would be missed least.

    Runs beyond the number to keep and what the cache need not hold would have gone sooner or
    later. Then downloads that are still good: fetched again at need, but not of runs being worked
    on, which would only fetch them at once.
    """

    def __init__(
        self,
        retention: Retention,
        cleaner: CacheCleaner,
        *cache_roots: Path,
        active: Callable[[], AbstractSet[tuple[str, str]]],
    ) -> None:
        self._retention, self._cleaner = retention, cleaner
        self._roots, self._active = cache_roots, active
        self._log = structlog.get_logger(component="cache")

    async def make_room(self, wanted_bytes: float) -> int:
        """Delete until *wanted_bytes* are free besides, or nothing is left to delete."""
        freed = await self._retention.sweep() + await self._cleaner.clean()
        if freed < wanted_bytes:
            active = frozenset(self._active())
            count, size = await asyncio.to_thread(self._delete, wanted_bytes - freed, active)
            if count:
                self._log.warning("cache.sacrificed", files=count, bytes=size)
            freed += size
        return freed

    def _delete(self, wanted_bytes: float, active: frozenset[tuple[str, str]]) -> tuple[int, int]:
        now_s = time.time()  # as files' times are
        files = [f for root in self._roots for f in find_files(root, active=active, now_s=now_s)]
        bound = max(0.0, sum(file.bytes for file in files) - wanted_bytes)
        going = files_to_delete(files, max_age_s=float("inf"), max_bytes=bound)
        for file in going:
            file.delete()
        return len(going), sum(file.bytes for file in going)
