"""One run from its first file to its last frame.

A run that was interrupted is simply started again: what is online is not drawn again, what was
downloaded is found in the cache.
"""

import time
from collections.abc import Callable
from datetime import datetime

from twf_async.pipeline.beginning import begin
from twf_async.pipeline.ending import closed
from twf_async.pipeline.parts import put_together
from twf_async.pipeline.ports import Workshop
from twf_async.pipeline.report import RunCount, RunReport, RunRequest
from twf_async.pipeline.working import RunWork
from twf_async.plan import etas, schedule
from twf_async.plan.progress import RunProgress


class RunPipeline:
    """Works through one run; await `run()`, once. Raises BadInput for a request that cannot be."""

    def __init__(
        self,
        request: RunRequest,
        shop: Workshop,
        *,
        on_progress: Callable[[RunCount], None] | None = None,
        looks: int = 0,
        watched_since: datetime | None = None,
    ) -> None:
        """looks, watched_since: see `put_together`."""
        self.request = request
        self.superseded = False
        self._abandoned = False
        self._shop = shop
        self._on_progress = on_progress
        self._parts = put_together(request, shop, looks=looks, watched_since=watched_since)
        self._work = RunWork(self._parts, self._tell)

    @property
    def count(self) -> RunCount:
        """How far the run is."""
        return self._parts.frames.count

    @property
    def progress(self) -> RunProgress:
        """Where its files and products are; for the status page."""
        return self._parts.course.progress

    @property
    def no_room(self) -> str:
        """Why the disk takes no frames, as long as it does not."""
        return self._work.no_room

    @property
    def etas(self) -> dict[int, datetime]:
        """When its pending hours are expected."""
        return etas.etas(self.progress, self._shop.clock.now())

    def supersede(self) -> None:
        """A newer run has data. By the second one at the latest this one waits no more."""
        if self.superseded or self._parts.plan.model.when_superseded == "abandon":
            self._abandoned = True
            self._abandon()
        self.superseded = True
        self._parts.tasks.wake()

    def drain(self) -> None:
        """Start nothing more; `run` returns when what workers have is published.

        Jobs that only wait for a worker are dropped: whoever goes on with the run plans them anew.
        """
        self._work.drain()

    async def run(self) -> RunReport:
        """Work until every frame is settled, or drained; cancelling loses what is in flight."""
        began = time.monotonic()
        work, redoing = self._work, self._parts.redoing
        await self._shop.before_run(self.request.model, self.request.cycle)
        await begin(self._parts)
        try:
            if self._abandoned:  # meanwhile
                self._abandon()
            await work.go_on()
            if self.request.wait and self.progress.finished and not work.draining:
                await redoing.recheck()
                await work.go_on()
            if self.progress.finished:
                await redoing.settled()
            await work.finish()
        finally:
            await self._parts.tasks.stop()
        self._tell()
        took_s, finished = time.monotonic() - began, self.progress.finished
        frames = self._parts.frames
        return await closed(self.request, self._shop, frames, finished=finished, took_s=took_s)

    def _abandon(self) -> None:
        course, files = self._parts.course, self.progress.files
        course.progress = schedule.abandoned(self.progress, self._shop.clock.now())
        gone = {h: s for h, s in self.progress.files.items() if s.gone and not files[h].gone}
        if gone:
            self._parts.tasks.spawn(self._parts.setbacks.note_given_up(gone), "note")

    def _tell(self) -> None:
        if self._on_progress is not None:
            self._on_progress(self.count)
