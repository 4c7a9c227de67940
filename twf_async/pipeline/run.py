"""One run from its first file to its last frame: fetches ahead, draws what is ready, publishes.

The decisions are plan/schedule.py's; this carries them out. A run that was interrupted is simply
started again: what is online is not drawn again, what was downloaded is found in the cache.
"""

import asyncio
import contextlib
import time
from collections.abc import Callable, Coroutine

import structlog

from render_farm.domain.fields import MessageKey
from render_farm.domain.places import Box
from twf_async.errors import FetchError, TwfError
from twf_async.fetch.errors import NotYetPublished
from twf_async.fetch.fetched import HourFetched, HourWanted
from twf_async.pipeline.drawing import HourDrawing
from twf_async.pipeline.entries import fetched_entry, given_up_entry
from twf_async.pipeline.frames import RunFrames
from twf_async.pipeline.opening import files_wanted, plan_run
from twf_async.pipeline.ports import Workshop
from twf_async.pipeline.report import RunCount, RunReport, RunRequest
from twf_async.plan import readiness, schedule
from twf_async.plan.boxes import union
from twf_async.plan.progress import Drawable, FileState, FileStatus, RunProgress
from twf_async.publish.events import RUN_COMPLETE, RUN_STARTED
from twf_async.publish.manifest import FrameState, RunState

