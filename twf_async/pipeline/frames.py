"""The frames of one run and their states, told to the manifest, the ledger and the listeners."""

from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from datetime import datetime

from render_farm.domain.jobs import Frame, HourRendered
from twf_async.clock import Clock
from twf_async.ledger.ledger import Ledger
from twf_async.pipeline.entries import drawn_entry, failed_entries, online_entries
from twf_async.pipeline.freshness import RunFreshness
from twf_async.pipeline.owed import Fault, Faults, OwedFrames
from twf_async.plan.orders import HourOrder, ProductOrder
from twf_async.plan.progress import Drawable
from twf_async.plan.styles import Styles
from twf_async.publish.document import FrameChange
from twf_async.publish.events import FRAME_PUBLISHED, EventBus
from twf_async.publish.manifest import FrameName, FrameState
from twf_async.publish.tree import PublishedTree


class RunFrames(OwedFrames):
    """Bookkeeping of one run's frames; the only place that says what state they are in."""

    def __init__(
        self,
        model: str,
        cycle: str,
        *,
        tree: PublishedTree,
        ledger: Ledger,
        events: EventBus,
        clock: Clock,
        freshness: RunFreshness,
        styles: Styles,
    ) -> None:
        """styles: (region, product) -> config hash of now."""
        super().__init__()
        self.model, self.cycle = model, cycle
        self.drawn = 0
        self.freshness = freshness
        self._tree, self._ledger, self._events, self._clock = tree, ledger, events, clock
        self._styles = styles

    def expect(self, orders: Iterable[HourOrder], regions: tuple[str, ...]) -> None:
        """Take in what the run is to have; what is online as it would be drawn now is done."""
        online = self._tree.published(self.model, self.cycle)
        self.freshness.known({hour for *_, hour in online})
        old = self._tree.restyle(self.model, self.cycle, self._styles)
        self._note(self._take(orders, regions, online, old))

    def expect_old(
        self, orders: Iterable[HourOrder], regions: tuple[str, ...]
    ) -> frozenset[FrameName]:
        """Take in only what is online and would be drawn otherwise now; returns that."""
        old = self._tree.restyle(self.model, self.cycle, self._styles)
        self.freshness.known({hour for *_, hour in old})
        self._take_old(orders, regions, old)
        return frozenset(self.old)

    async def announce_old(self) -> None:
        """Have the marks of an earlier style on disk before anything is drawn again.

        After a crash they tell which pictures may have been replaced already.
        """
        if self.old:
            with suppress(OSError):  # a full disk; it is written as soon as there is room
                await self._tree.flush()

    def mark(
        self,
        hour: int,
        products: Iterable[str],
        state: FrameState,
        *,
        eta: datetime | None = None,
    ) -> None:
        """Note that unpublished frames are expected, being fetched or being drawn."""
        owed = self._owed(hour, products)
        self._note([FrameChange(*name, hour, state, eta=eta) for name in owed])

    def again(self, redo: Mapping[int, tuple[ProductOrder, ...]]) -> None:
        """These products are drawn once more; what is online stays until then."""
        for hour, orders in redo.items():
            products = [order.product.key for order in orders]
            self._take_again(hour, products)
            self.mark(hour, products, FrameState.EXPECTED)

    async def fail(self, drawable: Drawable) -> None:
        """The products of *drawable* that cannot be drawn at all."""
        faults = {found.product: Fault(found.reason, found.detail) for found in drawable.failed}
        owed = self._owed(drawable.hour, faults)
        await self.fail_frames(drawable.hour, {name: faults[name[1]] for name in owed})

    async def fail_drawing(self, drawable: Drawable, fault: Fault) -> None:
        """A whole job came to nothing."""
        owed = self._owed(drawable.hour, [order.product.key for order in drawable.orders])
        await self.fail_frames(drawable.hour, dict.fromkeys(owed, fault))

    async def fail_unless_in(
        self, regions: Collection[str], hour: int, products: Iterable[str], fault: Fault
    ) -> None:
        """These products of an hour can be drawn for *regions* only."""
        lost = [name for name in self._owed(hour, products) if name[0] not in regions]
        if lost:
            await self.fail_frames(hour, dict.fromkeys(lost, fault))

    async def fail_frames(self, hour: int, faults: Faults) -> None:
        """Frames of an hour, by region and product, that will not come."""
        if failed := self._lose(hour, faults):
            self._note(
                FrameChange(*name, hour, FrameState.FAILED, fault.reason, fault.detail)
                for name, fault in failed.items()
            )
            await self._ledger.record_frames(failed_entries(self.model, self.cycle, hour, failed))
        if self._is_settled(hour):  # how long did it take?
            entry = await self.freshness.settled(hour)
            await self._ledger.record_hours([entry] if entry else [])

    async def publish(self, outcome: HourRendered) -> tuple[Frame, ...]:
        """Bring a job's frames online, and tell everyone; OSError when the disk refuses."""
        rendered_at = self._clock.now()
        online = await self._tree.publish(outcome)
        now = self._clock.now()
        self.drawn += len(online)
        for frame in online:
            self._put_online((frame.region, frame.product, outcome.hour))
            self._events.emit(FRAME_PUBLISHED, self._announcement(frame, outcome.hour))
        await self._ledger.record_frames(online_entries(outcome, online, now))
        if online:
            self.freshness.online(outcome.hour, rendered_at)
        await self._ledger.record_hours([drawn_entry(outcome)])
        await self.fail_frames(outcome.hour, _faults(outcome, online))
        return online

    def _note(self, changes: Iterable[FrameChange]) -> None:
        self._tree.mark(self.model, self.cycle, changes)

    def _announcement(self, frame: Frame, hour: int) -> dict[str, object]:
        return {
            "model": self.model,
            "cycle": self.cycle,
            "hour": hour,
            "region": frame.region,
            "product": frame.product,
            "hash": frame.sha256[:16],
            "values": frame.values.sha256[:16] if frame.values else None,
        }


def _faults(outcome: HourRendered, online: Iterable[Frame]) -> dict[tuple[str, str], Fault]:
    """Why frames of a job are not online."""
    faults = {
        (failure.region, failure.product): Fault(failure.reason.value, failure.detail)
        for failure in outcome.failures
    }
    there = {(frame.region, frame.product) for frame in online} | faults.keys()
    drawn = {(frame.region, frame.product) for frame in outcome.frames}
    return faults | dict.fromkeys(drawn - there, Fault("render error", "staged file gone"))
