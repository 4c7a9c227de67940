"""Runs that were online once: `maps/{model}/evicted.json`, written before a run goes.

Maps are linked from elsewhere for years, and who follows such a link is to be told that the map is
gone, not that it never was. Runs of a model mostly have the same hours, regions and products, so
each set is written once, and a run is its cycle and the number of a set: 20 bytes a run.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import orjson

from twf_async.publish.document import RunDocument
from twf_async.publish.durable import make_directory, write_atomically

FILE = "evicted.json"
KEPT = 10_000  # runs of a model: HRRR's of a year, GFS's of seven
_VERSION = 1


@dataclass(frozen=True, slots=True)
class Extent:
    """What a run was made of."""

    hours: frozenset[int]
    regions: frozenset[str]
    products: frozenset[str]

    @classmethod
    def of(cls, document: RunDocument) -> Self:
        """What of a run was ever online; nothing of it was worth a link otherwise."""
        online = document.published()
        return cls(
            frozenset(hour for _, _, hour in online),
            frozenset(region for region, _, _ in online),
            frozenset(product for _, product, _ in online),
        )

    def has(self, region: str, product: str, hour: int) -> bool:
        """Whether a frame is within."""
        return hour in self.hours and region in self.regions and product in self.products

    def joined(self, other: "Extent") -> "Extent":
        """All of both."""
        return Extent(
            self.hours | other.hours, self.regions | other.regions, self.products | other.products
        )


@dataclass(slots=True)
class Tombstones:
    """The evicted runs of one model, at most KEPT; the oldest are forgotten first."""

    runs: dict[str, Extent] = field(default_factory=dict)

    def add(self, cycle: str, extent: Extent) -> None:
        """Note a run that goes; what is known of it from an earlier time stays."""
        before = self.runs.get(cycle)
        whole = extent if before is None else before.joined(extent)
        # The set that a like run has already: a year of HRRR would hold 50 MB of equal ones.
        alike = (known for known in reversed(self.runs.values()) if known == whole)
        self.runs[cycle] = next(alike, whole)
        for oldest in sorted(self.runs)[: max(0, len(self.runs) - KEPT)]:
            del self.runs[oldest]

    def has(self, cycle: str, region: str, product: str, hour: int) -> bool:
        """Whether a frame was of a run that went."""
        extent = self.runs.get(cycle)
        return extent is not None and extent.has(region, product, hour)

    def to_json(self) -> bytes:
        """The file's content."""
        extents = list(dict.fromkeys(self.runs.values()))
        number = {extent: index for index, extent in enumerate(extents)}
        return orjson.dumps(
            {
                "version": _VERSION,
                "extents": [
                    {
                        "hours": sorted(extent.hours),
                        "regions": sorted(extent.regions),
                        "products": sorted(extent.products),
                    }
                    for extent in extents
                ],
                "runs": {cycle: number[self.runs[cycle]] for cycle in sorted(self.runs)},
            }
        )

    @classmethod
    def from_json(cls, content: bytes) -> Self:
        """Read a file; ValueError for what `to_json` did not make."""
        try:
            document = orjson.loads(content)
            if document["version"] != _VERSION:
                raise ValueError(f"a list of version {document['version']}")
            extents = [_extent(entry) for entry in document["extents"]]
            return cls({cycle: extents[number] for cycle, number in document["runs"].items()})
        except (KeyError, TypeError, IndexError, AttributeError) as error:
            raise ValueError(f"not a list of evicted runs: {error!r}") from error


def read_tombstones(maps: Path, models: Iterable[str]) -> tuple[dict[str, Tombstones], list[str]]:
    """Each model's list, and the models whose list cannot be read: it is begun anew. Blocking."""
    found: dict[str, Tombstones] = {}
    bad = []
    for model in models:
        try:
            found[model] = Tombstones.from_json((maps / model / FILE).read_bytes())
        except FileNotFoundError:
            continue
        except ValueError:
            bad.append(model)
    return found, bad


def write_tombstones(maps: Path, model: str, stones: Tombstones) -> None:
    """Replace a model's list; survives a power cut. Blocking."""
    make_directory(maps / model)
    write_atomically(maps / model / FILE, stones.to_json())


def _extent(entry: dict[str, Any]) -> Extent:
    return Extent(
        frozenset(map(int, entry["hours"])),
        frozenset(map(str, entry["regions"])),
        frozenset(map(str, entry["products"])),
    )
