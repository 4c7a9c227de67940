"""A part of a model grid, prepared for weather: points, ground, lattice, and the way between.

Built once per (grid, part) and shared by all fields and times of it.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from twf_async.replica.atmosphere.arrays import Array
from twf_async.replica.atmosphere.grids import Grid
from twf_async.replica.atmosphere.terrain import elevation, land_share
from twf_async.replica.atmosphere.texture import mercator

_RATIO = {"latlon": 2, "lambert": 8}  # steps of the lattice in one of the coarse mesh
_HALO = 5  # lattice points around the part: two derivatives and the interpolation's four taps


@dataclass(frozen=True, slots=True)
class Points:
    """Where things are: latitude, longitude (0..360) and Mercator northing, degrees, (ny, nx)."""

    latitude: Array
    longitude: Array
    northing: Array


@dataclass(frozen=True, slots=True, eq=False)
class Window:
    """Rows *row* to *row* + *ny* and columns *column* to *column* + *nx* of a grid, in its order.

    On latitude/longitude grids the columns may run past the last one: around the earth.

    at          the grid points; lattice: the same for the lattice around them
    elevation   m; land: share of land 0..1 (coast sharp); maritime: share of sea 0..1 within some
                200 km; inland: share of land 0..1 over hundreds of km, on the lattice
    di, dj      metres between lattice neighbours along i and j (dj < 0 where rows run south)
    turn        on the lattice: see Grid.turn
    slope       of the ground along i and j, m per m, on the grid
    """

    grid: Grid
    row: int
    column: int
    ny: int
    nx: int
    at: Points
    elevation: Array
    land: Array
    maritime: Array
    slope: tuple[Array, Array]
    turn: Array
    lattice: Points
    coarse: Points
    inland: Array
    di: Array
    dj: Array
    lattice_turn: Array
    lattice_row: int
    lattice_column: int
    coarse_row: int
    coarse_column: int

    def refine(self, values: Array) -> Array:
        """Bring values of the coarse mesh to the lattice, as `up` does."""
        ratio = _RATIO[self.grid.kind]
        rows, columns = self.lattice.latitude.shape
        tall = _refine(values, self.lattice_row, rows, self.coarse_row, ratio)
        wide = _refine(tall.T, self.lattice_column, columns, self.coarse_column, ratio)
        return np.ascontiguousarray(wide.T)

    def thinned(self, grid: Grid) -> "Window":
        """Return the part of *grid*, which has every second point of this one, around this part."""
        rows = range(self.row // 2 - 1, (self.row + self.ny - 1) // 2 + 3)
        columns = range(self.column // 2 - 1, (self.column + self.nx - 1) // 2 + 3)
        return window(grid, rows[0], columns[0], len(rows), len(columns))

    def thicken(self, values: Array, thin: "Window") -> Array:
        """Bring values at the points of `thinned` to this window's points, as `up` does."""
        tall = _refine(values, self.row, self.ny, thin.row, 2)
        wide = _refine(tall.T, self.column, self.nx, thin.column, 2)
        return np.ascontiguousarray(wide.T)

    def up(self, values: Array) -> Array:
        """Bring lattice values to the grid points.

        By a cubic B-spline, which smooths a little and has continuous second derivatives: vorticity
        that someone computes from interpolated winds shows no lattice.
        """
        step = self.grid.lattice
        tall = _refine(values, self.row, self.ny, self.lattice_row, step)
        wide = _refine(tall.T, self.column, self.nx, self.lattice_column, step)
        return np.ascontiguousarray(wide.T)


