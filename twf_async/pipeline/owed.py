"""What of a run's frames is still to be drawn, and what became of the others. Tells nobody."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

from twf_async.pipeline.report import MissingFrame, RunCount
from twf_async.plan.orders import HourOrder, NotApplicable, ProductOrder
from twf_async.publish.document import FrameChange
from twf_async.publish.manifest import FrameName, FrameState

Waiting = Mapping[int, tuple[ProductOrder, ...]]  # hour -> its products
Faults = Mapping[
    tuple[str, str], "Fault"
]  # region, product -> why a frame of an hour will not come


@dataclass(frozen=True, slots=True)
class Fault:
    """Why frames are not there."""

    reason: str
    detail: str = ""


class OwedFrames:
    """The names of a run's frames, sorted by what is to be done for them.

    old     those online in an earlier style, and why they are still so; "" while that may change
    """

    def __init__(self) -> None:
        self.old: dict[FrameName, str] = {}
        self._todo: dict[tuple[int, str], tuple[str, ...]] = {}  # hour, product -> regions
        self._expected: dict[int, set[FrameName]] = {}  # by hour
        self._not_applicable: set[FrameName] = set()
        self._failed: dict[FrameName, Fault] = {}
        self._published: set[FrameName] = set()

    def waiting(self, orders: Iterable[HourOrder]) -> Waiting:
        """Hour -> its products of which any region is still to be drawn."""
        return self.left({order.hour: order.drawn for order in orders})

    def left(self, waiting: Waiting) -> Waiting:
        """Of what waits, the products of which any region is still to be drawn."""
        left = {
            hour: tuple(order for order in orders if (hour, order.product.key) in self._todo)
            for hour, orders in waiting.items()
        }
        return {hour: orders for hour, orders in left.items() if orders}

    def regions(self, hour: int) -> dict[str, tuple[str, ...]]:
        """Product -> regions still to be drawn at *hour*."""
        return {product: todo for (at, product), todo in self._todo.items() if at == hour}

    @property
    def count(self) -> RunCount:
        """How far the run is."""
        expected = sum(map(len, self._expected.values()))
        counts = map(len, (self._published, self._failed, self._not_applicable))
        return RunCount(expected, *counts)

    @property
    def missing(self) -> tuple[MissingFrame, ...]:
        """Frames that should be there and are not, by hour."""
        gone = set().union(*self._expected.values()) - self._published
        unknown = Fault("unfinished")
        return tuple(
            MissingFrame(*name, fault.reason, fault.detail)
            for name in sorted(gone, key=lambda name: (name[2], name[1], name[0]))
            for fault in (self._failed.get(name, unknown),)
        )

    def _take(
        self,
        orders: Iterable[HourOrder],
        regions: Collection[str],
        online: Collection[FrameName],
        old: Collection[FrameName],
    ) -> list[FrameChange]:
        """Owe all that is not *online*, and what is so in an *old* style; returns what is new."""
        changes: list[FrameChange] = []
        for order in orders:
            for product in order.products:
                names = [(region, product.product.key, order.hour) for region in regions]
                if isinstance(product, NotApplicable):
                    self._not_applicable.update(names)
                    state = FrameState.NOT_APPLICABLE
                    changes += [FrameChange(*name, state, product.reason) for name in names]
                    continue
                self._expected.setdefault(order.hour, set()).update(names)
                self._published.update(name for name in names if name in online)
                self.old |= {name: "" for name in names if name in old}
                todo = [name for name in names if name not in online or name in old]
                self._owe(todo)
                changes += [FrameChange(*name, FrameState.EXPECTED) for name in todo]
        return changes

    def _take_old(
        self, orders: Iterable[HourOrder], regions: Collection[str], old: Collection[FrameName]
    ) -> None:
        """Owe what is online in an *old* style, and nothing else."""
        for order in orders:
            for product in order.drawn:
                names = [(region, product.product.key, order.hour) for region in regions]
                found = [name for name in names if name in old]
                self._owe(found)
                self.old |= dict.fromkeys(found, "")
        for name in self.old:
            self._expected.setdefault(name[2], set()).add(name)
        self._published |= self.old.keys()

    def _take_again(self, hour: int, products: Iterable[str]) -> None:
        """Owe these products in all their regions, once more."""
        for product in products:
            names = sorted(name for name in self._expected.get(hour, ()) if name[1] == product)
            self._owe(names)
            for name in names:
                self._failed.pop(name, None)

    def _owe(self, names: Iterable[FrameName]) -> None:
        """names: of one product at one hour."""
        todo = tuple(names)
        if todo:
            _, product, hour = todo[0]
            self._todo[hour, product] = tuple(region for region, *_ in todo)

    def _owed(self, hour: int, products: Iterable[str]) -> Iterator[tuple[str, str]]:
        """Region and product of what is to be drawn of these at *hour*."""
        for product in products:
            for region in self._todo.get((hour, product), ()):
                yield region, product

    def _put_online(self, name: FrameName) -> None:
        self._published.add(name)
        self.old.pop(name, None)
        self._failed.pop(name, None)

    def _lose(self, hour: int, faults: Faults) -> dict[tuple[str, str], Fault]:
        """Frames that will not come, and are owed no more; returns those that have failed by that.

        What is online in an earlier style stays, and has not failed.
        """
        for product in {product for _, product in faults}:
            left = [name for name in self._owed(hour, [product]) if name not in faults]
            self._todo.pop((hour, product), None)
            self._owe((*name, hour) for name in left)
        kept = {name for name in faults if (*name, hour) in self.old}
        self.old |= {(*name, hour): faults[name].reason for name in kept}
        failed = {name: fault for name, fault in faults.items() if name not in kept}
        self._failed |= {(*name, hour): fault for name, fault in failed.items()}
        return failed

    def _is_settled(self, hour: int) -> bool:
        """Whether none of an hour's frames is to come any more."""
        return self._expected.get(hour, set()) <= self._published | self._failed.keys()
