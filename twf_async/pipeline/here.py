"""What of an hour is in the cache although it can be had no more, and the regions that it shows.

A region that has grown since wants more than lies here; that must not cost the others, which it
shows whole.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

import structlog

from render_farm.domain.fields import MessageKey
from render_farm.domain.jobs import RegionView
from twf_async.errors import FetchError
from twf_async.fetch.fetched import HourWanted
from twf_async.pipeline.course import Course
from twf_async.pipeline.frames import RunFrames
from twf_async.pipeline.owed import Fault
from twf_async.pipeline.ports import Fetcher
from twf_async.plan.boxes import union


@dataclass(frozen=True, slots=True)
class Here:
    """Some fields of an hour. paths: message -> file, each good for all of *regions*."""

    paths: dict[MessageKey, str] = field(default_factory=dict)
    regions: frozenset[str] = frozenset()


async def make_do(
    wanted: HourWanted,
    views: Sequence[RegionView],
    fault: Fault,
    *,
    fetcher: Fetcher,
    course: Course,
    frames: RunFrames,
) -> Here:
    """What is here of an hour that will not come; by then, frames that it cannot make have failed.

    To be awaited before the run takes note that the hour is gone; until then all wait for it.
    """
    here = await look_here(fetcher, wanted, views)
    if here.paths:
        for hour, orders in tuple(course.progress.waiting.items()):
            products = [order.product.key for order in orders if wanted.hour in order.files]
            await frames.fail_unless_in(here.regions, hour, products, fault)
    return here


async def look_here(fetcher: Fetcher, wanted: HourWanted, views: Sequence[RegionView]) -> Here:
    """The fields of *wanted* that are here for as many regions as possible; nobody is asked.

    wanted   its box is not looked at
    views    what the regions show
    """

    async def found(shown: Iterable[RegionView]) -> dict[MessageKey, str]:
        return await fetcher.cached(replace(wanted, box=union(view.box for view in shown)))

    try:
        if len(whole := await found(views)) == len(wanted.keys):
            return Here(whole, frozenset(view.region for view in views))
        alone = [(view, len(await found([view]))) for view in views]
        here, shown = Here(), list[RegionView]()
        for view, fields in sorted(alone, key=lambda each: -each[1]):
            # A file has to show all regions of a job: those that fit those before.
            together = await found([*shown, view]) if fields else {}
            if together and len(together) >= len(here.paths):
                shown.append(view)
                here = Here(together, frozenset(each.region for each in shown))
    except FetchError as error:  # the disk; the next start may find it better
        structlog.get_logger(component="pipeline").warning(
            "pipeline.cache_not_read",
            model=wanted.model.key,
            cycle=wanted.cycle,
            hour=wanted.hour,
            reason=error.reason,
        )
        return Here()
    return here
