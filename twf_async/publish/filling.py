"""Runs as they come in: what is expected of one, how far it is, and frames that come online.

A frame is published when the manifest on disk says so. Changes of state are noted, and shown with
the next manifest; publishing is written at once.
"""

import asyncio
import itertools
import os
import shutil
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path

from render_farm.domain.jobs import Frame, HourRendered
from twf_async.clock import Clock
from twf_async.publish.document import FrameChange, RunDocument
from twf_async.publish.manifest import FrameName, RunState, hour_name
from twf_async.publish.moves import move_frames
from twf_async.publish.reading import RunOnDisk
from twf_async.publish.styling import forget_unplanned, of_old_style, restyle
from twf_async.publish.writing import WrittenRuns

Styles = Mapping[tuple[str, str], str]


class FilledRuns(WrittenRuns):
    """Opens runs, and fills them with the frames that workers leave in the staging directory."""

    def __init__(self, root: Path, *, clock: Clock, write_every_s: float) -> None:
        super().__init__(root, clock=clock, write_every_s=write_every_s)
        self.staging = root / ".staging"
        self._staged = itertools.count(1)  # no two directories in it have one name
        self._held = ""

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
