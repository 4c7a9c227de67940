"""The published tree: what the web serves, and the only place where frames come online.

    root/maps/{model}/{cycle}/{region}/{product}/f006.png and f006.vgrid
    root/maps/{model}/{cycle}/manifest.json, and pin.json where the run is to be kept
    root/maps/{model}/evicted.json      runs that were online once
    root/.staging/...          frames that a worker is writing, and runs being deleted

A frame is published when the manifest on disk says so. Readers in this process see exactly what
was last written. Changes of state are written together, at most once in `write_every_s`;
publishing is written at once. One writer per run at a time; disk work happens in threads.

The tree is what a start opens and a stop closes. What happens to a run in between lies below it, in
the order of its life: `filling`, `keeping`, `removing`, on `reading` and `writing`.
"""

import asyncio
from pathlib import Path

from twf_async.clock import Clock
from twf_async.errors import TwfError
from twf_async.publish.document import RunDocument
from twf_async.publish.durable import flush_directories, make_directory
from twf_async.publish.lock import TreeLock
from twf_async.publish.reading import RunOnDisk
from twf_async.publish.recovery import clear_staging, load_runs, read_runs
from twf_async.publish.removing import RemovedRuns


class SplitTree(TwfError):
    """Parts of the tree lie on file systems of their own."""


class PublishedTree(RemovedRuns):
    """Opens, fills, shows and deletes runs below *root*."""

    task: asyncio.Task[None]

    def __init__(
        self, root: Path, *, clock: Clock | None = None, write_every_s: float = 1.0
    ) -> None:
        super().__init__(root, clock=clock or Clock(), write_every_s=write_every_s)
        self._lock = TreeLock(root / ".lock")

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
