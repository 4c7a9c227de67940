"""Ways back from bad data: files whose values cannot be are taken anew, and drawn from again.

How often is the fetcher's to say, which remembers it across restarts. Frames that are given up
say that their data are bad, and why there was no better.
"""

from collections.abc import Mapping
from datetime import timedelta

import structlog

from render_farm.domain.jobs import Reason
from twf_async.errors import FetchError
from twf_async.fetch.distrust import ALREADY, Distrusted
from twf_async.pipeline.course import Course
from twf_async.pipeline.fetching import HourFetching
from twf_async.pipeline.frames import RunFrames
from twf_async.pipeline.opening import RunPlan
from twf_async.pipeline.owed import Fault
from twf_async.pipeline.ports import Workshop
from twf_async.pipeline.spoilt import Spoilt
from twf_async.plan import reruns
from twf_async.plan.orders import ProductOrder
from twf_async.plan.progress import FileStatus


class Mistrust:
    """One run's frames that bad messages cost, until they are asked for again or given up."""

    def __init__(
        self,
        cycle: str,
        plan: RunPlan,
        course: Course,
        shop: Workshop,
        fetching: HourFetching,
        frames: RunFrames,
    ) -> None:
        self._cycle, self._plan, self._course = cycle, plan, course
        self._shop, self._fetching, self._frames = shop, fetching, frames
        self._noted: list[tuple[Spoilt, Mapping[int, int]]] = []
        self._causes: dict[int, str] = {}  # hour -> why its files were thrown away at first
        self._log = structlog.get_logger(component="pipeline").bind(
            model=plan.model.key, cycle=cycle
        )

    @property
    def pending(self) -> bool:
        """Whether anything waits to be settled."""
        return bool(self._noted)

    def note(self, spoilt: Spoilt, taken: Mapping[int, int]) -> None:
        """Keep in mind what could not be drawn. taken: `HourFetching.taken` as the job began."""
        self._noted.append((spoilt, taken))

    async def settle(self) -> None:
        """Have files taken anew, or fail their frames; those being fetched just now wait for it."""
        for noted in tuple(self._noted):
            orders = self._orders(noted[0])
            files = self._course.progress.files
            hours = {hour for order in orders for hour in order.files}
            if any(files[hour].status is FileStatus.FETCHING for hour in hours if hour in files):
                continue
            self._noted.remove(noted)
            await self._settle(*noted, orders)

    async def _settle(
        self, spoilt: Spoilt, taken: Mapping[int, int], orders: tuple[ProductOrder, ...]
    ) -> None:
        told = {
            hour: await self._told(spoilt, hour)
            for hour in spoilt.fields
            if self._fetching.taken[hour] == taken.get(hour, 0)  # else it has come anew since
        }
        spoilt = self._by_first_cause(spoilt, told)
        pauses = [verdict.pause_s for verdict in told.values() if verdict.pause_s is not None]
        if len(pauses) < len(told):
            await self._give_up(spoilt, told)
            return
        self._log.warning(
            "pipeline.fields_distrusted",
            hour=spoilt.hour,
            files=sorted(spoilt.fields),
            fields=sum(map(len, spoilt.fields.values())),
            products=sorted(spoilt.products),
            detail=spoilt.failures[0].detail,
        )
        for failure in reversed(spoilt.failures):
            self._causes |= dict.fromkeys(spoilt.hours_of(failure), failure.detail)
        clock, course = self._shop.clock, self._course
        # Back-offs are real seconds, the plan counts in those of the clock.
        pause = timedelta(seconds=max(pauses, default=0.0) * clock.speed)
        course.progress, redo = reruns.again(
            course.progress,
            frozenset(spoilt.fields),
            {spoilt.hour: orders},
            not_before=clock.now() + pause if pauses else None,
        )
        self._fetching.want(course.progress.waiting)
        self._frames.again(redo)

    def _by_first_cause(self, spoilt: Spoilt, told: Mapping[int, Distrusted]) -> Spoilt:
        """What was thrown away under a job, it cannot read: not that is told, but why it went."""
        gone = {
            hour: cause
            for hour, cause in self._causes.items()
            if hour not in told or told[hour].pause_s == ALREADY.pause_s
        }
        return spoilt.explained(gone)

    async def _told(self, spoilt: Spoilt, hour: int) -> Distrusted:
        try:
            return await self._shop.fetcher.distrust(
                self._plan.model, self._cycle, hour, spoilt.fields[hour]
            )
        except FetchError as error:
            return Distrusted(None, str(error))

    async def _give_up(self, spoilt: Spoilt, told: Mapping[int, Distrusted]) -> None:
        why = "; ".join(
            f"hour {hour}: {verdict.reason}" for hour, verdict in told.items() if verdict.reason
        )
        detail = spoilt.failures[0].detail
        self._log.error("pipeline.fields_given_up", hour=spoilt.hour, reason=why, detail=detail)
        await self._frames.fail_frames(
            spoilt.hour,
            {
                (failure.region, failure.product): Fault(
                    Reason.BAD_DATA.value, f"{failure.detail} ({why})"
                )
                for failure in spoilt.failures
            },
        )

    def _orders(self, spoilt: Spoilt) -> tuple[ProductOrder, ...]:
        drawn = next(order.drawn for order in self._plan.orders if order.hour == spoilt.hour)
        return tuple(order for order in drawn if order.product.key in spoilt.products)