@lru_cache(maxsize=16)
def window(grid: Grid, row: int, column: int, ny: int, nx: int) -> Window:
    """Return the prepared part of *grid*; the last dozen are remembered."""
    at = _points(grid, np.arange(row, row + ny), np.arange(column, column + nx))
    step = grid.lattice
    rows = np.arange(row // step - _HALO, (row + ny - 1) // step + _HALO + 2) * step
    columns = np.arange(column // step - _HALO, (column + nx - 1) // step + _HALO + 2) * step
    lattice = _points(grid, rows, columns)
    di, dj = grid.spacing(lattice.latitude.astype(np.float64))
    ratio = _RATIO[grid.kind]
    coarse_rows, coarse_columns = (
        np.arange(axis[0] // step // ratio - 1, axis[-1] // step // ratio + 4) * step * ratio
        for axis in (rows, columns)
    )
    land = land_share(at.latitude, at.longitude, blur_deg=0.06)
    height = elevation(at.latitude, at.longitude, land, grain_km=grid.grain_km)
    return Window(
        grid=grid,
        row=row,
        column=column,
        ny=ny,
        nx=nx,
        at=at,
        elevation=height,
        land=land,
        maritime=1.0 - land_share(at.latitude, at.longitude, blur_deg=1.6),
        slope=_slope(grid, row, column, ny, nx),
        turn=_single(grid.turn(at.longitude.astype(np.float64))),
        lattice=lattice,
        coarse=_points(grid, coarse_rows, coarse_columns),
        inland=land_share(lattice.latitude, lattice.longitude, blur_deg=5.0),
        di=_single(di * step),
        dj=_single(dj * step * grid.row_north),
        lattice_turn=_single(grid.turn(lattice.longitude.astype(np.float64))),
        lattice_row=int(rows[0]) // step,
        lattice_column=int(columns[0]) // step,
        coarse_row=int(coarse_rows[0]) // (step * ratio),
        coarse_column=int(coarse_columns[0]) // (step * ratio),
    )


def _single(values: npt.NDArray[np.floating]) -> Array:
    return np.ascontiguousarray(values, dtype=np.float32)


def _points(grid: Grid, rows: npt.NDArray[np.int64], columns: npt.NDArray[np.int64]) -> Points:
    latitude, longitude = grid.points(
        rows.astype(np.float64)[:, np.newaxis], columns.astype(np.float64)[np.newaxis, :]
    )
    single = _single(latitude)
    return Points(single, _single(longitude), mercator(single))


def _slope(grid: Grid, row: int, column: int, ny: int, nx: int) -> tuple[Array, Array]:
    """Slope of the ground over 25 km, the scale that lifts air: derived on a wider part."""
    reach = max(1, round(12.0 / grid.grain_km))
    rows = np.arange(row - reach, row + ny + reach)
    columns = np.arange(column - reach, column + nx + reach)
    if grid.kind == "latlon":
        rows = np.clip(rows, 0, grid.ny - 1)
    at = _points(grid, rows, columns)
    land = land_share(at.latitude, at.longitude, blur_deg=0.06)
    ground = elevation(at.latitude, at.longitude, land, grain_km=25.0)
    inner = slice(reach, -reach)
    di, dj = grid.spacing(at.latitude[inner, inner].astype(np.float64))
    east = (ground[inner, 2 * reach :] - ground[inner, : -2 * reach]) / (2 * reach * di)
    ahead = (ground[2 * reach :, inner] - ground[: -2 * reach, inner]) / (2 * reach * dj)
    return _single(east), _single(ahead * grid.row_north)


def _refine(values: Array, first: int, count: int, lattice_first: int, step: int) -> Array:
    """Smooth and refine along axis 0: grid indices first..first+count from lattice rows.

    values  row k is lattice index lattice_first + k, at grid index step times that
    """
    cell = first // step
    cells = (first + count - 1) // step - cell + 1
    start = cell - lattice_first
    out = np.empty((cells * step, *values.shape[1:]), dtype=np.float32)
    taps = [values[start + k : start + k + cells] for k in (-1, 0, 1, 2)]
    for phase in range(step):
        t = phase / step
        weights = (
            (1.0 - t) ** 3 / 6.0,
            (4.0 - 6.0 * t * t + 3.0 * t**3) / 6.0,
            (1.0 + 3.0 * t + 3.0 * t * t - 3.0 * t**3) / 6.0,
            t**3 / 6.0,
        )
        mixed = taps[0] * np.float32(weights[0])
        for tap, weight in zip(taps[1:], weights[1:], strict=True):
            mixed += tap * np.float32(weight)
        out[phase::step] = mixed
    skip = first - cell * step
    return out[skip : skip + count]
