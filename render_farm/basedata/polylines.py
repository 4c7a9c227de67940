"""Many lines in flat arrays: how a layer is kept in a file, and found again by box."""

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from render_farm.domain.places import Box

Line = NDArray[np.float32]  # (n, 2) longitude and latitude in degrees, n >= 2, read-only
Flags = NDArray[np.bool_]
Indices = NDArray[np.int64]

QUANTUM_DEG = 1e-4  # 11 m, far below a pixel of any map; steps of a line then fit 16 bits
CHUNK_SEGMENTS = 32  # segments under one bounding box: 50 to 100 km of a coast


@dataclass(frozen=True)
class Chunks:
    """Runs of at most CHUNK_SEGMENTS segments of one line, and the degrees each spans."""

    first: Indices  # index of the first point
    last: Indices  # index of the last point, included
    low: NDArray[np.float32]  # (k, 2) west, south
    high: NDArray[np.float32]  # (k, 2) east, north


@dataclass(frozen=True)
class Polylines:
    """Lines one after the other.

    points: float32 (n, 2) longitude -180..180 and latitude in degrees, read-only. No line crosses
    the date line: there it ends at 180 and another begins at -180.
    bounds: int64 (k+1,), line i is points[bounds[i]:bounds[i+1]].
    """

    points: NDArray[np.float32]
    bounds: Indices

    @classmethod
    def of(cls, points: NDArray[np.float32], bounds: Indices) -> "Polylines":
        """Take both arrays over; nobody may write to them afterwards."""
        points.flags.writeable = False
        bounds.flags.writeable = False
        return cls(points, bounds)

    def lines(self) -> list[Line]:
        """Every line, as views."""
        ends = self.bounds.tolist()
        return [self.points[a:b] for a, b in pairwise(ends)]

    @cached_property
    def chunks(self) -> Chunks:
        """The pieces by which lines are found."""
        segments = np.diff(self.bounds) - 1
        per_line = -(-segments // CHUNK_SEGMENTS)
        line = np.repeat(np.arange(len(segments)), per_line)
        place = np.arange(len(line)) - np.repeat(np.cumsum(per_line) - per_line, per_line)
        first = self.bounds[line] + place * CHUNK_SEGMENTS
        last = np.minimum(first + CHUNK_SEGMENTS, self.bounds[line + 1] - 1)
        if not len(first):
            empty = np.empty((0, 2), np.float32)
            return Chunks(first, last, empty, empty)
        # reduceat stops before the next chunk's first point, which is this one's last
        low = np.minimum(np.minimum.reduceat(self.points, first), self.points[last])
        high = np.maximum(np.maximum.reduceat(self.points, first), self.points[last])
        return Chunks(first, last, low, high)

    def near(self, box: Box) -> list[Line]:
        """The parts of lines that may touch the box, as views.

        Whole chunks, not cut at the box: a part reaches beyond it, and neighbouring chunks of one
        line come as one line. Nothing that touches the box is left out.
        """
        chunks = self.chunks
        found = np.flatnonzero(overlap(chunks.low, chunks.high, box))
        if not len(found):
            return []
        first, last = chunks.first[found], chunks.last[found]
        breaks = np.flatnonzero(first[1:] != last[:-1])
        begins = first[np.concatenate(([0], breaks + 1))].tolist()
        ends = last[np.concatenate((breaks, [len(found) - 1]))].tolist()
        return [self.points[a : b + 1] for a, b in zip(begins, ends, strict=True)]

    def without(self, dropped: Flags) -> "Polylines":
        """The lines less some segments; dropped: bool (n-1,), segment i joins points i and i+1."""
        kept = ~dropped
        kept[self.bounds[1:-1] - 1] = False  # these join two lines and are none
        begins = np.flatnonzero(kept & ~np.concatenate(([False], kept[:-1])))
        ends = np.flatnonzero(kept & ~np.concatenate((kept[1:], [False]))) + 2
        inside = np.zeros(len(self.points) + 1, np.int8)
        inside[begins] += 1
        inside[ends] -= 1
        points = self.points[np.cumsum(inside[:-1]).astype(bool)]
        return Polylines.of(points, np.concatenate(([0], np.cumsum(ends - begins))))


def overlap(low: NDArray[np.float32], high: NDArray[np.float32], box: Box) -> Flags:
    """Which boxes, low (k, 2) west, south to high (k, 2) east, north, touch this box."""
    east, west = low[:, 0] <= box.east, high[:, 0] >= box.west
    across = east & west if box.west <= box.east else east | west
    return across & (low[:, 1] <= box.north) & (high[:, 1] >= box.south)


def read(path: Path) -> tuple[Polylines, NDArray[np.int32]]:
    """The lines of a file, and how many rings each polygon has (empty: no polygons).

    The file (`build.py` writes it) holds `begin` int32 (k, 2), the first point of each line in
    QUANTUM_DEG, `counts` int32 (k,) points of each line, `steps` int16 (n-k, 2) from point to
    point, and `rings` int32. Raises OSError, or ValueError for a file that is none of ours.
    """
    with np.load(path, allow_pickle=False) as file:
        begin, counts, steps, rings = (file[n] for n in ("begin", "counts", "steps", "rings"))
    bounds = np.concatenate(([0], np.cumsum(counts, dtype=np.int64)))
    firsts = bounds[:-1]
    units = np.zeros((int(bounds[-1]), 2), np.int32)
    within = np.ones(len(units), np.bool_)
    within[firsts] = False
    units[within] = steps
    np.cumsum(units, axis=0, out=units)
    units += np.repeat(begin - units[firsts], counts, axis=0)
    return Polylines.of((units * QUANTUM_DEG).astype(np.float32), bounds), rings
