"""Derivatives on a grid whose axes are orthogonal and whose cells differ in size.

Lat/lon and conformal grids are both such grids: with the distance over ground to the next column
and row, one set of formulas serves them all, the curvature of parallels included (Batchelor
1967, An Introduction to Fluid Dynamics, appendix 2: orthogonal curvilinear coordinates).
"""

from typing import NamedTuple

import numpy as np

from render_farm.derive.shapes import Array, require_same_shape

_SLIVER = 1e-3  # cells thinner than this part of their height are the pole's: no derivative there


class Cells(NamedTuple):
    """Sizes of the cells of a grid.

    east, north  (y, x) float32, m: ground distance to the next column and to the next row
    cyclic       the column after the last is the first
    """

    east: Array
    north: Array
    cyclic: bool


class Gradient(NamedTuple):
    """Change of a scalar along the grid's axes, (y, x) float32, its unit per metre."""

    x: Array
    y: Array


class WindTensor(NamedTuple):
    """Change of the wind along the grid's axes, (y, x) float32, 1/s, curvature included.

    Named by component and direction: `uy` is the change of u on the way to grid north.
    """

    ux: Array
    uy: Array
    vx: Array
    vy: Array


def gradient(scalar: Array, cells: Cells) -> Gradient:
    """Gradient by central differences, one-sided at the edges.

    scalar   (y, x) float32
    returns  along rising columns and towards grid north; NaN beside missing values and at poles
    raises   ShapeMismatch
    """
    require_same_shape(scalar=scalar, east=cells.east)
    east = _without_slivers(cells)
    return Gradient(_along_columns(scalar, cells) / east, _along_rows(scalar) / cells.north)


def wind_tensor(u: Array, v: Array, cells: Cells) -> WindTensor:
    """All four first derivatives of the wind.

    u, v     (y, x) float32, m/s, along the grid's axes (not eastward and northward)
    returns  NaN beside missing values and at poles
    raises   ShapeMismatch
    """
    require_same_shape(u=u, v=v, east=cells.east)
    east, north = _without_slivers(cells), cells.north
    area = east * north
    widening = _along_rows(cells.east) / area  # of columns towards north
    heightening = _along_columns(cells.north, cells) / area  # of rows towards rising columns
    return WindTensor(
        ux=_along_columns(u, cells) / east + v * widening,
        uy=_along_rows(u) / north - v * heightening,
        vx=_along_columns(v, cells) / east - u * widening,
        vy=_along_rows(v) / north + u * heightening,
    )


def _without_slivers(cells: Cells) -> Array:
    thin = cells.east < _SLIVER * cells.north
    result: Array = np.where(thin, np.float32(np.nan), cells.east)
    return result


def _along_columns(values: Array, cells: Cells) -> Array:
    """Difference per column, towards rising columns."""
    change = np.empty_like(values)
    change[:, 1:-1] = (values[:, 2:] - values[:, :-2]) * np.float32(0.5)
    if cells.cyclic:
        change[:, 0] = (values[:, 1] - values[:, -1]) * np.float32(0.5)
        change[:, -1] = (values[:, 0] - values[:, -2]) * np.float32(0.5)
    else:
        change[:, 0] = values[:, 1] - values[:, 0]
        change[:, -1] = values[:, -1] - values[:, -2]
    return change


def _along_rows(values: Array) -> Array:
    """Difference per row, towards grid north, which is towards row 0."""
    change = np.empty_like(values)
    change[1:-1] = (values[:-2] - values[2:]) * np.float32(0.5)
    change[0] = values[0] - values[1]
    change[-1] = values[-2] - values[-1]
    return change
