"""What becomes of hours that were asked for in vain: looked for again, made up for, or given up.

What an answer means is plan/schedule.py's; this carries it out.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial

import structlog

from render_farm.domain.fields import MessageKey
from render_farm.domain.jobs import RegionView
from render_farm.domain.models import Model
from twf_async.errors import FetchError
from twf_async.fetch.errors import NotYetPublished
from twf_async.fetch.fetched import HourWanted
from twf_async.pipeline.course import Course
from twf_async.pipeline.entries import given_up_entry
from twf_async.pipeline.frames import RunFrames
from twf_async.pipeline.here import Here, make_do
from twf_async.pipeline.outlook import Outlook
from twf_async.pipeline.owed import Fault
from twf_async.pipeline.ports import Workshop
from twf_async.plan import readiness, schedule
from twf_async.plan.progress import FileState, RunProgress


class Setbacks:
    """One run's hours that did not come when they were asked for."""

    def __init__(
        self,
        model: Model,
        cycle: str,
        course: Course,
        shop: Workshop,
        frames: RunFrames,
        outlook: Outlook,
    ) -> None:
        self._model, self._cycle, self._course = model, cycle, course
        self._shop, self._frames, self._outlook = shop, frames, outlook
        self._log = structlog.get_logger(component="pipeline").bind(model=model.key, cycle=cycle)

    async def met(
        self, wanted: HourWanted, views: Sequence[RegionView], error: FetchError
    ) -> Mapping[MessageKey, str]:
        """An hour did not come; returns where fields of it are that make up for it.

        views   what the run's regions show
        """
        hour, course, here = wanted.hour, self._course, Here()
        if isinstance(error, NotYetPublished):
            self._outlook.note_late(hour, error.reason)
        answered = self._answered(hour, error)
        if (state := answered(course.progress).files[hour]).gone:
            # All that takes time comes first: as soon as the hour is gone, others act on it.
            here = await self._make_do(wanted, views, state)
            await self.note_given_up({hour: state})
        course.progress = answered(course.progress)
        if here.paths:
            course.progress = readiness.made_up_for(
                course.progress,
                hour,
                wanted.keys - here.paths.keys(),
                self._frames.left(course.progress.waiting),
            )
        self._outlook.tell()
        return here.paths

    async def note_given_up(self, hours: Mapping[int, FileState]) -> None:
        """Say of hours that they will not come, and why."""
        for hour, state in hours.items():
            self._log.error(
                "pipeline.hour_given_up", hour=hour, reason=state.reason, detail=state.detail
            )
        await self._shop.ledger.record_hours(
            given_up_entry(self._model.key, self._cycle, hour, state)
            for hour, state in hours.items()
        )

    async def _make_do(
        self, wanted: HourWanted, views: Sequence[RegionView], state: FileState
    ) -> Here:
        here = await make_do(
            wanted,
            views,
            Fault(state.reason, state.detail),
            fetcher=self._shop.fetcher,
            course=self._course,
            frames=self._frames,
        )
        if here.paths:
            regions = sorted(here.regions)
            self._log.info("pipeline.hour_made_up_for", hour=wanted.hour, regions=regions)
        return here

    def _answered(self, hour: int, error: FetchError) -> Callable[[RunProgress], RunProgress]:
        """What the answer makes of a run."""
        clock, retry_s = self._shop.clock, error.retry_after_s
        now = clock.now()
        if isinstance(error, NotYetPublished):
            return partial(schedule.absent, hour=hour, now=now, chance=self._shop.chance())
        return partial(
            schedule.failed,
            hour=hour,
            now=now,
            reason=error.reason,
            detail=str(error),
            # Back-offs are real seconds, the plan counts in those of the clock.
            retry_s=None if retry_s is None else retry_s * clock.speed,
            holds_run=error.holds_run,
        )
