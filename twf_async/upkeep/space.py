"""Makes room on a disk that runs full: what is too old first, then downloads, oldest first."""

import asyncio
import shutil
import time
from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from pathlib import Path

import structlog

from twf_async.upkeep.cache import CacheCleaner
from twf_async.upkeep.cached_files import delete_files, files_to_delete, find_files
from twf_async.upkeep.retention import Retention


class SpaceMaker:
    """Deletes what can be had again, in the order in which it would be missed least.

    Runs beyond the number to keep and what the cache need not hold would have gone sooner or
    later. Then downloads that are still good: fetched again at need, but not of runs being worked
    on, which would only fetch them at once; and only where the cache lies on a disk that lacks
    room, for downloads deleted elsewhere are lost for nothing. At last runs that the next one would
    push out: while downloads are held no next one is found, and it would stay so for ever.
    """

    def __init__(
        self,
        retention: Retention,
        cleaner: CacheCleaner,
        *cache_roots: Path,
        maps: Path,
        active: Callable[[], AbstractSet[tuple[str, str]]],
        free_bytes: Callable[[Path], float] = lambda path: shutil.disk_usage(path).free,
    ) -> None:
        """Where things lie.

        maps         the published tree
        free_bytes   of the disk that a path is on
        """
        self._retention, self._cleaner = retention, cleaner
        self._maps = maps
        self._roots, self._active = cache_roots, active
        self._free_bytes = free_bytes
        self._log = structlog.get_logger(component="cache")

    async def make_room(self, wanted: Mapping[str, float]) -> int:
        """Delete until there is room, or nothing is left to delete; bytes deleted.

        wanted   bytes that are to be free where each of these directories lies
        """
        freed = await self._retention.sweep() + await self._cleaner.clean()
        active = frozenset(self._active())
        for root in self._roots if wanted.get("cache_dir") else ():
            freed += await asyncio.to_thread(self._sacrifice, root, wanted["cache_dir"], active)
        if "publish_dir" in wanted and await asyncio.to_thread(self._lacks, wanted["publish_dir"]):
            freed += await self._retention.sweep(early=True)
        return freed

    def _lacks(self, wanted_bytes: float) -> bool:
        """Whether there is still no room for maps; of too many files there always are."""
        return not wanted_bytes or self._free_bytes(self._maps) < wanted_bytes

    def _sacrifice(
        self, root: Path, wanted_bytes: float, active: frozenset[tuple[str, str]]
    ) -> int:
        """Delete downloads of *root* that are still good, as far as its disk lacks room."""
        if not root.is_dir():
            return 0
        lacking = wanted_bytes - self._free_bytes(root)
        if lacking <= 0:
            return 0
        files = find_files(root, active=active, now_s=time.time())  # as files' times are
        bound = max(0.0, sum(file.bytes for file in files) - lacking)
        gone, fault = delete_files(files_to_delete(files, max_age_s=float("inf"), max_bytes=bound))
        size = sum(file.bytes for file in gone)
        if gone:
            self._log.warning("cache.sacrificed", files=len(gone), bytes=size)
        if fault:
            self._log.warning("cache.not_cleaned", reason=fault)
        return size
