"""The published tree: what the web serves, and the only place where frames come online.

    root/maps/{model}/{cycle}/{region}/{product}/f006.png and f006.vgrid
    root/maps/{model}/{cycle}/manifest.json
    root/.staging/...          frames that a worker is writing, and runs being deleted

A frame is published when the manifest on disk says so. Readers in this process see exactly what
was last written. Changes of state are written together, at most once in `write_every_s`;
publishing is written at once. One writer per run at a time; disk work happens in threads.
"""

import asyncio
import itertools
import os
import shutil
from collections import defaultdict
from collections.abc import Coroutine, Iterable
from pathlib import Path
from typing import TypeVar

import structlog

from render_farm.domain.jobs import Frame, HourRendered
from twf_async.clock import Clock
from twf_async.publish.document import FrameChange, RunDocument
from twf_async.publish.durable import flush_directories, make_directory
from twf_async.publish.lock import TreeLock
from twf_async.publish.manifest import RunState, hour_name
from twf_async.publish.moves import bury, move_frames, replace_manifest
from twf_async.publish.reading import PublishedRuns, RunOnDisk
from twf_async.publish.recovery import clear_staging, load_runs

T = TypeVar("T")
RETRY_LIMIT_S = 30.0  # between attempts to write a manifest that the disk refuses


