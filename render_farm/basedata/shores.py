"""Joins the fine US shore of the Census Bureau to Natural Earth's world. Not used at run time.

Natural Earth knows which side of a border is whose, and where land is; the Census Bureau knows the
US shore ten times better, but nothing beyond the border. Where both meet, Natural Earth's land
fills the gap between them, so land has no cracks along the border.
"""

from dataclasses import dataclass

import numpy as np
import shapely

from render_farm.basedata.polylines import Flags
from render_farm.basedata.sources import Shapes

US = {"USA", "PRI", "VIR", "GUM", "MNP", "ASM"}  # what the counties cover
CORRIDOR_DEG = 0.05  # the two draw one border at most this far apart
GAP_DEG = 0.01  # half of the widest crack between them that may lie open to the sea
ISLAND_DEG = 0.03  # an islet of nobody's this near to the new shore is on it already
GREAT_LAKE_DEG = 0.1  # as far do their shores of the Great Lakes differ
CHANNEL_DEG = 0.003  # narrower water at the lakes' ends is a crack or a river
POND_DEG2 = 1e-3  # 10 km2
SPECK_DEG2 = 1e-5  # 0.1 km2


@dataclass(frozen=True, slots=True)
class Shores:
    """Polygons without overlaps; `great` are those of the lakes that the US shore shaped."""

    land: Shapes
    lakes: Shapes
    great: Shapes


def join(
    land: Shapes, ours: Shapes, others: Shapes, lakes: Shapes, borders: Shapes, us: Shapes
) -> Shores:
    """Natural Earth's land with the US part replaced.

    land, lakes: Natural Earth's polygons. ours, others: its countries inside and outside US.
    borders: its lines between these two. us: polygons of the Census Bureau's land.
    """
    land, others, lakes = (shapely.get_parts(g) for g in (land, others, lakes))
    zone, ashore = shapely.union_all(ours), shapely.union_all(us)
    shapely.prepare([zone, ashore])
    replaced = shapely.intersects(zone, land)
    mixed = land[replaced][_near(land[replaced], others)]
    replaced |= _near(land, us, ISLAND_DEG) & ~_near(land, others)
    beyond = shapely.union_all(others[_near(others, mixed)])
    great = _cut_out(lakes, zone, ashore)
    around = shapely.union_all(shapely.buffer(great, GREAT_LAKE_DEG))
    old = shapely.union_all(mixed)
    water = _water(great, shapely.intersection_all([zone, around, old]), ashore)
    corridor = shapely.union_all(shapely.buffer(borders, CORRIDOR_DEG))
    seam = shapely.intersection(shapely.union(beyond, ashore), corridor)
    closed = shapely.buffer(shapely.buffer(seam, GAP_DEG), -GAP_DEG)
    closed = shapely.intersection_all([closed, corridor, old])
    whole = shapely.get_parts(shapely.union_all([beyond, ashore, closed, *water]))
    whole = np.array([_without_cracks(polygon, old) for polygon in whole], dtype=object)
    return Shores(
        land=_cleaned(np.concatenate([land[~replaced], whole])),
        lakes=_cleaned(shapely.union_all(lakes[~np.isin(lakes, great)])),
        great=_cleaned(water),
    )


def _near(shapes: Shapes, others: Shapes, distance: float = 0) -> Flags:
    """Which of the shapes are within this distance, degrees, of one of the others."""
    tree = shapely.STRtree(others)
    found = tree.query(shapes, predicate="dwithin", distance=distance)[0]
    return np.isin(np.arange(len(shapes)), found)


def _water(great: Shapes, zone: shapely.Geometry, ashore: shapely.Geometry) -> Shapes:
    """The lakes up to the new shore; zone: where lake may be that Natural Earth has as US land."""
    lakes = shapely.union_all(great)
    water = shapely.difference(shapely.union(lakes, zone), ashore)
    wide = shapely.buffer(shapely.buffer(water, -CHANNEL_DEG), 2 * CHANNEL_DEG)
    parts = shapely.get_parts(shapely.intersection(water, wide))
    ponds: Shapes = parts[(shapely.area(parts) > POND_DEG2) & shapely.intersects(lakes, parts)]
    return ponds


def _without_cracks(polygon: shapely.Geometry, old: shapely.Geometry) -> shapely.Geometry:
    """The polygon with those holes filled where Natural Earth has land."""
    outer, *holes = shapely.get_rings(polygon)
    areas = [shapely.polygons(ring) for ring in holes]
    wet = [a for a in areas if shapely.area(shapely.intersection(a, old)) < 0.5 * shapely.area(a)]
    return shapely.polygons(outer, [shapely.get_exterior_ring(a) for a in wet] or None)


def _cut_out(lakes: Shapes, zone: shapely.Geometry, ashore: shapely.Geometry) -> Shapes:
    """The lakes that counties end at, of which more than half lies outside of the counties."""
    touching = lakes[shapely.intersects(zone, lakes)]
    inside = shapely.area(shapely.intersection(zone, touching))
    dry = shapely.area(shapely.intersection(ashore, touching))
    cut = touching[dry < 0.5 * inside]
    return lakes[_near(lakes, cut)]  # Georgian Bay is a lake of its own, open to Lake Huron


def _cleaned(polygons: Shapes | shapely.Geometry) -> Shapes:
    """One array of polygons with pinholes filled, the largest first."""
    polygons = shapely.get_parts(polygons)
    polygons = polygons[shapely.get_type_id(polygons) == shapely.GeometryType.POLYGON]
    full = []
    for polygon in polygons:
        rings = shapely.get_rings(polygon)
        holes = [r for r in rings[1:] if shapely.area(shapely.polygons(r)) > SPECK_DEG2]
        full.append(shapely.polygons(rings[0], holes or None))
    shapes = np.array(full, dtype=object)
    area = shapely.area(shapes)
    corner = shapely.bounds(shapes)
    order = np.lexsort((corner[:, 1], corner[:, 0], -area))
    return np.asarray(shapes[order[area[order] > 0]], dtype=object)
