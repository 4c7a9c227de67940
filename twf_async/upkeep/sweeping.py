"""Cleaning when an operator asks for it: what is kept for nothing, and how much that is."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import structlog

from twf_async.publish.reading import PublishedRuns
from twf_async.upkeep.cache import CacheCleaner
from twf_async.upkeep.leftovers import Leftover
from twf_async.upkeep.retention import Retention


@dataclass(frozen=True, slots=True)
class Sweep:
    """What went, or would go.

    runs        (model, cycle, bytes) of runs beyond the number to keep
    downloads   files of the cache, and their bytes
    leftovers   of processes that are dead, and their bytes
    """

    runs: tuple[tuple[str, str, int], ...] = ()
    downloads: int = 0
    download_bytes: int = 0
    leftovers: tuple[Leftover, ...] = field(default=())

    @property
    def bytes(self) -> int:
        """All of it."""
        return (
            sum(size for _, _, size in self.runs)
            + self.download_bytes
            + sum(left.bytes for left in self.leftovers)
        )

    def document(self) -> dict[str, Any]:
        """JSON-ready."""
        return {
            "runs": [
                {"model": model, "cycle": cycle, "bytes": size} for model, cycle, size in self.runs
            ],
            "downloads": {"files": self.downloads, "bytes": self.download_bytes},
            "leftovers": {
                "files": len(self.leftovers),
                "bytes": sum(left.bytes for left in self.leftovers),
            },
            "bytes": self.bytes,
        }


class Sweeper:
    """Does at once what retention and the cleaning of the cache do in time."""

    def __init__(
        self,
        runs: PublishedRuns,
        retention: Retention,
        cleaner: CacheCleaner,
        leftovers: Callable[[], tuple[Leftover, ...]],
    ) -> None:
        """*leftovers*: finds what dead processes left; may block."""
        self._runs = runs
        self._retention, self._cleaner, self._leftovers = retention, cleaner, leftovers
        self._log = structlog.get_logger(component="sweeper")

    async def leftovers(self) -> tuple[Leftover, ...]:
        """What dead processes left."""
        return await asyncio.to_thread(self._leftovers)

    async def due(self, *, left: tuple[Leftover, ...] = ()) -> Sweep:
        """What would go; nothing is touched. *left*: leftovers that were found before."""
        leftovers = tuple(dict.fromkeys((*left, *await self.leftovers())))
        counted = {left.path for left in leftovers}
        downloads = [file for file in await self._cleaner.due() if file.path not in counted]
        return Sweep(
            tuple(
                (model, cycle, self._runs.run_bytes(model, cycle))
                for model in self._runs.models()
                for cycle in self._retention.due(model)
            ),
            len(downloads),
            sum(file.bytes for file in downloads),
            leftovers,
        )

    async def sweep(self, *, left: tuple[Leftover, ...] = ()) -> Sweep:
        """Delete what is due. *left*: as for `due`."""
        due = await self.due(left=left)
        for leftover in due.leftovers:
            await asyncio.to_thread(leftover.delete)
        await self._retention.sweep()
        await self._cleaner.clean()
        self._log.info(
            "sweeper.swept",
            runs=len(due.runs),
            files=due.downloads,
            leftovers=len(due.leftovers),
            bytes=due.bytes,
        )
        return due
