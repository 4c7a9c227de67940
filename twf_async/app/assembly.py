"""Puts the service's parts together, in the order in which they start and may fail.

`serve` and `run` share it; what only the daemon has (pollers, upkeep, web) is in daemon.py.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from multiprocessing.context import BaseContext

import psutil

from render_farm.logs import lines
from render_farm.worker import entry
from twf_async.app.directories import make_directories
from twf_async.app.freshness_book import FreshnessBook
from twf_async.clock import Clock
from twf_async.farm.farm import Farm
from twf_async.farm.machine import Machine, Room
from twf_async.farm.peaks import Peaks
from twf_async.farm.post import SlotSpec
from twf_async.farm.remote.connection import require_dask
from twf_async.farm.remote.farm import RemoteFarm
from twf_async.farm.sizing import MB, budget_mb, worker_count
from twf_async.fetch.cache import Cache
from twf_async.fetch.fetcher import Fetcher
from twf_async.fetch.patience import Patience
from twf_async.ledger.ledger import Ledger
from twf_async.pipeline.gate import DispatchGate
from twf_async.pipeline.ports import Workshop
from twf_async.pipeline.rebuild import refill
from twf_async.publish.events import EventBus
from twf_async.publish.tree import PublishedTree
from twf_async.settings.catalog import Catalog
from twf_async.settings.load import Settings
from twf_async.settings.palettes import displays
from twf_async.settings.service import FarmSettings, ServiceSettings
from twf_async.upkeep.cgroup import memory_room, oom_kills


@dataclass(frozen=True, slots=True)
class Parts:
    """The running parts that several others use."""

    clock: Clock
    tree: PublishedTree
    ledger: Ledger
    events: EventBus
    gate: DispatchGate
    farm: Farm
    fetcher: Fetcher
    workshop: Workshop
    freshness: FreshnessBook


@asynccontextmanager
async def assembled(
    settings: Callable[[], Settings], context: BaseContext, *, patience: Patience | None = None
) -> AsyncIterator[Parts]:
    """Start every part; stop them in reverse, whatever happens in between.

    patience  with the other side; None: as configured. Back-offs are real seconds, so rehearsals
              whose clock runs fast hand in a shorter one
    raises    BadConfiguration for a recipe that the renderer does not have; UnusableDirectory
    """
    service = settings().service
    await asyncio.to_thread(make_directories, service)
    clock = Clock(service.clock.start, service.clock.speed)
    events, gate = EventBus(), DispatchGate()
    async with AsyncExitStack() as undo:
        tree = PublishedTree(service.publish_dir, clock=clock)
        await tree.start()
        undo.push_async_callback(tree.stop)
        ledger = Ledger(service.state_dir / "ledger.sqlite", clock=clock)
        await ledger.start()
        undo.push_async_callback(ledger.stop)
        if ledger.begun_anew:
            await refill(ledger, tree, Cache(service.cache_dir / "grib"))
        freshness = FreshnessBook(ledger, clock, measures=service.clock.is_upstreams)
        await freshness.start()
        farm = make_farm(settings(), context, await ledger.peaks(), gate)
        undo.push_async_callback(farm.stop, kill=True)
        await farm.start()
        fetcher = Fetcher(
            service.upstream,
            service.fetch,
            cache_dir=service.cache_dir / "grib",
            clock=clock,
            patience=patience,
        )
        await fetcher.start()
        undo.push_async_callback(fetcher.stop)
        workshop = Workshop(
            settings=settings,
            fetcher=fetcher,
            renderer=farm,
            tree=tree,
            ledger=ledger,
            events=events,
            gate=gate,
            clock=clock,
            map_cache_dir=service.cache_dir / "pixelmaps",
            fresh=freshness.note,
        )
        yield Parts(clock, tree, ledger, events, gate, farm, fetcher, workshop, freshness)


def make_farm(
    settings: Settings, context: BaseContext, peaks_mb: Mapping[str, float], gate: DispatchGate
) -> Farm:
    """As many slots as this machine carries, or one and the workers of a cluster.

    peaks_mb  what jobs of each model took before
    gate      jobs that had passed it when it was shut go on one at a time
    raises    BadConfiguration where a cluster is wanted and dask is not installed
    """
    service = settings.service
    peaks = Peaks(service.farm.worker_gb * 1024, peaks_mb)
    machine = make_machine(service.farm, gate)
    if service.farm.backend == "dask":
        require_dask()
        return RemoteFarm(
            slot_spec(service, context),
            service.farm.scheduler,
            job_timeout_s=service.farm.job_timeout_s,
            ship_limit_mb=service.farm.ship_limit_mb,
            machine=machine,
            peaks=peaks,
        )
    limit, available = memory()
    slots = worker_count(
        service.farm,
        cores=len(os.sched_getaffinity(0)),
        memory_limit=limit,
        memory_available=available,
        costs_mb=[peaks.of_model_mb(model.key) for model in settings.catalog.enabled_models],
    )
    return Farm(
        slot_spec(service, context),
        slots,
        job_timeout_s=service.farm.job_timeout_s,
        machine=machine,
        peaks=peaks,
    )


def make_machine(farm: FarmSettings, gate: DispatchGate) -> Machine:
    """This machine as it is whenever it is asked: limits are changed while a service runs."""

    def room() -> Room:
        limit, available = memory()
        return Room(available / MB, budget_mb(farm, limit))

    return Machine(room, oom_kills=oom_kills, is_calm=lambda: gate.is_open)


def slot_spec(service: ServiceSettings, context: BaseContext) -> SlotSpec:
    """How workers are made under this configuration."""
    return SlotSpec(
        context,
        service.farm.max_tasks_per_child,
        service.logs.level,
        lines.console_wanted(service.logs.format),
        memory_limit_mb=service.farm.worker_limit_gb * 1024,
        recycle_above_mb=service.farm.recycle_above_gb * 1024,
    )


def memory() -> tuple[int, int]:
    """What there is, and what can be had now, in bytes: of the machine, or of the tightest limit.

    psutil shows the host's memory even under a control group's limit.
    """
    host, room = psutil.virtual_memory(), memory_room()
    if room is None:
        return host.total, host.available
    return min(host.total, room.limit), min(host.available, room.available)


async def bin_colours(farm: Farm, catalog: Catalog) -> dict[str, tuple[str, ...]]:
    """The colours of every scale's bins as the renderer draws them, for the legends of the API."""
    shown = displays(catalog)
    drawn = await farm.call(entry.bin_colours, tuple(shown.values()))
    return dict(zip(shown, drawn, strict=True))
