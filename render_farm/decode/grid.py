"""Where the points of a field lie: rows and columns in the plane of a projection.

A `Grid` is normalised: row 0 is the northern (projected: the upper) row, column 0 the western one,
however the message scanned them. It turns places into fractional indices and back; it holds no
values. Reading GRIB keys into a grid is the business of `gridkeys.py`, how the plane lies on the
earth that of `plane.py`.
"""

import hashlib
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from render_farm.decode.plane import FULL_CIRCLE, Kind, Plane, projection

_KM_PER_DEGREE = 111.2  # of latitude


@dataclass(frozen=True, slots=True)
class Grid:
    """A regular grid in the plane of its projection.

    crs     PROJ string of the projection and the earth's shape; of a lat/lon grid only the shape
            counts
    x0, y0  of the centre of column 0, row 0: degrees for latlon, else metres
    dx, dy  from one column, one row to the next, same units; dx > 0 and dy < 0
    cyclic  the columns go round the earth: column nx would be column 0
    part    where it was cut from, if it is a part of a larger grid
    """

    kind: Kind
    nx: int
    ny: int
    crs: str
    x0: float
    y0: float
    dx: float
    dy: float
    cyclic: bool = False
    part: "Part | None" = None

    @property
    def digest(self) -> str:
        """Equal for equal grids, and only for them; fit for file names."""
        text = (
            f"{self.kind} {self.nx} {self.ny} {self.crs} {self.x0!r} {self.y0!r}"
            f" {self.dx!r} {self.dy!r} {self.cyclic}"
        )
        return hashlib.blake2b(text.encode(), digest_size=12).hexdigest()

    @property
    def plane(self) -> Plane:
        """The plane that it lies in."""
        return Plane(self.kind, self.crs)

    @property
    def shape(self) -> tuple[int, int]:
        """(ny, nx), as arrays have it."""
        return self.ny, self.nx

    @property
    def cell_km(self) -> float:
        """From one row to the next, as far as the projection is true."""
        return -self.dy * (_KM_PER_DEGREE if self.kind == "latlon" else 1e-3)

    def index(
        self, lon: NDArray[np.float64] | float, lat: NDArray[np.float64] | float
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Fractional (column, row) of places; whole numbers are grid points.

        lon, lat  shapes that broadcast, degrees; longitudes of any convention (-100 is 260)
        returns   float64 of that shape. Places off the grid get indices outside 0..nx-1, 0..ny-1;
                  on a cyclic grid columns are -0.5..nx-0.5, and a sampler has to wrap them.
                  Where the projection has no image (inf, NaN): NaN.
        """
        if self.part is not None:
            return self.part.index(self, lon, lat)
        lon, lat = np.broadcast_arrays(np.asarray(lon, np.float64), np.asarray(lat, np.float64))
        if self.kind == "latlon":
            middle = (self.nx - 1) / 2
            off = np.mod(lon - (self.x0 + middle * self.dx) + 180.0, FULL_CIRCLE) - 180.0
            return np.asarray(off / self.dx + middle), np.asarray((lat - self.y0) / self.dy)
        # PROJ refuses longitudes beyond 10 radians.
        x, y = projection(self.crs)(np.mod(lon + 180.0, FULL_CIRCLE) - 180.0, lat)
        column = (np.asarray(x) - self.x0) / self.dx
        row = (np.asarray(y) - self.y0) / self.dy
        off_earth = ~(np.isfinite(column) & np.isfinite(row))
        return np.where(off_earth, np.nan, column), np.where(off_earth, np.nan, row)

    def lonlat(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Longitudes (-180..180) and latitudes of all points, degrees, (ny, nx) float32.

        Read-only and shared: computed once per grid (HRRR: 0.5 s) and kept for the last few.
        """
        return _lonlat(self)

    def lonlat_of(
        self, columns: NDArray[np.intp], rows: NDArray[np.intp]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Longitudes (-180..180) and latitudes of some points, degrees, float64 (n,).

        columns, rows  indices (n,); columns of a cyclic grid may run beyond its ends
        """
        x, y = _axes(self)
        columns = columns % self.nx if self.cyclic else columns
        if self.kind == "latlon":
            return np.mod(x[columns] + 180.0, FULL_CIRCLE) - 180.0, y[rows]
        lon, lat = projection(self.crs)(x[columns], y[rows], inverse=True)
        return np.asarray(lon), np.asarray(lat)

    def latitude(self) -> NDArray[np.float32]:
        """Latitudes of all points as `lonlat` has them, without the longitudes kept beside them."""
        return _upright(self)[0]

    def rotation(self) -> NDArray[np.float32]:
        """Angle from true north to grid north, clockwise positive, radians, (ny, nx) float32.

        With it u_earth = u cos + v sin, v_earth = -u sin + v cos for winds along the grid's axes.
        Zero for lat/lon and Mercator. For a cone n (longitude - central meridian), for the polar
        projection the same with n = +-1. Read-only and shared, as `lonlat`.
        """
        return _upright(self)[1]

    def spacing(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Ground distance to the next column and to the next row, metres, (ny, nx) float32.

        Both positive. Lat/lon: on the sphere of the mean of the axes; conformal projections: the
        grid length divided by the scale factor there. Read-only and shared, as `lonlat`.
        """
        return _spacing(self)


@dataclass(frozen=True, slots=True)
class Part:
    """Column *left*, row *top* of the grid *whole* is the first of the grid that was cut from it.

    What is computed for the whole grid serves its parts: they differ in where they begin. On a
    cyclic grid a part's columns run on past nx and wrap.
    """

    whole: Grid
    left: int
    top: int

    def index(
        self, grid: Grid, lon: NDArray[np.float64] | float, lat: NDArray[np.float64] | float
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """`Grid.index` of the part *grid*, by way of the whole.

        So a place has the same fractions in every part, to the last bit, and a picture does not
        depend on what else its fields were cut for.
        """
        column, row = self.whole.index(lon, lat)
        column, row = column - self.left, row - self.top
        if self.whole.cyclic:
            turns = np.rint((column - (grid.nx - 1) / 2) / self.whole.nx)
            column = column - turns * self.whole.nx
        return np.asarray(column), np.asarray(row)


def _axes(grid: Grid) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    columns, rows = np.arange(grid.nx, dtype=np.float64), np.arange(grid.ny, dtype=np.float64)
    if grid.part is not None:  # the very numbers of the whole, see `Part.index`
        columns, rows = columns + grid.part.left, rows + grid.part.top
        grid = grid.part.whole
        columns = columns % grid.nx if grid.cyclic else columns
    return np.asarray(grid.x0 + grid.dx * columns), np.asarray(grid.y0 + grid.dy * rows)


@lru_cache(maxsize=4)
def _lonlat(grid: Grid) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    return grid.plane.lonlat(*_axes(grid))


@lru_cache(maxsize=4)
def _upright(grid: Grid) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Latitude and rotation: the two that maps ask for, 15 MB of all of HRRR."""
    return grid.plane.upright(*_axes(grid))


@lru_cache(maxsize=4)
def _spacing(grid: Grid) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    return grid.plane.spacing(*_axes(grid), grid.dx, -grid.dy)
