"""How the plane of a grid's projection lies on the earth.

Where its points are, and by how much it is stretched and turned there. Regular lat/lon, Mercator,
polar stereographic and Lambert; no rows and columns, those are the business of `grid.py`.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pyproj import Proj

Kind = Literal["latlon", "mercator", "polar_stereographic", "lambert"]
FULL_CIRCLE = 360.0

Axis = NDArray[np.float64]
Array = NDArray[np.float32]


@lru_cache(maxsize=8)
def projection(crs: str) -> Proj:
    """The projection of a PROJ string, kept: making one costs a millisecond."""
    return Proj(crs)


@dataclass(frozen=True, slots=True)
class Plane:
    """A projection and the shape of its earth.

    crs  PROJ string of both; of lat/lon only the shape counts

    Arrays are of the points of the axes x (nx,) and y (ny,), degrees for latlon, else metres:
    (ny, nx) float32, read-only.
    """

    kind: Kind
    crs: str

    def radius_m(self) -> float:
        """Radius of the earth in metres; the mean of the axes where it is oblate."""
        definition = self._definition()
        if "R" in definition:
            return float(definition["R"])
        return (float(definition["a"]) + float(definition["b"])) / 2

    def cone_constant(self) -> float:
        """The factor of longitude in the angle between the plane's north and true north.

        Snyder (1987), Map Projections: A Working Manual, eqs. 15-3 (sphere) and 15-8 (ellipsoid);
        +1 and -1 for the polar stereographic projection of the north and the south.
        """
        definition = self._definition()
        if self.kind == "polar_stereographic":
            return math.copysign(1.0, float(definition["lat_0"]))
        if self.kind != "lambert":
            return 0.0
        first, second = (math.radians(float(definition[key])) for key in ("lat_1", "lat_2"))
        if math.isclose(first, second, abs_tol=1e-9):
            return math.sin(first)
        squared = 0.0
        if "a" in definition:
            squared = 1 - (float(definition["b"]) / float(definition["a"])) ** 2
        eccentricity = math.sqrt(squared)

        def parallel(lat: float) -> float:
            return math.cos(lat) / math.sqrt(1 - squared * math.sin(lat) ** 2)

        def isometric(lat: float) -> float:
            sine = eccentricity * math.sin(lat)
            flattened = math.pow((1 - sine) / (1 + sine), eccentricity / 2)
            return math.tan(math.pi / 4 - lat / 2) / flattened

        parallels = math.log(parallel(first) / parallel(second))
        isometrics: float = math.log(isometric(first) / isometric(second))
        return parallels / isometrics

    def lonlat(self, x: Axis, y: Axis) -> tuple[Array, Array]:
        """Longitudes (-180..180) and latitudes, degrees."""
        shape = y.size, x.size
        if self.kind == "latlon":
            lon = (np.mod(x + 180.0, FULL_CIRCLE) - 180.0).astype(np.float32)
            lat = y.astype(np.float32)
            return np.broadcast_to(lon, shape), np.broadcast_to(lat[:, None], shape)
        lon2d, lat2d = np.empty(shape, np.float32), np.empty(shape, np.float32)
        for row, (lon, lat) in enumerate(self._rows(x, y)):
            lon2d[row], lat2d[row] = lon, lat
        return _frozen(lon2d), _frozen(lat2d)

    def upright(self, x: Axis, y: Axis) -> tuple[Array, Array]:
        """Latitudes, and angles from true north to the plane's, clockwise positive, radians."""
        shape = y.size, x.size
        level: Array = np.broadcast_to(np.float32(0), shape)
        if self.kind == "latlon":
            return self.lonlat(x, y)[1], level
        latitude, rotation = np.empty(shape, np.float32), np.empty(shape, np.float32)
        cone = self.cone_constant()
        central = float(self._definition()["lon_0"]) if cone != 0.0 else 0.0
        for row, (lon, lat) in enumerate(self._rows(x, y)):
            latitude[row] = lat
            if cone != 0.0:
                west = np.mod(lon - central + 180.0, FULL_CIRCLE) - 180.0
                rotation[row] = np.radians(cone * west)
        return _frozen(latitude), level if cone == 0.0 else _frozen(rotation)

    def spacing(self, x: Axis, y: Axis, dx: float, dy: float) -> tuple[Array, Array]:
        """Ground distances of steps of dx along x and dy along y, metres, positive.

        Lat/lon: on the sphere of the mean of the axes; conformal projections: the length in the
        plane divided by the scale factor there.
        """
        shape = y.size, x.size
        if self.kind == "latlon":
            radius = self.radius_m()
            east = radius * np.cos(np.radians(y)) * math.radians(dx)
            north = np.float32(radius * math.radians(dy))
            return (
                np.broadcast_to(np.maximum(east, 0).astype(np.float32)[:, None], shape),
                np.broadcast_to(north, shape),
            )
        flat = projection(self.crs)
        scale = np.empty(shape, np.float32)
        for row, (lon, lat) in enumerate(self._rows(x, y)):
            factors = flat.get_factors(lon.astype(np.float64), lat.astype(np.float64))
            scale[row] = factors.parallel_scale
        across = _frozen(np.float32(dx) / scale)
        return across, across if dx == dy else _frozen(np.float32(dy) / scale)

    def _rows(self, x: Axis, y: Axis) -> Iterator[tuple[Array, Array]]:
        """Longitudes and latitudes row by row: no float64 copies of the whole."""
        flat = projection(self.crs)
        for northing in y:
            lon, lat = flat(x, np.full(x.size, northing), inverse=True)
            yield lon.astype(np.float32), lat.astype(np.float32)

    def _definition(self) -> dict[str, str]:
        return dict(part.lstrip("+").split("=") for part in self.crs.split() if "=" in part)


def _frozen(array: Array) -> Array:
    array.flags.writeable = False
    return array
