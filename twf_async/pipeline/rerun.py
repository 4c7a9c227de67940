"""Notices that the other side has replaced files which were taken, and has all done again."""

from collections.abc import Iterable, Mapping

import structlog

from render_farm.domain.models import Model
from twf_async.errors import FetchError
from twf_async.pipeline.course import Course
from twf_async.pipeline.editions import Editions
from twf_async.pipeline.fetching import HourFetching
from twf_async.pipeline.frames import RunFrames
from twf_async.pipeline.opening import RunPlan
from twf_async.pipeline.outlook import Outlook
from twf_async.pipeline.ports import Fetcher, Workshop
from twf_async.plan import reruns


async def replaced_hours(
    fetcher: Fetcher, model: Model, cycle: str, inventories: Mapping[int, str]
) -> frozenset[int]:
    """Hours whose inventory is another one than when they were taken.

    A few are looked at; only where one of them has changed, all. What cannot be told counts as
    unchanged: this is a second look at what was good once.
    """
    log = structlog.get_logger(component="pipeline").bind(model=model.key, cycle=cycle)

    async def changed(hours: Iterable[int]) -> set[int]:
        found = set()
        for hour in hours:
            try:
                now = await fetcher.appeared(model, cycle, hour, anew=True)
            except FetchError as error:
                log.info("pipeline.recheck_failed", hour=hour, reason=error.reason)
                continue
            if now.inventory != inventories[hour]:
                found.add(hour)
        return found

    first = reruns.samples(inventories)
    if not (found := await changed(first)):
        return frozenset()
    found |= await changed(sorted(set(inventories).difference(first)))
    log.warning("pipeline.hours_replaced", hours=sorted(found))
    return frozenset(found)


class Redoing:
    """One run's second looks, and what follows from them; nobody draws meanwhile."""

    def __init__(
        self,
        cycle: str,
        plan: RunPlan,
        course: Course,
        shop: Workshop,
        frames: RunFrames,
        *,
        fetching: HourFetching,
        outlook: Outlook,
        editions: Editions,
    ) -> None:
        self._cycle, self._model, self._course = cycle, plan.model, course
        self._fetcher, self._fetching, self._frames = shop.fetcher, fetching, frames
        self._outlook, self._editions = outlook, editions
        self._orders = {order.hour: order.drawn for order in plan.orders}

    async def recheck(self) -> None:
        """Have everything done again that replaced files are in."""
        self._outlook.suspicious = False
        noted = self._editions.inventories
        hours = await replaced_hours(self._fetcher, self._model, self._cycle, noted)
        await self._again(hours)

    async def resume(self) -> None:
        """Go on with what a restart has interrupted."""
        await self._again(frozenset(self._editions.owing))

    async def settled(self) -> None:
        """Note hours whose new files are by now in all pictures that they go into."""
        owing = self._editions.owing
        await self._editions.pay(reruns.paid(self._course.progress, owing, self._orders))

    async def _again(self, hours: frozenset[int]) -> None:
        if not hours:
            return
        await self._fetching.prepare()
        await self._editions.owe(hours)
        self._course.progress, redo = reruns.again(self._course.progress, hours, self._orders)
        self._fetching.want(self._course.progress.waiting)
        self._frames.again(redo)
