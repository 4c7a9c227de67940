"""Notices that the other side has replaced files which were taken already."""

from collections.abc import Iterable, Mapping

import structlog

from render_farm.domain.models import Model
from twf_async.errors import FetchError
from twf_async.pipeline.ports import Fetcher
from twf_async.plan.reruns import samples


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

    first = samples(inventories)
    if not (found := await changed(first)):
        return frozenset()
    found |= await changed(sorted(set(inventories).difference(first)))
    log.warning("pipeline.hours_replaced", hours=sorted(found))
    return frozenset(found)
