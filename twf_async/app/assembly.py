"""Puts the service's parts together, in the order in which they start and may fail.

`serve` and `run` share it; what only the daemon has (pollers, upkeep, web) is in daemon.py.
"""

import os
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from multiprocessing.context import BaseContext

import psutil

from render_farm.domain.catalog import Display
from render_farm.logs import lines
from render_farm.worker import entry
from twf_async.clock import Clock
from twf_async.farm.farm import Farm
from twf_async.farm.sizing import worker_count
from twf_async.farm.slot import SlotSpec
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
from twf_async.settings.service import ServiceSettings
from twf_async.upkeep.cgroup import memory_room


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


@asynccontextmanager
async def assembled(
    settings: Callable[[], Settings], context: BaseContext, *, patience: Patience | None = None
) -> AsyncIterator[Parts]:
    """Start every part; stop them in reverse, whatever happens in between.

    patience  with the other side; None: as configured. Back-offs are real seconds, so rehearsals
              whose clock runs fast hand in a shorter one
    raises    BadConfiguration for a recipe that the renderer does not have
    """
    service = settings().service
    clock = Clock(service.clock.start, service.clock.speed)
    events, gate = EventBus(), DispatchGate()
    async with AsyncExitStack() as undo:
        farm = Farm(
            slot_spec(service, context), workers(service), job_timeout_s=service.farm.job_timeout_s
        )
        undo.push_async_callback(farm.stop, kill=True)
        await farm.start()
        tree = PublishedTree(service.publish_dir, clock=clock)
        await tree.start()
        undo.push_async_callback(tree.stop)
        ledger = Ledger(service.state_dir / "ledger.sqlite", clock=clock)
        await ledger.start()
        undo.push_async_callback(ledger.stop)
        if ledger.set_aside:
            await refill(ledger, tree)
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
        )
        yield Parts(clock, tree, ledger, events, gate, farm, fetcher, workshop)


def slot_spec(service: ServiceSettings, context: BaseContext) -> SlotSpec:
    """How workers are made under this configuration."""
    return SlotSpec(
        context,
        service.farm.max_tasks_per_child,
        service.logs.level,
        lines.console_wanted(service.logs.format),
    )


def workers(service: ServiceSettings) -> int:
    """How many slots this machine carries under this configuration."""
    memory = psutil.virtual_memory()
    limit, available = memory.total, memory.available
    room = memory_room()  # psutil shows the host's memory even under a control group's limit
    if room is not None:
        limit, available = min(limit, room.limit), min(available, room.available)
    return worker_count(
        service.farm,
        cores=len(os.sched_getaffinity(0)),
        memory_limit=limit,
        memory_available=available,
    )


async def bin_colours(farm: Farm, catalog: Catalog) -> dict[str, tuple[str, ...]]:
    """The colours of every scale's bins as the renderer draws them, for the legends of the API."""
    displays: dict[str, Display] = {
        key: scale.display(catalog.style) for key, scale in catalog.scales.items()
    }
    drawn = await farm.call(entry.bin_colours, tuple(displays.values()))
    return dict(zip(displays, drawn, strict=True))