class PublishedTree(PublishedRuns):
    """Opens, fills, shows and deletes runs below *root*."""

    task: asyncio.Task[None]

    def __init__(
        self, root: Path, *, clock: Clock | None = None, write_every_s: float = 1.0
    ) -> None:
        super().__init__(root)
        self.staging = root / ".staging"
        self._clock = clock or Clock()
        self._write_every_s = write_every_s
        self._locks: defaultdict[tuple[str, str], asyncio.Lock] = defaultdict(asyncio.Lock)
        self._dirty: set[tuple[str, str]] = set()
        self._changed = asyncio.Event()
        self._lock = TreeLock(root / ".lock")
        self._staged = itertools.count(1)
        self._writes: set[asyncio.Task[object]] = set()
        self._log = structlog.get_logger(component="publish")

    async def start(self) -> None:
        """Read every manifest, mend what a crash left, and clear the staging directory.

        raises  TreeInUse when another process has the tree open
        """
        await asyncio.to_thread(self._make_roots)
        self._lock.take()
        leftovers = await asyncio.to_thread(clear_staging, self.staging)
        for document in await asyncio.to_thread(load_runs, self.maps, self._clock.now()):
            run = RunOnDisk(document)
            _show(run, document.to_json())
            self._runs[document.model, document.cycle] = run
        self.task = asyncio.create_task(self._write_changes(), name="publish")
        self._log.info("publish.started", runs=len(self._runs), leftovers=leftovers)

    async def stop(self) -> None:
        """Write what is pending, end, and let another process have the tree."""
        if not self.task.done():
            self.task.cancel()
            await asyncio.wait({self.task, *self._writes})
            try:
                await self.flush()
            except OSError as error:
                self._log.warning("publish.write_failed", reason=str(error))
            self._log.info("publish.stopped")
        self._lock.release()

    async def open_run(
        self,
        model: str,
        cycle: str,
        *,
        hours: Iterable[int],
        regions: Iterable[str],
        products: Iterable[str],
        notice: str = "",
    ) -> None:
        """Expect these frames of a run; what is known of a run already there is kept."""
        run = self._runs.get((model, cycle))
        if run is None:
            now = self._clock.now()
            run = RunOnDisk(RunDocument(model, cycle, now, now))
        self._runs.setdefault((model, cycle), run)
        grown = run.document.extend(hours, regions, products)
        if grown or run.document.notice != notice or run.document.state is not RunState.RUNNING:
            run.document.notice = notice
            run.document.state = RunState.RUNNING
            await self._uninterrupted(self._write(run))

    def mark(self, model: str, cycle: str, changes: Iterable[FrameChange]) -> None:
        """Note new states of frames; shown within `write_every_s`. Published ones stay so."""
        run = self._run(model, cycle)
        if [change for change in changes if run.document.change(change)]:
            self._dirty.add((model, cycle))
            self._changed.set()

    async def finish_run(self, model: str, cycle: str, state: RunState) -> None:
        """Note that a run came to its end, complete or partial."""
        run = self._run(model, cycle)
        run.document.state = state
        await self._uninterrupted(self._write(run))

    async def new_staging(self, model: str, cycle: str, hour: int) -> Path:
        """A fresh empty directory on the tree's own file system for one job's frames."""
        name = f"{model}.{cycle}.{hour_name(hour)}.{os.getpid()}-{next(self._staged)}"
        path = self.staging / name
        await asyncio.to_thread(path.mkdir, parents=True)
        return path

    async def discard_staging(self, path: Path) -> None:
        """Remove a job's staging directory and whatever is still in it."""
        await asyncio.to_thread(shutil.rmtree, path, ignore_errors=True)

    async def publish(self, rendered: HourRendered) -> tuple[Frame, ...]:
        """Bring an hour's frames online and note its failures; returns the frames now online.

        Frames are renamed, their directories flushed, then the manifest is replaced: durable on
        return. A staged file that is gone fails its frame ("render error"), not the hour.
        """
        run = self._run(rendered.model, rendered.cycle)
        return await self._uninterrupted(self._publish(run, rendered))

    async def delete_run(self, model: str, cycle: str) -> bool:
        """Take a run offline in one step, then remove its files. False: there is no such run."""
        run = self._runs.pop((model, cycle), None)
        if run is None:
            return False
        self._dirty.discard((model, cycle))
        await self._uninterrupted(self._delete(model, cycle))
        return True

    async def flush(self) -> None:
        """Write every manifest that has unwritten changes."""
        while self._dirty:
            run = self._runs.get(self._dirty.pop())
            if run is not None:  # else deleted while it was being written
                await self._uninterrupted(self._write(run))

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

    async def _publish(self, run: RunOnDisk, rendered: HourRendered) -> tuple[Frame, ...]:
        name = (rendered.model, rendered.cycle)
        async with self._locks[name]:
            self._run(*name)  # deleted while this waited: its directory must not come back
            moved, lost = await asyncio.to_thread(move_frames, self.frame_path, rendered)
            for failure in (*rendered.failures, *lost):
                run.document.fail(failure, rendered.hour)
            now = self._clock.now()
            for frame in moved:
                run.document.publish(frame, rendered.hour, now)
            await self._write_locked(run)
        return moved

    async def _delete(self, model: str, cycle: str) -> None:
        async with self._locks[model, cycle]:
            grave = self.staging / f"deleted.{model}.{cycle}.{os.getpid()}-{next(self._staged)}"
            await asyncio.to_thread(bury, self.run_path(model, cycle), grave)

    async def _write(self, run: RunOnDisk) -> None:
        """Replace the manifest on disk, then let readers see it."""
        async with self._locks[run.document.model, run.document.cycle]:
            await self._write_locked(run)

    async def _write_locked(self, run: RunOnDisk) -> None:
        document = run.document
        name = (document.model, document.cycle)
        self._dirty.discard(name)
        if self._runs.get(name) is not run:
            return  # deleted meanwhile
        document.updated_at = self._clock.now()
        text, published = document.to_json(), set(document.online)
        try:
            await asyncio.to_thread(replace_manifest, self.manifest_path(*name), text)
        except OSError:
            self._dirty.add(name)
            self._changed.set()
            raise
        run.text, run.published, run.parsed = text, published, None

    def _make_roots(self) -> None:
        flush_directories(make_directory(self.maps) | make_directory(self.staging))


def _show(run: RunOnDisk, text: bytes) -> None:
    run.document.online = run.document.published()
    run.text, run.published = text, set(run.document.online)
