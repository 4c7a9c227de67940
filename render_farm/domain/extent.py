"""How wide and high a box is in a projection: on a sphere, to choose a picture's shape by.

Not for drawing, which projects with PROJ on the ellipsoid (`draw/projection.py`).
"""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Literal, NamedTuple

Projection = Literal["lambert_conformal", "mercator", "plate_carree", "polar_stereographic"]

FULL_CIRCLE = 360.0
_EARTH_KM = 6371.0
_SAMPLES = 33  # along each side: a straight side of a box bends in the projection

_Plane = Callable[[float, float], tuple[float, float]]


class Span(NamedTuple):
    """A box: middle and width of its longitudes, its latitudes; degrees."""

    middle: float
    width: float
    south: float
    north: float

    @property
    def latitude(self) -> float:
        """Halfway from south to north."""
        return (self.south + self.north) / 2


def extent_km(table: Mapping[str, object], span: Span) -> tuple[float, float] | None:
    """Width and height of the projected box, at the scale of the projection's true parallels.

    table    of a region, with projection and central_longitude, as read from TOML
    returns  None where the projection has no image of the whole box, or the table is no region's
    """
    try:
        plane = _plane(table)
        central = float(str(table["central_longitude"]))
        off = (span.middle - central + 180.0) % FULL_CIRCLE - 180.0
        steps = [i / (_SAMPLES - 1) for i in range(_SAMPLES)]
        points = [
            plane(
                math.radians(off + span.width * (column - 0.5)),
                math.radians(span.south + (span.north - span.south) * row),
            )
            for column in steps
            for row in steps
        ]
    except (ValueError, ArithmeticError, TypeError, LookupError):
        return None
    x, y = zip(*points, strict=True)
    width, height = _EARTH_KM * (max(x) - min(x)), _EARTH_KM * (max(y) - min(y))
    if not (0 < width < math.inf and 0 < height < math.inf):
        return None
    return width, height


def _plane(table: Mapping[str, object]) -> _Plane:
    """(longitude from the central meridian, latitude) in radians to the unit sphere's plane.

    Snyder (1987), Map Projections: A Working Manual, eqs. 7-1, 7-2, 12-1, 21-5 to 21-10.
    """
    given = table.get("standard_parallels")
    parallels = [math.radians(float(p)) for p in given] if isinstance(given, list | tuple) else []
    match table["projection"]:
        case "lambert_conformal":
            return _cone(parallels or [math.radians(33.0), math.radians(45.0)])
        case "polar_stereographic":
            side = math.copysign(1.0, float(str(table["central_latitude"])))
            return _from_above(side, parallels)
        case "mercator":
            true = math.cos(parallels[0]) if parallels else 1.0
            return lambda lon, lat: (true * lon, true * math.log(math.tan(math.pi / 4 + lat / 2)))
        case _:
            true = math.cos(parallels[0]) if parallels else 1.0
            return lambda lon, lat: (true * lon, lat)


def _from_above(side: float, parallels: Sequence[float]) -> _Plane:
    """Polar stereographic, *side* 1 for the north pole and -1 for the south (eqs. 21-5, 21-6)."""
    scale = 1 + abs(math.sin(parallels[0])) if parallels else 2.0

    def project(lon: float, lat: float) -> tuple[float, float]:
        radius = scale * math.tan(math.pi / 4 - side * lat / 2)
        return radius * math.sin(lon), -side * radius * math.cos(lon)

    return project


def _cone(parallels: Sequence[float]) -> _Plane:
    """Lambert conformal (eqs. 15-1 to 15-4)."""
    first, second = parallels[0], parallels[-1]

    def half(lat: float) -> float:
        return math.tan(math.pi / 4 + lat / 2)

    if math.isclose(first, second, abs_tol=1e-9):
        constant = math.sin(first)
    else:
        ratio = math.log(math.cos(first) / math.cos(second))
        constant = ratio / math.log(half(second) / half(first))
    scale = math.cos(first) * half(first) ** constant / constant

    def project(lon: float, lat: float) -> tuple[float, float]:
        radius = scale / half(lat) ** constant
        return radius * math.sin(constant * lon), -radius * math.cos(constant * lon)

    return project
