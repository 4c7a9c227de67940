"""Finds the lines between countries and provinces that neither source holds ready.

Not used at run time.
"""

import numpy as np
import shapely
from numpy.typing import NDArray

from render_farm.basedata.mesh import Units, chain, units
from render_farm.basedata.polylines import QUANTUM_DEG, Flags
from render_farm.basedata.shores import Shores
from render_farm.basedata.sources import Shapes

SHORE_DEG = 3e-4  # rounding and cutting move a shore by less
NEAR_DEG = 0.15  # a border of the counties runs this near to Natural Earth's
PROBE_DEG = 0.01  # on both sides of a border there is land so far away
AFLOAT_DEG = 0.004  # in a river between two lakes Natural Earth's line runs along its shore
SHORTEST_DEG = 0.01  # shorter pieces are left-overs of rounding at the ends of a border


def between_countries(outer: Units, shores: Shores, shared: Shapes) -> list[Units]:
    """The US border: the counties' outer edges where they are no shore, and over the Great Lakes.

    outer: segments (m, 2, 2) of the counties' outer edges. shared: Natural Earth's lines there.
    """
    ends = outer * QUANTUM_DEG
    middle = ends.mean(axis=1)
    chosen = _near(middle, shared, NEAR_DEG)
    chosen &= ~_near(middle, _segments(np.concatenate([shores.land, shores.great])), SHORE_DEG)
    along = ends[:, 1] - ends[:, 0]
    aside = along[:, ::-1] * [-PROBE_DEG, PROBE_DEG] / np.hypot(*along.T)[:, None]
    land, lakes = _prepared(shores.land), _prepared(shores.great)
    for x, y in ((middle + aside).T, (middle - aside).T):
        chosen &= shapely.intersects_xy(land, x, y) & ~shapely.intersects_xy(lakes, x, y)
    lines = [line for line in chain(outer[chosen]) if _length(line) > SHORTEST_DEG]
    return lines + pieces(shapely.intersection(shared, shapely.buffer(lakes, AFLOAT_DEG)))


def _near(points: NDArray[np.float64], others: Shapes, distance: float) -> Flags:
    """Which of the points (n, 2) lie within this distance, degrees, of one of the others."""
    tree = shapely.STRtree(others)
    found = tree.query(shapely.points(points), predicate="dwithin", distance=distance)[0]
    return np.isin(np.arange(len(points)), found)


def between_provinces(lines: Shapes, countries: Shapes, us: Shapes) -> list[Units]:
    """Of the world's lines between provinces those inside these countries, cut at the US."""
    lines = shapely.get_parts(lines)
    middles = shapely.line_interpolate_point(lines, 0.5, normalized=True)
    inside = shapely.intersects(_prepared(countries), middles)
    return pieces(shapely.difference(lines[inside], _prepared(us)))


def _prepared(shapes: Shapes) -> shapely.Geometry:
    whole = shapely.union_all(shapes)
    shapely.prepare(whole)
    return whole


def _segments(polygons: Shapes) -> Shapes:
    """Every edge of the polygons as a line of two points."""
    points, ring = shapely.get_coordinates(
        shapely.get_rings(shapely.get_parts(polygons)), return_index=True
    )
    pairs = np.stack([points[:-1], points[1:]], axis=1)[ring[:-1] == ring[1:]]
    return np.asarray(shapely.linestrings(pairs), dtype=object)


def pieces(lines: Shapes) -> list[Units]:
    """The lines joined where exactly two ends meet, without the very short."""
    whole = shapely.line_merge(shapely.multilinestrings(shapely.get_parts(lines)))
    parts = shapely.get_parts(whole)
    return [units(shapely.get_coordinates(p)) for p in parts if shapely.length(p) > SHORTEST_DEG]


def _length(line: Units) -> float:
    return float(np.hypot(*np.diff(line, axis=0).T).sum() * QUANTUM_DEG)
