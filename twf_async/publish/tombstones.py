"""Runs that were online once: `maps/{model}/evicted.json`, written before a run goes.

Maps are linked from elsewhere for years, and who follows such a link is to be told that the map is
gone, not that it never was; and of one that failed at the time, not that it is gone. Runs of a
model mostly had the same frames, so each set of frames is written once, as a few blocks of hours x
regions x products, and a run is its cycle and the number of a set: 20 bytes a run.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import orjson

from twf_async.publish.document import RunDocument
from twf_async.publish.durable import make_directory, write_atomically
from twf_async.publish.manifest import FrameName
from twf_async.publish.whole import read_whole

FILE = "evicted.json"
KEPT = 10_000  # runs of a model: HRRR's of a year, GFS's of seven
MOST_BLOCKS = 20  # of a run; one with more holes is remembered as a whole
MOST_SETS = 300  # of frames, of a model; most runs share one of a few
MOST_BYTES = 64 << 20  # of a file; ours have some 200 kB
_VERSION = 2  # 1 had one block for each set


@dataclass(frozen=True, slots=True)
class Block:
    """Frames of every one of these hours, regions and products."""

    hours: frozenset[int]
    regions: frozenset[str]
    products: frozenset[str]

    def has(self, region: str, product: str, hour: int) -> bool:
        """Whether a frame is within."""
        return hour in self.hours and region in self.regions and product in self.products

    def frames(self) -> Iterator[FrameName]:
        """All of it."""
        for region in self.regions:
            for product in self.products:
                for hour in self.hours:
                    yield region, product, hour


@dataclass(frozen=True, slots=True)
class Extent:
    """What of a run was online."""

    blocks: frozenset[Block] = frozenset()

    @classmethod
    def of(cls, document: RunDocument) -> Self:
        """What of a run is online; nothing else of it was worth a link."""
        return cls.of_frames(document.published())

    @classmethod
    def of_frames(cls, frames: Iterable[FrameName]) -> Self:
        """The fewest blocks that this makes: kinds of maps with the same hours, in like regions."""
        hours_of: defaultdict[tuple[str, str], set[int]] = defaultdict(set)
        for region, product, hour in frames:
            hours_of[region, product].add(hour)
        products_of: defaultdict[tuple[str, frozenset[int]], set[str]] = defaultdict(set)
        for (region, product), hours in hours_of.items():
            products_of[region, frozenset(hours)].add(product)
        regions_of: defaultdict[tuple[frozenset[int], frozenset[str]], set[str]] = defaultdict(set)
        for (region, same), products in products_of.items():
            regions_of[same, frozenset(products)].add(region)
        blocks = frozenset(
            Block(hours, frozenset(regions), products)
            for (hours, products), regions in regions_of.items()
        )
        return cls(blocks) if len(blocks) <= MOST_BLOCKS else cls(frozenset({_hull(blocks)}))

    def has(self, region: str, product: str, hour: int) -> bool:
        """Whether a frame is within."""
        return any(block.has(region, product, hour) for block in self.blocks)

    def joined(self, other: "Extent") -> "Extent":
        """All of both."""
        both = self.blocks | other.blocks
        return Extent.of_frames(frame for block in both for frame in block.frames())


@dataclass(slots=True)
class Tombstones:
    """The evicted runs of one model, at most KEPT of at most MOST_SETS; the oldest go first."""

    runs: dict[str, Extent] = field(default_factory=dict)

    def add(self, cycle: str, extent: Extent) -> None:
        """Note a run that goes; what is known of it from an earlier time stays."""
        before = self.runs.get(cycle)
        whole = extent if before is None else before.joined(extent)
        # The set that a like run has already: a year of HRRR would hold 50 MB of equal ones.
        alike = (known for known in reversed(self.runs.values()) if known == whole)
        self.runs[cycle] = next(alike, whole)
        oldest_first = iter(sorted(self.runs))
        while len(self.runs) > KEPT or len({*self.runs.values()}) > MOST_SETS:
            del self.runs[next(oldest_first)]

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
                "extents": [sorted(map(_entry, extent.blocks), key=repr) for extent in extents],
                "runs": {cycle: number[self.runs[cycle]] for cycle in sorted(self.runs)},
            }
        )

    @classmethod
    def from_json(cls, content: bytes) -> Self:
        """Read a file, of this version or the one before; ValueError for anything else."""
        try:
            document = orjson.loads(content)
            version = document["version"]
            if version not in {1, _VERSION}:
                raise ValueError(f"a list of version {version}")
            entries = document["extents"] if version > 1 else [[e] for e in document["extents"]]
            extents = [Extent(frozenset(map(_block, blocks))) for blocks in entries]
            return cls({cycle: extents[number] for cycle, number in document["runs"].items()})
        except (KeyError, TypeError, IndexError, AttributeError) as error:
            raise ValueError(f"not a list of evicted runs: {error!r}") from error


def read_tombstones(maps: Path, models: Iterable[str]) -> tuple[dict[str, Tombstones], list[str]]:
    """Each model's list, and the models whose list cannot be read: it is begun anew. Blocking.

    What cannot be read is never overwritten by the new one: somebody may mend it.
    """
    found: dict[str, Tombstones] = {}
    bad = []
    for model in models:
        try:
            found[model] = _read(maps / model / FILE)
        except FileNotFoundError:
            continue
        except (ValueError, OSError):
            bad.append(model)
    return found, bad


def set_aside(maps: Path, model: str) -> None:
    """Keep a list that cannot be read beside the new one; OSError where that cannot be done."""
    path = maps / model / FILE
    path.replace(path.with_name(f"{FILE}.corrupt"))


def write_tombstones(maps: Path, model: str, stones: Tombstones) -> None:
    """Replace a model's list; survives a power cut. Blocking."""
    make_directory(maps / model)
    write_atomically(maps / model / FILE, stones.to_json())


def _read(path: Path) -> Tombstones:
    return Tombstones.from_json(read_whole(path, most=MOST_BYTES))


def _hull(blocks: Iterable[Block]) -> Block:
    """All hours with all regions and all products."""
    every = list(blocks)
    return Block(
        frozenset[int]().union(*(block.hours for block in every)),
        frozenset[str]().union(*(block.regions for block in every)),
        frozenset[str]().union(*(block.products for block in every)),
    )


def _entry(block: Block) -> dict[str, list[Any]]:
    return {
        "hours": sorted(block.hours),
        "regions": sorted(block.regions),
        "products": sorted(block.products),
    }


def _block(entry: dict[str, Any]) -> Block:
    return Block(
        frozenset(map(int, entry["hours"])),
        frozenset(map(str, entry["regions"])),
        frozenset(map(str, entry["products"])),
    )
