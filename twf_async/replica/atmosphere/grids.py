"""The grids of the models: their GRIB2 section 3 and where their points lie.

Section 3 is byte for byte that of real files. Every grid has a coarser lattice of every n-th point,
continued beyond the grid's edges, on which the flow is computed: it belongs to the grid, not to the
part that someone asks for, so every part has the same values.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

Real = npt.NDArray[np.float64]

RADIUS_M = 6_371_229.0

_QUARTER_DEGREE = bytes.fromhex(
    "000000480300000fd7a00000000006000000000000000000000000000000000005a0000002d1"
    "00000000ffffffff055d4a800000000030855d4a80157159700003d0900003d09000"
)
_HRRR_CONUS = bytes.fromhex(
    "000000510300001d11f50000001e06000000000000000000000000000000000007070000042301428acb0e249cd808"
    "024b76a00fa56ea0002dc6c0002dc6c00040024b76a0024b76a00000000000000000"
)


@dataclass(frozen=True, slots=True)
class Grid:
    """One model grid.

    section_3   grid definition section of the whole grid
    lattice     every how many points the flow is computed
    row_north   +1 where rows run northward, -1 where they run southward
    grain_km    distance of neighbouring points, about
    degrees     the same of latitude/longitude grids, exactly
    """

    kind: Literal["latlon", "lambert"]
    section_3: bytes
    nx: int
    ny: int
    lattice: int
    row_north: int
    grain_km: float
    degrees: float = 0.0

    def points(self, rows: Real, columns: Real) -> tuple[Real, Real]:
        """Return (latitude, longitude 0..360) of index positions, which need not be whole.

        rows, columns  broadcast against each other; beyond the poles latitudes stay at 90
        """
        if self.kind == "latlon":
            latitude = np.clip(90.0 - self.degrees * rows, -90.0, 90.0)
            shape = np.broadcast_shapes(rows.shape, columns.shape)
            longitude = np.mod(self.degrees * columns, 360.0)
            return np.broadcast_to(latitude, shape), np.broadcast_to(longitude, shape)
        return _HRRR.inverse(_X0 + 3000.0 * columns, _Y0 + 3000.0 * rows)

    def spacing(self, latitude: Real) -> tuple[Real, Real]:
        """Return metres from a point to its neighbour along i and along j, signs left out."""
        if self.kind == "latlon":
            step = np.radians(self.degrees) * RADIUS_M
            return step * np.maximum(np.cos(np.radians(latitude)), 0.02), np.full_like(
                latitude, step
            )
        true = 3000.0 / _HRRR.scale(latitude)
        return true, true

    def turn(self, longitude: Real) -> Real:
        """Return the angle from the grid's j direction to north, radians clockwise from j.

        A wind of earth components has grid components u cos a - v sin a, u sin a + v cos a.
        """
        if self.kind == "latlon":
            return np.zeros_like(longitude)
        return _HRRR.turn(longitude)


@dataclass(frozen=True, slots=True)
class _Lambert:
    """A Lambert conformal projection of the sphere, tangent at *parallel* (Snyder 1987, 15)."""

    parallel: float
    meridian: float

    @property
    def n(self) -> float:
        return float(np.sin(np.radians(self.parallel)))

    def _f(self) -> float:
        phi = np.radians(self.parallel)
        return float(np.cos(phi) * np.tan(np.pi / 4 + phi / 2) ** self.n / self.n)

    def _rho(self, latitude: Real) -> Real:
        phi = np.radians(latitude)
        return RADIUS_M * self._f() / np.tan(np.pi / 4 + phi / 2) ** self.n

    def turn(self, longitude: Real) -> Real:
        """Return n times the longitude from the central meridian, radians, -180..180 degrees."""
        east = np.mod(longitude - self.meridian + 180.0, 360.0) - 180.0
        return self.n * np.radians(east)

    def forward(self, latitude: Real, longitude: Real) -> tuple[Real, Real]:
        rho, theta = self._rho(latitude), self.turn(longitude)
        origin = self._rho(np.array(self.parallel))
        return rho * np.sin(theta), origin - rho * np.cos(theta)

    def inverse(self, x: Real, y: Real) -> tuple[Real, Real]:
        down = self._rho(np.array(self.parallel)) - y
        rho, theta = np.hypot(x, down), np.arctan2(x, down)
        phi = 2.0 * np.arctan((RADIUS_M * self._f() / rho) ** (1.0 / self.n)) - np.pi / 2
        return np.degrees(phi), np.mod(self.meridian + np.degrees(theta) / self.n, 360.0)

    def scale(self, latitude: Real) -> Real:
        return self.n * self._rho(latitude) / (RADIUS_M * np.cos(np.radians(latitude)))


_HRRR = _Lambert(parallel=38.5, meridian=262.5)
_X0, _Y0 = (float(v) for v in _HRRR.forward(np.array(21.138123), np.array(237.280472)))

QUARTER_DEGREE = Grid("latlon", _QUARTER_DEGREE, 1440, 721, 2, -1, 25.0, 0.25)
HALF_DEGREE = Grid("latlon", b"", 720, 361, 1, -1, 50.0, 0.5)  # of no file
HRRR_CONUS = Grid("lambert", _HRRR_CONUS, 1799, 1059, 4, 1, 3.0)
