"""Draws older runs again after the configuration has changed, from what of them is still here.

The newest run is done by its own pipeline. Of the others, what is online in an earlier style is
drawn again where its GRIB lies in the cache: one job at a time, and while no run of the model is
being worked on. Nothing is fetched for it. The rest stays online and marked.
"""

import asyncio
from collections.abc import Callable, Collection
from dataclasses import replace

import structlog

from render_farm.domain.fields import MessageKey
from render_farm.domain.models import Model
from twf_async.errors import BadInput, FetchError, TwfError
from twf_async.fetch.fetched import HourWanted
from twf_async.pipeline.drawing import HourDrawing
from twf_async.pipeline.frames import Fault, RunFrames
from twf_async.pipeline.freshness import RunFreshness
from twf_async.pipeline.opening import files_wanted, plan_run, styles_now
from twf_async.pipeline.ports import Workshop
from twf_async.pipeline.report import RunRequest
from twf_async.plan import readiness
from twf_async.plan.boxes import union
from twf_async.plan.progress import FileState, FileStatus, RunProgress
from twf_async.publish.reading import UnknownRun

Paths = dict[int, dict[MessageKey, str]]  # hour of the file -> message -> file

NOT_HERE = "not in the cache"


class Restyling:
    """One older run; await `run()`, once. BadInput where the configuration has no such run."""

    def __init__(self, model: str, cycle: str, shop: Workshop) -> None:
        self.cycle = cycle
        self.at_work = False  # a worker has a job of it
        self._shop, self._draining = shop, False
        settings = shop.settings()
        plan = plan_run(settings, RunRequest(model, cycle, wait=False), fetches_at_once=1)
        self._frames = RunFrames(
            model,
            cycle,
            tree=shop.tree,
            ledger=shop.ledger,
            events=shop.events,
            clock=shop.clock,
            freshness=RunFreshness(model, cycle, shop.clock, since=None, fresh=shop.fresh),
            styles=plan.styles,
        )
        old = self._frames.expect_old(plan.orders, tuple(region.key for region in plan.regions))
        concerned = {region for region, *_ in old}
        regions = tuple(region for region in plan.regions if region.key in concerned)
        self._plan = replace(plan, regions=regions)
        self._drawing = HourDrawing(cycle, self._plan, settings, shop, self._frames)
        self._log = structlog.get_logger(component="pipeline").bind(model=model, cycle=cycle)

    @property
    def old(self) -> int:
        """Frames online that would be drawn otherwise now."""
        return len(self._frames.old)

    def drain(self) -> None:
        """Begin no further job; `run` returns when the one in flight has ended."""
        self._draining = True

    async def run(self) -> bool:
        """Draw what can be drawn; whether it came to its end."""
        await self._frames.announce_old()
        before = self.old
        waiting = self._frames.waiting(self._plan.orders)
        paths = await self._paths_here(files_wanted(waiting)) if waiting else {}
        files = {hour: _state(paths, hour, keys) for hour, keys in files_wanted(waiting).items()}
        progress = RunProgress(self._plan.policy, waiting, files)
        for drawable in readiness.to_draw(progress):
            if self._draining:
                return False
            if not drawable.orders:
                continue
            async with self._shop.gate.passage():
                spoilt = await self._drawing.draw(drawable, paths, begun=self._begun)
            self.at_work = False
            if spoilt is not None:
                faults = {(f.region, f.product): Fault(f.reason.value) for f in spoilt.failures}
                await self._frames.fail_frames(drawable.hour, faults)
        self._log.info("pipeline.run_restyled", drawn=before - self.old, kept=self.old)
        return True

    def _begun(self) -> None:
        self.at_work = True

    async def _paths_here(self, wanted: dict[int, frozenset[MessageKey]]) -> Paths:
        box = union(view.box for view in await self._drawing.views())
        paths: Paths = {}
        for hour, keys in wanted.items():
            asked = HourWanted(self._plan.model, self.cycle, hour, keys, box)
            try:
                paths[hour] = await self._shop.fetcher.cached(asked)
            except FetchError as error:  # the disk; the next start may find it better
                self._log.warning("pipeline.cache_not_read", hour=hour, reason=str(error))
        return paths


class OlderRuns:
    """All runs of a model but those that are worked on, brought to the style of now in turn."""

    def __init__(self, model: Model, shop: Workshop, ended: Callable[[], None]) -> None:
        """ended: called whenever one has come to its end."""
        self.task: asyncio.Task[bool] | None = None
        self._model, self._shop, self._ended = model, shop, ended
        self._styles = styles_now(shop.settings(), model)
        self._log = structlog.get_logger(component="pipeline").bind(model=model.key)
        self._run: Restyling | None = None
        self._todo: list[str] | None = None  # newest first; None before anybody has looked

    @property
    def cycle(self) -> str:
        """The run that is being drawn again, "" for none."""
        return self._run.cycle if self._run is not None else ""

    def look(self, newest: str, busy: Collection[str]) -> None:
        """Mark what is of an earlier style, and go on with a run unless others are *busy*.

        newest  the run that is followed: it is never taken here
        """
        if self.task is not None and self.task.done():
            self._collect(self.task)
        if self._todo is None:
            cycles = self._shop.tree.runs(self._model.key)
            self._todo = [cycle for cycle in cycles if cycle not in busy and self._is_old(cycle)]
        if busy or self.task is not None:
            return
        while older := [cycle for cycle in self._todo if cycle < newest]:
            if self._is_old(older[0]) and self._begin(older[0]):
                return
            self._todo.remove(older[0])

    def drain(self) -> None:
        """Begin no further job; `task` ends when the one that a worker has does."""
        if self._run is None or self.task is None:
            return
        self._run.drain()
        if not self._run.at_work:  # it may stand at the gate for long
            self.task.cancel()

    def _is_old(self, cycle: str) -> bool:
        tree, key = self._shop.tree, self._model.key
        return cycle in tree.runs(key) and bool(tree.restyle(key, cycle, self._styles))

    def _collect(self, task: asyncio.Task[bool]) -> None:
        cycle, self._run, self.task = self.cycle, None, None
        if self._todo is not None and not task.cancelled() and task.result():
            self._todo.remove(cycle)

    def _begin(self, cycle: str) -> bool:
        key = self._model.key
        try:
            self._run = Restyling(key, cycle, self._shop)
        except BadInput:  # of a cycle that the model has no more
            return False
        self.task = asyncio.create_task(self._work(self._run), name=f"restyle:{key}.{cycle}")
        self.task.add_done_callback(lambda _: self._ended())
        return True

    async def _work(self, run: Restyling) -> bool:
        try:
            return await run.run()
        except UnknownRun:  # taken off meanwhile
            return True
        except TwfError as error:  # of a full disk others tell louder
            self._log.warning("pipeline.restyling_failed", cycle=run.cycle, reason=str(error))
            return True


def _state(paths: Paths, hour: int, keys: frozenset[MessageKey]) -> FileState:
    """A file of which nothing is here will not come; of another the rest is missing."""
    here = paths.get(hour, {})
    if not here:
        return FileState(FileStatus.GIVEN_UP, reason=NOT_HERE)
    return FileState(FileStatus.FETCHED, missing=keys - here.keys())
