"""Brings the GRIB of one whole run into a cache, as the service would: same messages, same box."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from multiprocessing.context import BaseContext

from render_farm.domain.places import Box
from render_farm.worker import entry
from twf_async.clock import Clock
from twf_async.errors import TwfError
from twf_async.farm.boot import ask_once
from twf_async.fetch.fetched import HourFetched, HourWanted
from twf_async.fetch.fetcher import Fetcher
from twf_async.pipeline.opening import RunPlan, files_wanted, plan_run
from twf_async.pipeline.report import RunRequest
from twf_async.plan.boxes import union
from twf_async.settings.load import Settings

AT_ONCE = 2


@dataclass(frozen=True, slots=True)
class Downloaded:
    """What lies in the cache for a run now. fresh: hours of it that were not there before."""

    hours: int
    fresh: int
    megabytes: float


def download(
    settings: Settings, request: RunRequest, context: BaseContext, say: Callable[[str], None]
) -> Downloaded:
    """Fetch every hour of a run that is not in the cache; blocks until all of them are.

    say     told now and then how far it is
    raises  BadInput for what the model does not have, FetchError, TwfError for missing fields
    """
    plan = plan_run(settings, request, fetches_at_once=AT_ONCE)
    views = ask_once(context, partial(entry.region_views, plan.regions))
    return asyncio.run(_download(settings, request, plan, union(v.box for v in views), say))


async def _download(
    settings: Settings, request: RunRequest, plan: RunPlan, box: Box, say: Callable[[str], None]
) -> Downloaded:
    service = settings.service
    fetcher = Fetcher(
        service.upstream,
        service.fetch,
        cache_dir=service.cache_dir / "grib",
        clock=Clock(service.clock.start, service.clock.speed),
    )
    wanted = files_wanted({order.hour: order.drawn for order in plan.orders})
    places, done = asyncio.Semaphore(AT_ONCE), list[HourFetched]()

    async def bring(hour: int) -> None:
        async with places:
            got = await fetcher.hour(HourWanted(plan.model, request.cycle, hour, wanted[hour], box))
        if got.missing:
            lacking = ", ".join(sorted(map(str, got.missing)))
            raise TwfError(f"{request.model} f{hour:03d} came without {lacking}")
        done.append(got)
        if got.method != "CACHED":
            say(f"{request.model} {request.cycle}: {len(done)} of {len(wanted)} hours are here")

    await fetcher.start()
    try:
        async with asyncio.TaskGroup() as group:
            for hour in wanted:
                group.create_task(bring(hour))
    except ExceptionGroup as faults:
        raise faults.exceptions[0] from None
    finally:
        await fetcher.stop()
    held = sum(got.bytes + got.cached_bytes for got in done)
    fresh = sum(got.method != "CACHED" for got in done)
    return Downloaded(len(done), fresh, held / 1e6)
