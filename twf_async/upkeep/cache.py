"""Cleans the cache of downloads and of what workers keep of a run: what is too old goes, then the
oldest until it is small enough.
"""

import asyncio
import time
from collections.abc import Callable, Iterable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from pathlib import Path

import structlog

from twf_async.clock import Clock
from twf_async.settings.service import CacheSettings

GB = 1 << 30


@dataclass(frozen=True, slots=True)
class CachedFile:
    """A file of the cache. age_s by its last change; active: of a run being worked on."""

    path: Path
    bytes: int
    age_s: float
    active: bool


def files_to_delete(
    files: Sequence[CachedFile], *, max_age_s: float, max_bytes: float
) -> tuple[CachedFile, ...]:
    """What goes, oldest first; files of active runs never. Pure."""
    oldest_first = sorted((f for f in files if not f.active), key=lambda f: -f.age_s)
    excess = sum(file.bytes for file in files) - max_bytes
    going: list[CachedFile] = []
    for file in oldest_first:
        if file.age_s <= max_age_s and excess <= 0:
            break
        going.append(file)
        excess -= file.bytes
    return tuple(going)


def find_files(
    root: Path, *, active: Iterable[tuple[str, str]], now_s: float
) -> tuple[CachedFile, ...]:
    """Everything below *root*. A file is of a run whose model and cycle are in its path."""
    runs = tuple(active)
    found = []
    for path in root.rglob("*") if root.is_dir() else ():
        try:
            stat = path.lstat()
        except FileNotFoundError:
            continue
        if path.is_dir():
            continue
        inside = path.relative_to(root).as_posix()
        busy = any(model in inside and cycle in inside for model, cycle in runs)
        found.append(CachedFile(path, stat.st_size, now_s - stat.st_mtime, busy))
    return tuple(found)


class CacheCleaner:
    """Cleans *roots* now and then, within one bound. Nothing may lie there that cannot go."""

    task: asyncio.Task[None]

    def __init__(
        self,
        *roots: Path,
        settings: Callable[[], CacheSettings],
        active: Callable[[], AbstractSet[tuple[str, str]]],
        clock: Clock,
        every_s: float = 600.0,
    ) -> None:
        self._roots, self._settings, self._active = roots, settings, active
        self._clock, self._every_s = clock, every_s
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
        freed, count = await asyncio.to_thread(self._clean, frozenset(self._active()))
        if count:
            self._log.info("cache.cleaned", files=count, bytes=freed)
        return freed

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(self._every_s)
            await self.clean()

    def _clean(self, active: frozenset[tuple[str, str]]) -> tuple[int, int]:
        settings = self._settings()
        now_s = time.time()  # as files' times are
        files = [f for root in self._roots for f in find_files(root, active=active, now_s=now_s)]
        going = files_to_delete(
            files,
            max_age_s=self._clock.real_seconds(settings.max_age_hours * 3600),
            max_bytes=settings.max_gb * GB,
        )
        for file in going:
            file.path.unlink(missing_ok=True)
        for parent in sorted({file.path.parent for file in going}, reverse=True):
            _remove_if_empty(parent, self._roots)
        return sum(file.bytes for file in going), len(going)


def _remove_if_empty(directory: Path, roots: Sequence[Path]) -> None:
    while directory not in roots:
        try:
            directory.rmdir()
        except OSError:  # not empty
            return
        directory = directory.parent
