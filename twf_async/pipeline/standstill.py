"""When a run that somebody waits for ends because nothing may go on, or nobody draws it, for long.

What holds the gate (memory, a disk) may do so for ever, a disk may stay full and a cluster may have
no worker: the service waits for that, a command must not.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

import structlog

from render_farm.domain.jobs import HourFailed, HourRendered, RegionView, RenderJob
from render_farm.domain.places import Region
from twf_async.pipeline.gate import DispatchGate
from twf_async.pipeline.ports import Renderer
from twf_async.pipeline.report import RunCount
from twf_async.pipeline.run import RunPipeline

LOOK_S = 0.5
NO_WORKER = "no worker takes a job"


class WatchedRenderer:
    """A renderer of which is known how many jobs workers have in hand (*at_work*)."""

    def __init__(self, renderer: Renderer) -> None:
        self.at_work = 0
        self._renderer = renderer

    async def render(
        self, job: RenderJob, *, begun: Callable[[], None] = lambda: None
    ) -> HourRendered | HourFailed:
        """As the renderer's."""
        taken = False

        def take() -> None:
            nonlocal taken
            self.at_work += not taken
            taken = True
            begun()

        try:
            return await self._renderer.render(job, begun=take)
        finally:
            self.at_work -= taken

    async def region_views(self, regions: tuple[Region, ...]) -> tuple[RegionView, ...]:
        """As the renderer's."""
        return await self._renderer.region_views(regions)


@dataclass(slots=True)
class Standstill:
    """Why a run was ended; "" while it gets on."""

    reason: str = ""


@dataclass(slots=True)
class Rest:
    """How far a run was when it last got on, or might have, and when that was."""

    since_s: float
    count: RunCount

    def held_s(self, now_s: float, reason: str, count: RunCount) -> float | None:
        """For how long nothing has moved for the *reason*; None where something has, or may."""
        if reason and count == self.count:
            return now_s - self.since_s
        self.since_s, self.count = now_s, count
        return None


@asynccontextmanager
async def ended_at_standstill(
    run: RunPipeline, gate: DispatchGate, renderer: WatchedRenderer, patience_s: float
) -> AsyncIterator[Standstill]:
    """While the block runs, drain the *run* once nothing of it has moved for *patience_s*.

    What a worker has in hand moves, and what is asked of a source: others bound that.
    """
    still = Standstill()
    task = asyncio.create_task(_watch(still, run, gate, renderer, patience_s), name="standstill")
    try:
        yield still
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def _watch(
    still: Standstill,
    run: RunPipeline,
    gate: DispatchGate,
    renderer: WatchedRenderer,
    patience_s: float,
) -> None:
    clock = asyncio.get_running_loop().time
    rest = Rest(clock(), run.count)
    while True:
        await asyncio.sleep(LOOK_S)
        reason = _reason(run, gate, renderer)
        held_s = rest.held_s(clock(), reason, run.count)
        if held_s is not None and held_s >= patience_s:
            still.reason = reason
            log = structlog.get_logger(component="pipeline")
            log.warning("pipeline.hold_given_up", reason=reason, held_s=round(held_s))
            run.drain()
            return


def _reason(run: RunPipeline, gate: DispatchGate, renderer: WatchedRenderer) -> str:
    """Why nothing of a run moves just now; "" where something may."""
    if run.no_room:  # drawn again and again
        return f"the disk takes nothing: {run.no_room}"
    if renderer.at_work:
        return ""
    if held := gate.paused_because or gate.fetch_held_because:
        return held
    return NO_WORKER if any(run.progress.drawing.values()) else ""
