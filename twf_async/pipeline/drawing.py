"""Draws what of an hour is ready: staging, job, worker, publishing."""

import errno
from collections.abc import Callable
from dataclasses import replace

import structlog

from render_farm.domain.jobs import TAKES_NOTHING, HourFailed, HourRendered, Reason, RegionView
from twf_async.errors import FarmError, TwfError
from twf_async.pipeline.frames import RunFrames
from twf_async.pipeline.jobs import Files, render_job
from twf_async.pipeline.opening import RunPlan
from twf_async.pipeline.owed import Fault
from twf_async.pipeline.ports import Workshop
from twf_async.pipeline.spoilt import Spoilt, apart, origins_of
from twf_async.plan.progress import Drawable
from twf_async.publish.manifest import FrameState
from twf_async.settings.load import Settings

VIEW_ATTEMPTS = 3


class DiskFull(TwfError):
    """The disk takes no frames for now, full or read-only: they are to be drawn again later."""


class HourDrawing:
    """One run's way from files to frames online."""

    def __init__(
        self, cycle: str, plan: RunPlan, settings: Settings, shop: Workshop, frames: RunFrames
    ) -> None:
        self._cycle, self._plan, self._settings = cycle, plan, settings
        self._shop, self._frames = shop, frames
        self._log = structlog.get_logger(component="pipeline").bind(
            model=plan.model.key, cycle=cycle
        )

    async def views(self) -> tuple[RegionView, ...]:
        """What the run's regions really show; a worker that dies over it is forgiven twice."""
        for attempt in range(1, VIEW_ATTEMPTS + 1):
            try:
                return await self._shop.renderer.region_views(self._plan.regions)
            except FarmError as error:
                if attempt == VIEW_ATTEMPTS:
                    raise
                self._log.warning("pipeline.views_failed", attempt=attempt, reason=str(error))
        return ()

    async def draw(
        self, drawable: Drawable, files: Files, *, begun: Callable[[], None] = lambda: None
    ) -> Spoilt | None:
        """Draw and publish; what fails fails its own frames only.

        begun    called when a worker takes the job: until then nothing is lost by cancelling
        returns  what could not be drawn for the values of its messages; nobody has been told yet
        raises   DiskFull
        """
        hour, regions = drawable.hour, self._frames.regions(drawable.hour)
        # While it waited for its turn all of a product may have been given up.
        orders = tuple(order for order in drawable.orders if order.product.key in regions)
        if not orders:
            return None
        drawable = replace(drawable, orders=orders)
        origins = origins_of(drawable, files)
        products = [order.product.key for order in drawable.orders]
        try:
            staging = await self._shop.tree.new_staging(self._plan.model.key, self._cycle, hour)
        except OSError as error:
            await self._disk_failed(drawable, error)
            return None
        try:
            job = render_job(
                self._settings,
                self._plan.model,
                self._cycle,
                drawable,
                regions=regions,
                files=files,
                staging_dir=staging,
                map_cache_dir=self._shop.map_cache_dir,
            )
            self._frames.mark(hour, products, FrameState.RENDERING)
            outcome = await self._shop.renderer.render(job, begun=begun)
            _require_room(outcome)
            if isinstance(outcome, HourFailed):
                reason = outcome.reason.value
                self._log.error(
                    "pipeline.hour_failed", hour=hour, reason=reason, detail=outcome.detail
                )
                await self._frames.fail_drawing(drawable, Fault(reason, outcome.detail))
                return None
            outcome, spoilt = apart(outcome, origins)
            online = await self._frames.publish(outcome)
            self._log.info(
                "pipeline.hour_published",
                hour=hour,
                frames=len(online),
                failed=len(outcome.failures),
                bytes=sum(frame.bytes for frame in online),
                took_s=round(outcome.took_s, 3),
            )
        except OSError as error:
            await self._disk_failed(drawable, error)
            return None
        else:
            return spoilt
        finally:
            await self._shop.tree.discard_staging(staging)

    async def _disk_failed(self, drawable: Drawable, error: OSError) -> None:
        """A broken disk costs the hour's frames, one that takes nothing time, none the service."""
        self._log.error("pipeline.publish_failed", hour=drawable.hour, reason=str(error))
        if error.errno in TAKES_NOTHING:
            products = [order.product.key for order in drawable.orders]
            self._frames.mark(drawable.hour, products, FrameState.EXPECTED)
            raise DiskFull(str(error)) from None
        await self._frames.fail_drawing(drawable, Fault("disk error", str(error)))


def _require_room(outcome: HourRendered | HourFailed) -> None:
    """Raise what the worker met where it could not write for want of room."""
    failures = (outcome,) if isinstance(outcome, HourFailed) else outcome.failures
    for failure in failures:
        if failure.reason is Reason.NO_SPACE:
            raise OSError(errno.ENOSPC, failure.detail)
