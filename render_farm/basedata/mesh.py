"""Turns areas that share borders into lines that hold each border once. Not used at run time."""

from collections import defaultdict
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from render_farm.basedata.polylines import QUANTUM_DEG

Units = NDArray[np.int64]  # (n, 2) longitude, latitude in QUANTUM_DEG


@dataclass(frozen=True, slots=True)
class Mesh:
    """Segments (m, 2, 2) in QUANTUM_DEG: between areas of one group, of two groups, of one only."""

    inner: Units
    between: Units
    outer: Units


def units(degrees: NDArray[np.float64]) -> Units:
    """Degrees to the grid that all layers are kept on, so that equal places stay equal."""
    return np.round(np.asarray(degrees) / QUANTUM_DEG).astype(np.int64)


def mesh(areas: NDArray[np.object_], groups: NDArray[np.int64]) -> Mesh:
    """Sort the edges of a coverage by who lies on their two sides; groups: one id per area."""
    parts, area_of_part = shapely.get_parts(areas, return_index=True)
    rings, part_of_ring = shapely.get_rings(parts, return_index=True)
    points, ring_of_point = shapely.get_coordinates(rings, return_index=True)
    places, ids = np.unique(units(points), axis=0, return_inverse=True)
    ids = ids.reshape(-1)
    joined = ring_of_point[1:] == ring_of_point[:-1]
    owner = area_of_part[part_of_ring[ring_of_point[:-1]]][joined]
    a, b = ids[:-1][joined], ids[1:][joined]
    edges = np.column_stack([np.minimum(a, b), np.maximum(a, b), owner])[a != b]
    edges, times = np.unique(edges, axis=0, return_counts=True)
    edges = edges[times % 2 == 1]  # twice along one area is a spike that rounding made
    pairs, first, sides = np.unique(edges[:, :2], axis=0, return_index=True, return_counts=True)
    group = groups[edges[:, 2]]
    same = group[first] == group[np.minimum(first + 1, len(group) - 1)]
    segments = places[pairs]
    return Mesh(
        inner=segments[(sides > 1) & same],
        between=segments[(sides > 1) & ~same],
        outer=segments[sides == 1],
    )


def chain(segments: Units) -> list[Units]:
    """Join segments to lines as long as may be; lines end where not exactly two segments meet."""
    places, flat = np.unique(segments.reshape(-1, 2), axis=0, return_inverse=True)
    pairs = np.unique(np.sort(flat.reshape(-1, 2), axis=1), axis=0)
    meets: dict[int, list[int]] = defaultdict(list)
    for index, (a, b) in enumerate(pairs.tolist()):
        meets[a].append(index)
        meets[b].append(index)
    ends = pairs.tolist()
    free = np.ones(len(pairs), bool)
    lines = []
    forks = [p for p in sorted(meets) if len(meets[p]) != 2]
    for start in [*forks, *sorted(meets)]:  # forks first; what is left then are closed rings
        for first in meets[start]:
            if not free[first]:
                continue
            line, edge = [start], first
            while free[edge]:
                free[edge] = False
                a, b = ends[edge]
                line.append(b if a == line[-1] else a)
                if len(meets[line[-1]]) == 2:
                    edge = sum(meets[line[-1]]) - edge
            lines.append(places[line])
    return lines
