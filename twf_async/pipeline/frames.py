"""The frames of one run and their states, told to the manifest, the ledger and the listeners."""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from render_farm.domain.jobs import Frame, HourRendered
from twf_async.clock import Clock
from twf_async.ledger.entries import FrameEntry
from twf_async.ledger.ledger import Ledger
from twf_async.pipeline.entries import drawn_entry, online_entries
from twf_async.pipeline.freshness import RunFreshness
from twf_async.pipeline.report import MissingFrame, RunCount
from twf_async.plan.orders import HourOrder, NotApplicable, ProductOrder
from twf_async.plan.progress import Drawable
from twf_async.plan.styles import Styles
from twf_async.publish.document import FrameChange
from twf_async.publish.events import FRAME_PUBLISHED, EventBus
from twf_async.publish.manifest import FrameName, FrameState
from twf_async.publish.tree import PublishedTree


@dataclass(frozen=True, slots=True)
class Fault:
    """Why frames are not there."""

    reason: str
    detail: str = ""


class RunFrames:
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
        self.model, self.cycle = model, cycle
        self._tree, self._ledger, self._events, self._clock = tree, ledger, events, clock
        self._styles = styles
        self.old: dict[FrameName, str] = {}  # online in an earlier style; why it is still so
        self._todo: dict[tuple[int, str], tuple[str, ...]] = {}
        self._expected: set[FrameName] = set()
        self._not_applicable: set[FrameName] = set()
        self._failed: dict[FrameName, Fault] = {}
        self._published: set[FrameName] = set()
        self.drawn = 0
        self.freshness = freshness

    def expect(self, orders: Iterable[HourOrder], regions: tuple[str, ...]) -> None:
        """Take in what the run is to have; what is online as it would be drawn now is done."""
        online = self._tree.published(self.model, self.cycle)
        self.freshness.known({hour for *_, hour in online})
        old = self._tree.restyle(self.model, self.cycle, self._styles)
        changes: list[FrameChange] = []
        for order in orders:
            for product in order.products:
                names = [(region, product.product.key, order.hour) for region in regions]
                if isinstance(product, NotApplicable):
                    self._not_applicable.update(names)
                    changes += [
                        FrameChange(*name, FrameState.NOT_APPLICABLE, product.reason)
                        for name in names
                    ]
                    continue
                self._expected.update(names)
                self._published.update(name for name in names if name in online)
                self.old |= {name: "" for name in names if name in old}
                todo = tuple(name[0] for name in names if name not in online or name in old)
                if todo:
                    self._todo[order.hour, product.product.key] = todo
                    changes += [
                        FrameChange(region, product.product.key, order.hour, FrameState.EXPECTED)
                        for region in todo
                    ]
        self._tree.mark(self.model, self.cycle, changes)

    def expect_old(
        self, orders: Iterable[HourOrder], regions: tuple[str, ...]
    ) -> frozenset[FrameName]:
        """Take in only what is online and would be drawn otherwise now; returns that."""
        old = self._tree.restyle(self.model, self.cycle, self._styles)
        self.freshness.known({hour for *_, hour in old})
        for order in orders:
            for product in order.drawn:
                key = product.product.key
                names = [(region, key, order.hour) for region in regions]
                if found := [name for name in names if name in old]:
                    self._todo[order.hour, key] = tuple(region for region, *_ in found)
                    self.old |= dict.fromkeys(found, "")
        self._expected |= self.old.keys()
        self._published |= self.old.keys()
        return frozenset(self.old)

    async def announce_old(self) -> None:
        """Have the marks of an earlier style on disk before anything is drawn again.

        After a crash they tell which pictures may have been replaced already.
        """
        if self.old:
            with suppress(OSError):  # a full disk; it is written as soon as there is room
                await self._tree.flush()

    def waiting(self, orders: Iterable[HourOrder]) -> dict[int, tuple[ProductOrder, ...]]:
        """Hour -> its products of which any region is still to be drawn."""
        waiting = {
            order.hour: tuple(o for o in order.drawn if (order.hour, o.product.key) in self._todo)
            for order in orders
        }
        return {hour: left for hour, left in waiting.items() if left}

    def regions(self, hour: int) -> dict[str, tuple[str, ...]]:
        """Product -> regions still to be drawn at *hour*."""
        return {product: todo for (at, product), todo in self._todo.items() if at == hour}

    def mark(
        self,
        hour: int,
        products: Iterable[str],
        state: FrameState,
        *,
        eta: datetime | None = None,
    ) -> None:
        """Note that unpublished frames are expected, being fetched or being drawn."""
        self._tree.mark(
            self.model,
            self.cycle,
            [
                FrameChange(region, product, hour, state, eta=eta)
                for product in products
                for region in self._todo.get((hour, product), ())
            ],
        )

    def again(self, redo: Mapping[int, tuple[ProductOrder, ...]]) -> None:
        """These products are drawn once more; what is online stays until then."""
        for hour, orders in redo.items():
            for order in orders:
                key = order.product.key
                names = [name for name in self._expected if name[1:] == (key, hour)]
                self._todo[hour, key] = tuple(sorted(region for region, *_ in names))
                for name in names:
                    self._failed.pop(name, None)
            self.mark(hour, [order.product.key for order in orders], FrameState.EXPECTED)

    async def fail(self, drawable: Drawable) -> None:
        """The products of *drawable* that cannot be drawn at all."""
        await self._fail(
            drawable.hour,
            {
                (region, failed.product): Fault(failed.reason, failed.detail)
                for failed in drawable.failed
                for region in self._todo[drawable.hour, failed.product]
            },
        )

    async def fail_drawing(self, drawable: Drawable, fault: Fault) -> None:
        """A whole job came to nothing."""
        await self._fail(
            drawable.hour,
            {
                (region, order.product.key): fault
                for order in drawable.orders
                for region in self._todo[drawable.hour, order.product.key]
            },
        )

    async def fail_frames(self, hour: int, faults: Mapping[tuple[str, str], Fault]) -> None:
        """Frames of an hour, by region and product, that will not come."""
        await self._fail(hour, faults)

    async def publish(self, outcome: HourRendered) -> tuple[Frame, ...]:
        """Bring a job's frames online, and tell everyone; OSError when the disk refuses."""
        rendered_at = self._clock.now()
        online = await self._tree.publish(outcome)
        names = {(frame.region, frame.product) for frame in online}
        faults = {
            (failure.region, failure.product): Fault(failure.reason.value, failure.detail)
            for failure in outcome.failures
        }
        for frame in outcome.frames:
            if (frame.region, frame.product) not in names | faults.keys():
                faults[frame.region, frame.product] = Fault("render error", "staged file gone")
        self.drawn += len(online)
        now = self._clock.now()
        for frame in online:
            name = (frame.region, frame.product, outcome.hour)
            self._published.add(name)
            self.old.pop(name, None)
            self._failed.pop(name, None)
            self._events.emit(FRAME_PUBLISHED, self._announcement(frame, outcome.hour))
        await self._ledger.record_frames(online_entries(outcome, online, now))
        if online:
            self.freshness.online(outcome.hour, rendered_at)
        await self._ledger.record_hours([drawn_entry(outcome)])
        await self._fail(outcome.hour, faults)
        return online

    @property
    def count(self) -> RunCount:
        """How far the run is."""
        return RunCount(
            len(self._expected),
            len(self._published),
            len(self._failed),
            len(self._not_applicable),
        )

    @property
    def missing(self) -> tuple[MissingFrame, ...]:
        """Frames that should be there and are not, by hour."""
        gone = self._expected - self._published
        unknown = Fault("unfinished")
        return tuple(
            MissingFrame(*name, fault.reason, fault.detail)
            for name in sorted(gone, key=lambda name: (name[2], name[1], name[0]))
            for fault in (self._failed.get(name, unknown),)
        )

    async def _settle(self, hour: int) -> None:
        """Note how long the hour took, once none of its frames is to come any more."""
        frames = {name for name in self._expected if name[2] == hour}
        if frames <= self._published | self._failed.keys():
            entry = await self.freshness.settled(hour)
            await self._ledger.record_hours([entry] if entry else [])

    async def _fail(self, hour: int, faults: Mapping[tuple[str, str], Fault]) -> None:
        # What is online in an earlier style stays, and has not failed.
        kept = {name for name in faults if (*name, hour) in self.old}
        self.old |= {(*name, hour): faults[name].reason for name in kept}
        faults = {name: fault for name, fault in faults.items() if name not in kept}
        if faults:
            await self._note_failed(hour, faults)
        await self._settle(hour)

    async def _note_failed(self, hour: int, faults: Mapping[tuple[str, str], Fault]) -> None:
        self._failed.update({(*name, hour): fault for name, fault in faults.items()})
        failed = FrameState.FAILED
        self._tree.mark(
            self.model,
            self.cycle,
            [
                FrameChange(*name, hour, failed, fault.reason, fault.detail)
                for name, fault in faults.items()
            ],
        )
        await self._ledger.record_frames(
            FrameEntry(
                self.model, self.cycle, hour, *name, failed.value, fault.reason, fault.detail
            )
            for name, fault in faults.items()
        )

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
