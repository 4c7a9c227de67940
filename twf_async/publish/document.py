"""The manifest of one run while it changes: plain dictionaries, one JSON text per write.

A run of 85 hours has some 5,000 frames; validating them anew for each of its writes would cost more
than drawing. `Manifest` (manifest.py) is the same document for those who read it.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Self

import orjson

from render_farm.domain.jobs import Frame, FrameFailure, ValueGridFile
from twf_async.publish.manifest import SCHEMA, FrameState, Manifest, RunState, hour_name

UNSETTLED = {FrameState.FETCHING.value, FrameState.RENDERING.value}
_UTC_MS = orjson.OPT_UTC_Z | orjson.OPT_NAIVE_UTC


@dataclass(frozen=True, slots=True)
class FrameChange:
    """A frame's new state; `published` comes only from publishing."""

    region: str
    product: str
    hour: int
    state: FrameState
    reason: str = ""
    detail: str = ""
    eta: datetime | None = None


@dataclass(slots=True)
class RunDocument:
    """One run. frames: region -> product -> "f006" -> record without its empty entries.

    held      why nothing new comes in for now; of the process that writes, so not read back
    online    (region, product, hour) of what is published; grows only
    """

    model: str
    cycle: str
    created_at: datetime
    updated_at: datetime
    state: RunState = RunState.RUNNING
    notice: str = ""
    held: str = ""
    hours: tuple[int, ...] = ()
    regions: tuple[str, ...] = ()
    products: tuple[str, ...] = ()
    frames: dict[str, dict[str, dict[str, dict[str, Any]]]] = field(default_factory=dict)
    online: set[tuple[str, str, int]] = field(default_factory=set)

    @classmethod
    def from_json(cls, text: bytes, *, model: str, cycle: str) -> Self:
        """Read the manifest of this run; ValueError when it is not that.

        What was being worked on when it was written counts as expected.
        """
        whole = Manifest.model_validate_json(text)
        if (whole.model, whole.cycle) != (model, cycle):
            raise ValueError(f"it is the manifest of {whole.model} {whole.cycle}")
        frames = orjson.loads(text)["frames"]
        for products in frames.values():
            for hours in products.values():
                for name, record in hours.items():
                    if record["state"] in UNSETTLED:
                        hours[name] = {"state": FrameState.EXPECTED.value}
        document = cls(
            whole.model,
            whole.cycle,
            whole.created_at,
            whole.updated_at,
            whole.state,
            whole.notice,
            hours=whole.hours,
            regions=whole.regions,
            products=whole.products,
            frames=frames,
        )
        document.online = document.published()
        return document

    def to_json(self) -> bytes:
        """The manifest as it is written and served. Records leave out what is empty."""
        return orjson.dumps(
            {
                "schema": SCHEMA,
                "model": self.model,
                "cycle": self.cycle,
                "state": self.state.value,
                "created_at": self.created_at,
                "updated_at": self.updated_at,
                "hours": self.hours,
                "regions": self.regions,
                "products": self.products,
                "notice": self.notice,
                "held": self.held,
                "frames": self.frames,
            },
            option=_UTC_MS,
        )

    def extend(self, hours: Iterable[int], regions: Iterable[str], products: Iterable[str]) -> bool:
        """Expect these frames too; what is known of others stays. Says whether anything changed."""
        before = (self.hours, self.regions, self.products)
        hours, regions, products = tuple(hours), tuple(regions), tuple(products)
        self.hours = tuple(sorted({*self.hours, *hours}))
        self.regions = _joined(self.regions, regions)
        self.products = _joined(self.products, products)
        added = False
        for region in regions:
            for product in products:
                known = self.frames.setdefault(region, {}).setdefault(product, {})
                for hour in hours:
                    if hour_name(hour) not in known:
                        known[hour_name(hour)] = {"state": FrameState.EXPECTED.value}
                        added = True
        return added or before != (self.hours, self.regions, self.products)

    def record(self, region: str, product: str, hour: int) -> dict[str, Any] | None:
        """What is known of a frame."""
        return self.frames.get(region, {}).get(product, {}).get(hour_name(hour))

    def summary(self) -> dict[str, Any]:
        """The run without its frames: state, times, and how many frames are in each state."""
        states = Counter(
            record["state"]
            for products in self.frames.values()
            for hours in products.values()
            for record in hours.values()
        )
        return {
            "model": self.model,
            "cycle": self.cycle,
            "state": self.state.value,
            "created_at": self.created_at,
            "updated_at": self.updated_at,
            "hours": self.hours,
            "held": self.held,
            "counts": dict(states),
        }

    def bytes(self) -> int:
        """What the published frames and their value grids take on disk."""
        return sum(
            record["bytes"] + (record.get("values") or {}).get("bytes", 0)
            for products in self.frames.values()
            for hours in products.values()
            for record in hours.values()
            if record["state"] == FrameState.PUBLISHED.value
        )

    def change(self, change: FrameChange) -> bool:
        """Note a new state. A published frame stays published: its picture is still there."""
        record = self.record(change.region, change.product, change.hour)
        if record is not None and record["state"] == FrameState.PUBLISHED.value:
            return False
        fresh: dict[str, Any] = {"state": change.state.value}
        if change.reason:
            fresh["reason"] = change.reason
        if change.detail:
            fresh["detail"] = change.detail
        if change.eta is not None:
            fresh["eta"] = change.eta
        if fresh == record:
            return False
        self._put(change.region, change.product, change.hour, fresh)
        return True

    def fail(self, failure: FrameFailure, hour: int) -> bool:
        """Note that a worker could not draw a frame."""
        return self.change(
            FrameChange(
                failure.region,
                failure.product,
                hour,
                FrameState.FAILED,
                failure.reason.value,
                failure.detail,
            )
        )

    def publish(self, frame: Frame, hour: int, at: datetime) -> None:
        """Note a frame whose files lie in their places."""
        self.online.add((frame.region, frame.product, hour))
        record: dict[str, Any] = {
            "state": FrameState.PUBLISHED.value,
            "hash": frame.sha256[:16],
            "bytes": frame.bytes,
            "width_px": frame.width_px,
            "height_px": frame.height_px,
            "published_at": at,
        }
        if frame.values is not None:
            record["values"] = values_record(frame.values)
        if frame.config_hash:
            record["config_hash"] = frame.config_hash
        self._put(frame.region, frame.product, hour, record)

    def published(self) -> set[tuple[str, str, int]]:
        """(region, product, hour) of every published frame, counted anew from the records."""
        return {
            (region, product, int(name[1:]))
            for region, products in self.frames.items()
            for product, hours in products.items()
            for name, record in hours.items()
            if record["state"] == FrameState.PUBLISHED.value
        }

    def unsettled(self) -> frozenset[tuple[str, str, int]]:
        """(region, product, hour) of every frame that is still to come."""
        open_states = UNSETTLED | {FrameState.EXPECTED.value}
        return frozenset(
            (region, product, int(name[1:]))
            for region, products in self.frames.items()
            for product, hours in products.items()
            for name, record in hours.items()
            if record["state"] in open_states
        )

    def _put(self, region: str, product: str, hour: int, record: dict[str, Any]) -> None:
        self.frames.setdefault(region, {}).setdefault(product, {})[hour_name(hour)] = record


def values_record(values: ValueGridFile) -> dict[str, Any]:
    """What the manifest says of a value grid."""
    return {"hash": values.sha256[:16], "bytes": values.bytes}


def _joined(known: tuple[str, ...], more: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*known, *more)))
