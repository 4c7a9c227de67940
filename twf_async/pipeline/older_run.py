"""Draws one older run again after the configuration has changed, from what of it is still here.

What is online in an earlier style is drawn again where its GRIB lies in the cache, one job at a
time. Nothing is fetched for it. The rest stays online and marked.
"""

from dataclasses import replace

import structlog

from render_farm.domain.fields import MessageKey
from twf_async.fetch.fetched import HourWanted
from twf_async.pipeline.course import Course
from twf_async.pipeline.drawing import HourDrawing
from twf_async.pipeline.here import make_do
from twf_async.pipeline.opening import files_wanted, plan_run
from twf_async.pipeline.owed import Fault, Waiting
from twf_async.pipeline.parts import frames_of
from twf_async.pipeline.ports import Workshop
from twf_async.pipeline.report import RunRequest
from twf_async.plan import readiness
from twf_async.plan.boxes import union
from twf_async.plan.progress import FileState, FileStatus, RunProgress

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
        self._frames = frames_of(plan, cycle, shop)
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
        paths = await self._paths_here(waiting) if waiting else {}
        files = {hour: _state(paths, hour, keys) for hour, keys in files_wanted(waiting).items()}
        progress = RunProgress(self._plan.policy, self._frames.left(waiting), files)
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

    async def _paths_here(self, waiting: Waiting) -> Paths:
        """What is here; frames of regions that it does not show stay as they are."""
        views = await self._drawing.views()
        box = union(view.box for view in views)
        course = Course(RunProgress(self._plan.policy, waiting, {}))
        paths: Paths = {}
        for hour, keys in files_wanted(waiting).items():
            here = await make_do(
                HourWanted(self._plan.model, self.cycle, hour, keys, box),
                views,
                Fault(NOT_HERE),
                fetcher=self._shop.fetcher,
                course=course,
                frames=self._frames,
            )
            paths[hour] = here.paths
        return paths


def _state(paths: Paths, hour: int, keys: frozenset[MessageKey]) -> FileState:
    """A file of which nothing is here will not come; of another the rest is missing."""
    here = paths.get(hour, {})
    if not here:
        return FileState(FileStatus.GIVEN_UP, reason=NOT_HERE)
    return FileState(FileStatus.FETCHED, missing=keys - here.keys())
