"""Cleans the cache of downloads and of what workers keep of a run: what is too old goes, then the
oldest until it is small enough.

Files of runs being worked on stay whatever their size: a job may be reading them, and a file that
is gone would only be fetched again. Where they alone are too much, the log says so.
"""

import asyncio
import time
from collections.abc import Callable
from collections.abc import Set as AbstractSet
from pathlib import Path
from typing import Any

import structlog

from twf_async.clock import Clock
from twf_async.pulse import Pulse
from twf_async.settings.service import CacheSettings
from twf_async.upkeep.cached_files import (
    CachedFile,
    delete_files,
    files_to_delete,
    find_files,
    remove_if_empty,
)

GB = 1 << 30


class CacheCleaner:
    """Cleans *roots* now and then, within one bound. Nothing may lie there that cannot go."""

    task: asyncio.Task[None]

    def __init__(
        self,
        *roots: Path,
        settings: Callable[[], CacheSettings],
        active: Callable[[], AbstractSet[tuple[str, str]]],
        clock: Clock,
        every_s: float = 60.0,
    ) -> None:
        self._roots, self._settings, self._active = roots, settings, active
        self._clock, self._every_s = clock, every_s
        self.pulse = Pulse("cache cleaner")
        self._files = self._bytes = 0  # as the last cleaning left them
        self._is_over = False
        self._fault = ""  # why the last cleaning could not delete something
        self._log = structlog.get_logger(component="cache")

    async def start(self) -> None:
        """Clean once, then at the interval."""
        await self.clean()
        self.task = asyncio.create_task(self._run(), name="cache-cleaner")

    async def stop(self) -> None:
        """End."""
        self.task.cancel()
        await asyncio.wait({self.task})

    async def clean(self) -> int:
        """Delete what is due; returns the bytes freed."""
        gone, kept, fault = await asyncio.to_thread(self._clean, frozenset(self._active()))
        freed = sum(file.bytes for file in gone)
        self._files, self._bytes = len(kept), sum(file.bytes for file in kept)
        if gone:
            self._log.info("cache.cleaned", files=len(gone), bytes=freed, kept_bytes=self._bytes)
        if fault and fault != self._fault:
            self._log.warning("cache.not_cleaned", reason=fault)
        self._fault = fault
        max_gb = self._settings().max_gb
        was_over, self._is_over = self._is_over, self._bytes > max_gb * GB
        if self._is_over and not was_over:
            kept_gb = round(self._bytes / GB, 2)
            self._log.warning("cache.overfull", kept_gb=kept_gb, max_gb=max_gb)
        return freed

    async def due(self) -> tuple[CachedFile, ...]:
        """What the next cleaning would delete."""
        going, _ = await asyncio.to_thread(self._due, frozenset(self._active()))
        return going

    def status(self) -> dict[str, Any]:
        """What was kept at the last cleaning, and the bounds, for status pages."""
        settings = self._settings()
        return {
            "files": self._files,
            "gb": round(self._bytes / GB, 3),
            "max_gb": settings.max_gb,
            "max_age_hours": settings.max_age_hours,
        }

    async def _run(self) -> None:
        while True:
            self.pulse.within(self._every_s)
            await asyncio.sleep(self._every_s)
            await self.clean()

    def _clean(
        self, active: frozenset[tuple[str, str]]
    ) -> tuple[tuple[CachedFile, ...], tuple[CachedFile, ...], str]:
        """What was deleted, what is left, and why not all went that was to go."""
        going, staying = self._due(active)
        gone, fault = delete_files(going)
        for parent in sorted({file.path.parent for file in gone}, reverse=True):
            remove_if_empty(parent, self._roots)
        stuck = set(going).difference(gone)
        return gone, (*staying, *stuck), fault

    def _due(
        self, active: frozenset[tuple[str, str]]
    ) -> tuple[tuple[CachedFile, ...], tuple[CachedFile, ...]]:
        """What is to be deleted, and what stays."""
        settings = self._settings()
        now_s = time.time()  # as files' times are
        files = [f for root in self._roots for f in find_files(root, active=active, now_s=now_s)]
        going = files_to_delete(
            files,
            max_age_s=self._clock.real_seconds(settings.max_age_hours * 3600),
            max_bytes=settings.max_gb * GB,
        )
        gone = frozenset(going)
        return going, tuple(file for file in files if file not in gone)