FETCHES_AT_ONCE = 2
JOBS_AT_ONCE = 8  # handed to the farm, which has fewer slots; keeps its queue fair to other runs


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
    ) -> None:
        self.request = request
        self.superseded = False
        self._shop = shop
        self._on_progress = on_progress
        self._settings = shop.settings()
        self._plan = plan_run(self._settings, request, fetches_at_once=FETCHES_AT_ONCE)
        self._progress = RunProgress(self._plan.policy, {}, {})
        self._wanted: dict[int, frozenset[MessageKey]] = {}
        self._paths: dict[int, dict[MessageKey, str]] = {}
        self._box: Box | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._draws: set[asyncio.Task[None]] = set()
        self._ended: set[asyncio.Task[None]] = set()
        self._wake = asyncio.Event()
        self._draining = False
        self._job_places = asyncio.Semaphore(JOBS_AT_ONCE)
        self._frames = RunFrames(
            request.model,
            request.cycle,
            tree=shop.tree,
            ledger=shop.ledger,
            events=shop.events,
            clock=shop.clock,
        )
        self._drawing = HourDrawing(request.cycle, self._plan, self._settings, shop, self._frames)
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
        return self._progress

    def supersede(self) -> None:
        """A newer run has data: stop waiting for hours that are not there yet."""
        self.superseded = True
        self._progress = schedule.superseded(self._progress, self._shop.clock.now())
        self._wake.set()

    def drain(self) -> None:
        """Start nothing more; `run` returns when the jobs in flight are published."""
        self._draining = True
        for task in self._tasks - self._draws:
            task.cancel()
        self._wake.set()

    async def run(self) -> RunReport:
        """Work until every frame is settled, or drained; cancelling loses what is in flight."""
        began = time.monotonic()
        await self._shop.before_run(self.request.model, self.request.cycle)
        await self._open()
        try:
            while not self._progress.finished and not self._draining:
                self._draw_what_is_ready()
                self._fetch_what_is_due()
                self._tell()
                await self._pause()
            while self._draws:
                await self._pause()
        finally:
            for task in tuple(self._tasks):
                task.cancel()
            if self._tasks:
                await asyncio.wait(self._tasks)
        return await self._close(time.monotonic() - began)

    async def _open(self) -> None:
        plan, shop, request = self._plan, self._shop, self.request
        await shop.tree.open_run(
            request.model,
            request.cycle,
            hours=plan.hours,
            regions=[region.key for region in plan.regions],
            products=plan.products,
            notice=self._settings.service.notice,
        )
        await shop.ledger.run_started(request.model, request.cycle)
        self._frames.expect(plan.orders, tuple(region.key for region in plan.regions))
        waiting = self._frames.waiting(plan.orders)
        self._wanted = files_wanted(waiting)
        files = {hour: FileState() for hour in self._wanted}
        self._progress = RunProgress(plan.policy, waiting, files)
        if self.superseded:
            self.supersede()
        if files:
            self._box = union(view.box for view in await self._drawing.views())
        shop.events.emit(RUN_STARTED, {"model": request.model, "cycle": request.cycle})
        count = self.count
        self._log.info(
            "pipeline.run_started",
            hours=len(plan.hours),
            files=len(files),
            frames=count.expected,
            published=count.published,
        )

    async def _close(self, took_s: float) -> RunReport:
        self._tell()
        shop, request, count = self._shop, self.request, self.count
        missing = self._frames.missing
        state = RunState.PARTIAL if missing else RunState.COMPLETE
        if self._progress.finished:
            try:
                await shop.tree.finish_run(request.model, request.cycle, state)
            except OSError as error:
                self._log.error("pipeline.publish_failed", reason=str(error))
            await shop.ledger.run_ended(request.model, request.cycle, state.value)
            shop.events.emit(
                RUN_COMPLETE,
                {"model": request.model, "cycle": request.cycle, "state": state.value},
            )
        else:
            state = RunState.RUNNING
        self._log.info(
            "pipeline.run_ended",
            state=state.value,
            frames=count.expected,
            published=count.published,
            missing=len(missing),
            took_s=round(took_s, 2),
        )
        return RunReport(
            request.model,
            request.cycle,
            state,
            count.expected,
            count.published,
            self._frames.drawn,
            count.not_applicable,
            missing,
            took_s,
        )

    def _draw_what_is_ready(self) -> None:
        for drawable in readiness.to_draw(self._progress):
            self._progress = readiness.handed_out(self._progress, drawable)
            self._spawn(self._draw(drawable), f"draw:{drawable.hour}")

    def _fetch_what_is_due(self) -> None:
        for hour in schedule.to_fetch(self._progress, self._shop.clock.now()):
            self._progress = schedule.fetching(self._progress, hour)
            self._spawn(self._fetch(hour), f"fetch:{hour}")

    async def _pause(self) -> None:
        """Sleep until a task ends, someone wakes us, or the next look is due."""
        delay_s: float | None = None
        if not self._draining:
            now = self._shop.clock.now()
            look = schedule.next_look(self._progress, now)
            if look is not None:
                delay_s = self._shop.clock.real_seconds((look - now).total_seconds())
            elif not self._tasks and not self._wake.is_set():
                raise RunStuck(f"{self.request.model} {self.request.cycle} cannot go on")
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(delay_s):
                await self._wake.wait()
        self._wake.clear()
        for task in tuple(self._ended):
            self._ended.discard(task)
            if not task.cancelled():
                task.result()

    def _spawn(self, work: Coroutine[None, None, None], name: str) -> asyncio.Task[None]:
        request = self.request
        task = asyncio.create_task(work, name=f"{name}:{request.model}.{request.cycle}")
        self._tasks.add(task)
        task.add_done_callback(self._end)
        return task

    def _end(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._draws.discard(task)
        self._ended.add(task)
        self._wake.set()

    async def _fetch(self, hour: int) -> None:
        shop, request, box = self._shop, self.request, self._box
        if box is None:
            raise RunStuck("files are wanted before the box is known")
        await shop.gate.wait_fetch()
        products = [o.product.key for o in self._progress.waiting.get(hour, ())]
        self._frames.mark(hour, products, FrameState.FETCHING)
        wanted = HourWanted(self._plan.model, request.cycle, hour, self._wanted[hour], box)
        try:
            got = await shop.fetcher.hour(wanted)
        except FetchError as error:
            self._frames.mark(hour, products, FrameState.EXPECTED)
            await self._not_fetched(hour, error)
        else:
            await self._fetched(hour, got)

    async def _fetched(self, hour: int, got: HourFetched) -> None:
        paths = {key: path for path, keys in got.files for key in keys}
        self._paths[hour] = paths
        self._progress = schedule.fetched(self._progress, hour, self._wanted[hour] - paths.keys())
        await self._shop.ledger.record_hours([fetched_entry(got, self._shop.clock.now())])

    async def _not_fetched(self, hour: int, error: FetchError) -> None:
        clock = self._shop.clock
        now, retry_s = clock.now(), error.retry_after_s
        if isinstance(error, NotYetPublished):
            self._progress = schedule.absent(self._progress, hour, now)
        else:
            self._progress = schedule.failed(
                self._progress,
                hour,
                now,
                reason=error.reason,
                detail=str(error),
                # Back-offs are real seconds, the plan counts in those of the clock.
                retry_s=None if retry_s is None else retry_s * clock.speed,
            )
        state = self._progress.files[hour]
        if state.status is FileStatus.GIVEN_UP:
            self._log.error(
                "pipeline.hour_given_up", hour=hour, reason=state.reason, detail=state.detail
            )
            entry = given_up_entry(self.request.model, self.request.cycle, hour, state)
            await self._shop.ledger.record_hours([entry])

    async def _draw(self, drawable: Drawable) -> None:
        await self._frames.fail(drawable)
        if not drawable.orders:
            return
        async with self._job_places, self._shop.gate.passage():
            if (task := asyncio.current_task()) is not None:
                self._draws.add(task)  # from here on a drain waits for it
            await self._drawing.draw(drawable, self._paths)
        self._progress = readiness.drawn(self._progress, drawable)

    def _tell(self) -> None:
        if self._on_progress is not None:
            self._on_progress(self.count)
