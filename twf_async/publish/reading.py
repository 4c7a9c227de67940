"""What is published, as readers in this process see it: exactly what was last written to disk."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from twf_async.errors import TwfError
from twf_async.publish.document import RunDocument
from twf_async.publish.manifest import VALUES_SUFFIX, Manifest, hour_name
from twf_async.publish.pins import Pin
from twf_async.publish.tombstones import Tombstones


class UnknownRun(TwfError):
    """The run was never opened here, or has been deleted."""


@dataclass(slots=True)
class RunOnDisk:
    """One run: the document being changed, and what the file on disk says.

    opened  how often somebody has begun to work on it
    """

    document: RunDocument
    text: bytes = b""
    published: set[tuple[str, str, int]] = field(default_factory=set)
    opened: int = 0


class PublishedRuns:
    """Every run of a tree. The writing half is `PublishedTree`."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.maps = root / "maps"
        self._runs: dict[tuple[str, str], RunOnDisk] = {}
        self._pins: dict[tuple[str, str], Pin] = {}
        self._departed: dict[str, Tombstones] = {}

    def models(self) -> tuple[str, ...]:
        """Models of which any run is known."""
        return tuple(sorted({model for model, _ in self._runs}))

    def runs(self, model: str) -> tuple[str, ...]:
        """Cycles of a model, newest first; also those that have no frame yet."""
        return tuple(sorted((c for m, c in self._runs if m == model), reverse=True))

    def newest(self, model: str) -> str | None:
        """The newest cycle that has something to show."""
        return next((c for c in self.runs(model) if self._runs[model, c].published), None)

    def newest_with(self, model: str, region: str, product: str, hour: int) -> str | None:
        """The newest cycle that has this frame."""
        frame = (region, product, hour)
        return next((c for c in self.runs(model) if frame in self._runs[model, c].published), None)

    def is_published(self, model: str, cycle: str, region: str, product: str, hour: int) -> bool:
        """Whether the frame is online."""
        run = self._runs.get((model, cycle))
        return run is not None and (region, product, hour) in run.published

    def published(self, model: str, cycle: str) -> frozenset[tuple[str, str, int]]:
        """(region, product, hour) of everything online of a run."""
        run = self._runs.get((model, cycle))
        return frozenset(run.published) if run else frozenset()

    def unsettled(self, model: str, cycle: str) -> frozenset[tuple[str, str, int]]:
        """(region, product, hour) of every frame of a run that is still to come."""
        return self._run(model, cycle).document.unsettled()

    def manifest(self, model: str, cycle: str) -> Manifest | None:
        """The manifest as last written, checked.

        Made anew each time: a large run's takes ten megabytes, and time that no request should.
        """
        run = self._runs.get((model, cycle))
        return Manifest.model_validate_json(run.text) if run and run.text else None

    def manifest_json(self, model: str, cycle: str) -> bytes | None:
        """The manifest's text as last written."""
        run = self._runs.get((model, cycle))
        return (run.text or None) if run else None

    def frame_record(
        self, model: str, cycle: str, region: str, product: str, hour: int
    ) -> dict[str, Any] | None:
        """What is known of one frame, as in the manifest; None when nothing is expected there."""
        run = self._runs.get((model, cycle))
        return run.document.record(region, product, hour) if run else None

    def online(
        self, model: str, cycle: str, region: str
    ) -> Iterator[tuple[str, int, dict[str, Any]]]:
        """(product, hour, record) of what is online of a region, in the manifest's order."""
        run = self._runs.get((model, cycle))
        frames = run.document.frames.get(region, {}) if run else {}
        for product, hours in frames.items():
            for name, record in hours.items():
                if self.is_published(model, cycle, region, product, int(name[1:])):
                    yield product, int(name[1:]), record

    def frame_hash(
        self, model: str, cycle: str, region: str, product: str, hour: int
    ) -> str | None:
        """The content hash of a frame that is online, else None."""
        if not self.is_published(model, cycle, region, product, hour):
            return None
        record = self.frame_record(model, cycle, region, product, hour)
        return record.get("hash") if record else None

    def values_hash(
        self, model: str, cycle: str, region: str, product: str, hour: int
    ) -> str | None:
        """The content hash of a value grid that is online, else None."""
        if not self.is_published(model, cycle, region, product, hour):
            return None
        record = self.frame_record(model, cycle, region, product, hour) or {}
        values = record.get("values")
        return values["hash"] if values else None

    def newest_with_values(self, model: str, region: str, product: str, hour: int) -> str | None:
        """The newest cycle that has this frame's value grid."""
        place = region, product, hour
        return next((c for c in self.runs(model) if self.values_hash(model, c, *place)), None)

    def was_published(self, model: str, cycle: str, region: str, product: str, hour: int) -> bool:
        """Whether the frame was of a run that has been taken off."""
        stones = self._departed.get(model)
        return stones is not None and stones.has(cycle, region, product, hour)

    def was_evicted(self, model: str, cycle: str) -> bool:
        """Whether a run has been taken off, and is not there again."""
        stones = self._departed.get(model)
        return stones is not None and cycle in stones.runs and (model, cycle) not in self._runs

    def pinned(self, model: str) -> frozenset[str]:
        """Cycles of a model that are kept whatever their age."""
        return frozenset(cycle for of, cycle in self._pins if of == model)

    def pin_of(self, model: str, cycle: str) -> Pin | None:
        """Why a run is kept; None where it is not pinned."""
        return self._pins.get((model, cycle))

    def summary(self, model: str, cycle: str) -> dict[str, Any]:
        """A run in a line: state, times, frames by state, and why it is kept if it is pinned."""
        pin = self.pin_of(model, cycle)
        return {
            **self._run(model, cycle).document.summary(),
            "pinned": None if pin is None else pin.reason,
        }

    def run_bytes(self, model: str, cycle: str) -> int:
        """What the frames of a run and their value grids take on disk."""
        return self._run(model, cycle).document.bytes()

    def run_path(self, model: str, cycle: str) -> Path:
        """The directory of a run."""
        return self.maps / model / cycle

    def manifest_path(self, model: str, cycle: str) -> Path:
        """Where a run's manifest lies."""
        return self.run_path(model, cycle) / "manifest.json"

    def frame_path(self, model: str, cycle: str, region: str, product: str, hour: int) -> Path:
        """Where a frame lies once it is published."""
        return self.run_path(model, cycle) / region / product / f"{hour_name(hour)}.png"

    def values_path(self, model: str, cycle: str, region: str, product: str, hour: int) -> Path:
        """Where a frame's value grid lies once it is published."""
        return self.frame_path(model, cycle, region, product, hour).with_suffix(VALUES_SUFFIX)

    def _run(self, model: str, cycle: str) -> RunOnDisk:
        run = self._runs.get((model, cycle))
        if run is None:
            raise UnknownRun(
                f"{model} {cycle} is not open in {self.maps}; it may have been deleted"
            )
        return run
