"""One run from its first file to its last frame: fetches ahead, draws what is ready, publishes.

The decisions are plan/schedule.py's; this carries them out. A run that was interrupted is simply
started again: what is online is not drawn again, what was downloaded is found in the cache.
"""

import asyncio
import time
from collections.abc import Callable
from datetime import datetime

import structlog

from twf_async.errors import TwfError
from twf_async.pipeline.course import Course
from twf_async.pipeline.drawing import DiskFull, HourDrawing
from twf_async.pipeline.ending import closed
from twf_async.pipeline.fetching import HourFetching
from twf_async.pipeline.frames import RunFrames
from twf_async.pipeline.freshness import RunFreshness
from twf_async.pipeline.mistrust import Mistrust
from twf_async.pipeline.opening import plan_run
from twf_async.pipeline.ports import Workshop
from twf_async.pipeline.report import RunCount, RunReport, RunRequest
from twf_async.pipeline.rerun import Redoing
from twf_async.pipeline.tasks import RunTasks
from twf_async.plan import etas, readiness, schedule
from twf_async.plan.boxes import union
from twf_async.plan.progress import Drawable, FileState, RunProgress
from twf_async.publish.events import RUN_STARTED

FETCHES_AT_ONCE = 2
JOBS_AT_ONCE = 8  # handed to the farm, which has fewer slots; keeps its queue fair to other runs
NO_ROOM_PAUSE_S = 30.0  # until an hour that found the disk full is drawn again


