"""The published tree: what the web serves, and the only place where frames come online.

    root/maps/{model}/{cycle}/{region}/{product}/f006.png and f006.vgrid
    root/maps/{model}/{cycle}/manifest.json, and pin.json where the run is to be kept
    root/maps/{model}/evicted.json      runs that were online once
    root/.staging/...          frames that a worker is writing, and runs being deleted

A frame is published when the manifest on disk says so. Readers in this process see exactly what
was last written. Changes of state are written together, at most once in `write_every_s`;
publishing is written at once. One writer per run at a time; disk work happens in threads.
"""

import asyncio
import os
import shutil
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path

from render_farm.domain.jobs import Frame, HourRendered
from twf_async.clock import Clock
from twf_async.errors import TwfError
from twf_async.publish.document import FrameChange, RunDocument
from twf_async.publish.durable import flush_directories, make_directory
from twf_async.publish.keeping import KeptRuns
from twf_async.publish.lock import TreeLock
from twf_async.publish.manifest import FrameName, RunState, hour_name
from twf_async.publish.moves import bury, move_frames
from twf_async.publish.reading import RunOnDisk
from twf_async.publish.recovery import clear_staging, load_runs, read_runs
from twf_async.publish.styling import forget_unplanned, of_old_style, restyle

Styles = Mapping[tuple[str, str], str]


class SplitTree(TwfError):
    """Parts of the tree lie on file systems of their own."""


