"""The manifests on disk: written whole, one at a time, and seen by readers once they are there.

Changes of state are written together, at most once in `write_every_s`. Disk work happens in
threads, and is finished even if whoever asked for it is cancelled.
"""

import asyncio
from collections.abc import Coroutine
from pathlib import Path
from typing import TypeVar
from weakref import WeakValueDictionary

import structlog

from twf_async.clock import Clock
from twf_async.publish.moves import replace_manifest
from twf_async.publish.reading import PublishedRuns, RunOnDisk

T = TypeVar("T")
RETRY_LIMIT_S = 30.0  # between attempts to write a manifest that the disk refuses


class WrittenRuns(PublishedRuns):
    """Keeps the manifests below *root* up to date with what is known of the runs."""

    def __init__(self, root: Path, *, clock: Clock, write_every_s: float) -> None:
        super().__init__(root)
        self._clock = clock
        self._write_every_s = write_every_s
        # Of what is being written; a lock that nobody holds or waits for is forgotten.
        self._locks: WeakValueDictionary[tuple[str, str], asyncio.Lock] = WeakValueDictionary()
        self._dirty: set[tuple[str, str]] = set()
        self._under_way: set[tuple[str, str]] = set()  # not dirty any more, nor on disk yet
        self._changed = asyncio.Event()
        self._writes: set[asyncio.Task[object]] = set()
        self._log = structlog.get_logger(component="publish")

    def _writing(self, model: str, what: str) -> asyncio.Lock:
        """One writer at a time: of a run, or of another file of a model."""
        return self._locks.setdefault((model, what), asyncio.Lock())

    async def flush(self) -> None:
        """Return once all that was noted before is on disk; what comes meanwhile waits."""
        for name in self._dirty | self._under_way:
            run = self._runs.get(name)
            if run is None:  # deleted while another was being written
                self._dirty.discard(name)
            else:
                await self._uninterrupted(self._write_changed(run))

    def _note_change(self, name: tuple[str, str]) -> None:
        self._dirty.add(name)
        self._changed.set()

    async def _write_changes(self) -> None:
        wait_s = self._write_every_s
        while True:
            await self._changed.wait()
            await asyncio.sleep(wait_s)
            self._changed.clear()
            try:
                await self.flush()
            except OSError as error:  # a full disk: publishing says so too, and states can wait
                self._log.warning("publish.write_failed", reason=str(error))
                wait_s = max(self._write_every_s, min(2 * wait_s, RETRY_LIMIT_S))
            else:
                wait_s = self._write_every_s

    async def _uninterrupted(self, work: Coroutine[None, None, T]) -> T:
        """Finish *work* even if the caller is cancelled: its thread would go on anyway."""
        task = asyncio.create_task(work, name="publish-write")
        self._writes.add(task)
        task.add_done_callback(self._writes.discard)
        return await asyncio.shield(task)

    async def _write(self, run: RunOnDisk) -> None:
        """Replace the manifest on disk, then let readers see it."""
        async with self._writing(run.document.model, run.document.cycle):
            await self._write_locked(run)

    async def _write_changed(self, run: RunOnDisk) -> None:
        """As `_write`, unless somebody else has just written it."""
        name = (run.document.model, run.document.cycle)
        async with self._writing(*name):
            if name in self._dirty:
                await self._write_locked(run)

    async def _write_locked(self, run: RunOnDisk) -> None:
        document = run.document
        name = (document.model, document.cycle)
        self._dirty.discard(name)
        if self._runs.get(name) is not run:
            return  # deleted meanwhile
        document.updated_at = self._clock.now()
        text, published = document.to_json(), set(document.online)
        self._under_way.add(name)
        try:
            await asyncio.to_thread(replace_manifest, self.manifest_path(*name), text)
        except OSError:
            self._note_change(name)
            raise
        finally:
            self._under_way.discard(name)
        run.text, run.published = text, published