class RunStuck(TwfError):
    """Frames are left to draw and nothing can bring them: a fault in the plan."""


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
        """looks: requests that finding the run has cost; its hours are to make them good.

        watched_since  its hours have been looked out for since then; None: nobody waits for them
        """
        self.request = request
        self.superseded = False
        self._abandoned = False
        self._shop = shop
        self._on_progress = on_progress
        self._settings = shop.settings()
        self._plan = plan_run(self._settings, request, fetches_at_once=FETCHES_AT_ONCE)
        self._course = Course(RunProgress(self._plan.policy, {}, {}, requests=looks))
        self._rechecked = not request.wait
        self._tasks = RunTasks(f"{request.model}.{request.cycle}")
        self._draining = False
        self._job_places = asyncio.Semaphore(JOBS_AT_ONCE)
        freshness = RunFreshness(
            request.model, request.cycle, shop.clock, since=watched_since, fresh=shop.fresh
        )
        self._frames = RunFrames(
            request.model,
            request.cycle,
            tree=shop.tree,
            ledger=shop.ledger,
            events=shop.events,
            clock=shop.clock,
            freshness=freshness,
            styles=self._plan.styles,
        )
        self._drawing = HourDrawing(request.cycle, self._plan, self._settings, shop, self._frames)
        self._fetching = HourFetching(request.cycle, self._plan, self._course, shop, self._frames)
        self._mistrust = Mistrust(
            request.cycle, self._plan, self._course, shop, self._fetching, self._frames
        )
        self._redoing = Redoing(
            request.cycle, self._plan, self._course, shop, self._fetching, self._frames, self._cut
        )
        self._log = structlog.get_logger(component="pipeline").bind(
            model=request.model, cycle=request.cycle
        )

    @property
    def count(self) -> RunCount:
        """How far the run is."""
        return self._frames.count

    @property
    def progress(self) -> RunProgress:
        """Where its files and products are; for the status page."""
        return self._course.progress

    @property
    def etas(self) -> dict[int, datetime]:
        """When its pending hours are expected."""
        return etas.etas(self.progress, self._shop.clock.now())

    def supersede(self) -> None:
        """A newer run has data. By the second one at the latest this one waits no more."""
        if self.superseded or self._plan.model.when_superseded == "abandon":
            self._abandoned = True
            self._abandon()
        self.superseded = True
        self._tasks.wake()

    def drain(self) -> None:
        """Start nothing more; `run` returns when what workers have is published.

        Jobs that only wait for a worker are dropped: whoever goes on with the run plans them anew.
        """
        self._draining = True
        self._tasks.drop_others()

    async def run(self) -> RunReport:
        """Work until every frame is settled, or drained; cancelling loses what is in flight."""
        began = time.monotonic()
        await self._shop.before_run(self.request.model, self.request.cycle)
        await self._open()
        try:
            await self._work()
            if not self._rechecked and self.progress.finished and not self._draining:
                self._rechecked = True
                await self._redoing.recheck()
                await self._work()
            if self.progress.finished:
                await self._redoing.settled()
            while self._tasks.binding:
                await self._pause()
        finally:
            await self._tasks.stop()
        return await self._close(time.monotonic() - began)

    async def _work(self) -> None:
        """Until every frame is settled, or drained."""
        while not self._draining:
            await self._mistrust.settle()
            if self.progress.finished and not self._mistrust.pending:
                break
            if self._fetching.suspicious and not self._tasks:
                await self._redoing.recheck()
            if self._draining:  # meanwhile
                break
            self._draw_what_is_ready()
            self._fetch_what_is_due()
            self._tell()
            await self._pause()

    async def _open(self) -> None:
        plan, shop, request = self._plan, self._shop, self.request
        try:
            await shop.tree.open_run(
                request.model,
                request.cycle,
                hours=plan.hours,
                regions=[region.key for region in plan.regions],
                products=plan.products,
                notice=self._settings.service.notice,
                whole=request.is_whole,
            )
        except OSError as error:  # the tree writes the manifest once the disk takes it
            self._log.error("pipeline.publish_failed", reason=str(error))
        await shop.ledger.run_started(request.model, request.cycle)
        self._frames.expect(plan.orders, tuple(region.key for region in plan.regions))
        await self._frames.announce_old()
        waiting = self._frames.waiting(plan.orders)
        await self._fetching.open()
        files = {hour: FileState() for hour in self._fetching.want(waiting)}
        self._course.progress = RunProgress(
            plan.policy,
            waiting,
            files,
            progressed_at=self._fetching.timing.progressed_at,
            requests=self.progress.requests,
        )
        await self._redoing.resume()
        if self.progress.files:
            await self._cut()
            self._fetching.expect()
        if self._abandoned:
            self._abandon()
        shop.events.emit(RUN_STARTED, {"model": request.model, "cycle": request.cycle})
        count = self.count
        self._log.info(
            "pipeline.run_started",
            hours=len(plan.hours),
            files=len(files),
            frames=count.expected,
            published=count.published,
        )

    async def _cut(self) -> None:
        """Find out which box all regions lie in, before anything is fetched."""
        if not self._fetching.is_cut:
            self._fetching.cut_to(union(view.box for view in await self._drawing.views()))

    async def _close(self, took_s: float) -> RunReport:
        self._tell()
        return await closed(
            self.request, self._shop, self._frames, finished=self.progress.finished, took_s=took_s
        )

    def _draw_what_is_ready(self) -> None:
        for drawable in readiness.to_draw(self.progress):
            self._course.progress = readiness.handed_out(self.progress, drawable)
            self._tasks.spawn(self._draw(drawable), f"draw:{drawable.hour}")

    def _fetch_what_is_due(self) -> None:
        for hour in schedule.to_fetch(self.progress, self._shop.clock.now()):
            self._course.progress = schedule.fetching(self.progress, hour)
            self._tasks.spawn(self._fetching.fetch(hour), f"fetch:{hour}")

    def _abandon(self) -> None:
        files = self.progress.files
        self._course.progress = schedule.abandoned(self.progress, self._shop.clock.now())
        gone = [h for h, state in self.progress.files.items() if state.gone and not files[h].gone]
        if gone:
            self._tasks.spawn(self._fetching.note_given_up(gone), "note")

    async def _pause(self) -> None:
        """Sleep until a task ends, someone wakes us, or the next look is due."""
        delay_s: float | None = None
        if not self._draining:
            now = self._shop.clock.now()
            look = schedule.next_look(self.progress, now)
            if look is not None:
                delay_s = self._shop.clock.real_seconds((look - now).total_seconds())
            elif not self._tasks and not self._tasks.woken:
                raise RunStuck(f"{self.request.model} {self.request.cycle} cannot go on")
        await self._tasks.sleep(delay_s)

    async def _draw(self, drawable: Drawable) -> None:
        await self._frames.fail(drawable)
        while drawable.orders and not await self._has_drawn(drawable):
            self._tasks.unbind()
            await asyncio.sleep(self._shop.clock.real_seconds(NO_ROOM_PAUSE_S))

    async def _has_drawn(self, drawable: Drawable) -> bool:
        """Draw and publish; False where the disk is full."""
        by_hand = self._shop.gate.is_paused_by_hand
        async with self._job_places, self._shop.gate.passage():
            if by_hand:
                self._frames.freshness.interrupted()
            taken = dict(self._fetching.taken)
            try:
                spoilt = await self._drawing.draw(
                    drawable, self._fetching.paths, begun=self._tasks.bind
                )
            except DiskFull:
                return False
        self._course.progress = readiness.drawn(self.progress, drawable)
        if spoilt is not None:
            self._mistrust.note(spoilt, taken)
        else:
            await self._redoing.settled()
        return True

    def _tell(self) -> None:
        if self._on_progress is not None:
            self._on_progress(self.count)