class PublishedTree(KeptRuns):
    """Opens, fills, shows and deletes runs below *root*."""

    task: asyncio.Task[None]

    def __init__(
        self, root: Path, *, clock: Clock | None = None, write_every_s: float = 1.0
    ) -> None:
        super().__init__(root, clock=clock or Clock(), write_every_s=write_every_s)
        self.staging = root / ".staging"
        self._lock = TreeLock(root / ".lock")
        self._held = ""

    async def start(self) -> None:
        """Read every manifest, mend what a crash left, and clear the staging directory.

        What cannot be read or mended now stands in no way: a service whose disk is full must start,
        or it could not make room.

        raises  TreeInUse when another process has the tree open; SplitTree
        """
        await asyncio.to_thread(self._make_roots)
        self._lock.take()
        leftovers = await asyncio.to_thread(clear_staging, self.staging)
        runs, unwritten = await asyncio.to_thread(load_runs, self.maps, self._clock.now())
        for document in runs:
            self._runs[document.model, document.cycle] = _as_written(document)
        for document in unwritten:
            self._note_change((document.model, document.cycle))
        await asyncio.to_thread(self._recall, mend=True)
        self.task = asyncio.create_task(self._write_changes(), name="publish")
        self._log.info("publish.started", runs=len(self._runs), leftovers=leftovers)

    async def peek(self) -> None:
        """Read what is published and change nothing; then only what reads may be asked."""
        for document in await asyncio.to_thread(read_runs, self.maps):
            self._runs[document.model, document.cycle] = _as_written(document)
        await asyncio.to_thread(self._recall, mend=False)

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
        hours: Collection[int],
        regions: Collection[str],
        products: Collection[str],
        notice: str = "",
        whole: bool = False,
    ) -> None:
        """Expect these frames of a run; what is known of a run already there is kept.

        whole  they are all it is to have: others that are not online are expected no more
        """
        run = self._runs.get((model, cycle))
        if run is None:
            now = self._clock.now()
            run = RunOnDisk(RunDocument(model, cycle, now, now))
        self._runs.setdefault((model, cycle), run)
        run.opened += 1
        document = run.document
        told = (document.notice, document.held, document.state)
        document.notice, document.held, document.state = notice, self._held, RunState.RUNNING
        changed = document.extend(hours, regions, products)
        if whole:
            changed |= forget_unplanned(document, hours, regions, products)
        if changed or told != (notice, self._held, RunState.RUNNING):
            await self._uninterrupted(self._write(run))

    def mark(self, model: str, cycle: str, changes: Iterable[FrameChange]) -> None:
        """Note new states of frames; shown within `write_every_s`. Published ones stay so."""
        run = self._run(model, cycle)
        if [change for change in changes if run.document.change(change)]:
            self._note_change((model, cycle))

    def hold(self, reason: str) -> None:
        """Say in the manifests of runs that come in why nothing new does; "" when it does again."""
        self._held = reason
        for name, run in self._runs.items():
            if run.document.state is RunState.RUNNING and run.document.held != reason:
                run.document.held = reason
                self._note_change(name)

    def restyle(self, model: str, cycle: str, styles: Styles) -> frozenset[FrameName]:
        """Note which frames online would be drawn otherwise now, and return them.

        Shown within `write_every_s`, until they are published anew. See `styling.restyle`.
        """
        document = self._run(model, cycle).document
        if restyle(document, styles):
            self._note_change((model, cycle))
        return frozenset(name for name in of_old_style(document) if name[:2] in styles)

    async def finish_run(self, model: str, cycle: str, state: RunState) -> None:
        """Note that a run came to its end, complete or partial."""
        run = self._run(model, cycle)
        run.document.state, run.document.held = state, ""
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
        if not self._drop(model, cycle):
            return False
        await self._uninterrupted(self._delete(model, cycle))
        return True

    async def evict_run(self, model: str, cycle: str) -> int | None:
        """Take a run offline for good; returns the bytes of its frames.

        None: it has been pinned or begun anew meanwhile, or somebody else has taken it off.
        Remembered first, so that its frames are told from those that never were. A disk too full
        even for that takes the note once the run is gone.

        raises  OSError for files that cannot be removed; the run is offline all the same
        """
        run = self._runs.get((model, cycle))
        opened = 0 if run is None else run.opened
        return await self._uninterrupted(self._evict(model, cycle, opened))

    async def _publish(self, run: RunOnDisk, rendered: HourRendered) -> tuple[Frame, ...]:
        name = (rendered.model, rendered.cycle)
        async with self._writing(*name):
            self._run(*name)  # deleted while this waited: its directory must not come back
            moved, lost = await asyncio.to_thread(move_frames, self.frame_path, rendered)
            for failure in (*rendered.failures, *lost):
                run.document.fail(failure, rendered.hour)
            now = self._clock.now()
            for frame in moved:
                run.document.publish(frame, rendered.hour, now)
            await self._write_locked(run)
        return moved

    async def _evict(self, model: str, cycle: str, opened: int) -> int | None:
        async with self._writing(model, cycle):  # neither published into nor pinned meanwhile
            run = self._runs.get((model, cycle))
            if run is None or self.pin_of(model, cycle) is not None:
                return None
            remembered = await self._remember(model, cycle, run.document)
            # Who opens a run says so before he waits for the lock, and then relies on its being
            # there. The note is of no harm: a run that is here is not gone.
            if run.opened != opened:
                return None
            self._drop(model, cycle)
            try:
                await self._bury(model, cycle)
            finally:
                if not remembered:
                    await self._remember(model, cycle, run.document)
        return run.document.bytes()

    async def _delete(self, model: str, cycle: str) -> None:
        async with self._writing(model, cycle):
            await self._bury(model, cycle)

    async def _bury(self, model: str, cycle: str) -> None:
        grave = self.staging / f"deleted.{model}.{cycle}.{os.getpid()}-{next(self._staged)}"
        await asyncio.to_thread(bury, self.run_path(model, cycle), grave)

    def _drop(self, model: str, cycle: str) -> bool:
        """Take a run from readers' eyes; whether it was there."""
        name = (model, cycle)
        self._dirty.discard(name)
        self._pins.pop(name, None)
        return self._runs.pop(name, None) is not None

    def _make_roots(self) -> None:
        flush_directories(make_directory(self.maps) | make_directory(self.staging))
        if self.maps.stat().st_dev != self.staging.stat().st_dev:
            raise SplitTree(
                f"{self.maps} and {self.staging} lie on two file systems, so that no map could be"
                " moved into place; put the whole of publish_dir on one (TWF_PUBLISH_DIR)"
            )


def _as_written(document: RunDocument) -> RunOnDisk:
    """A run as a start finds it: what is known is what is on disk."""
    document.online = document.published()
    return RunOnDisk(document, document.to_json(), set(document.online))
