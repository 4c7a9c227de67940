"""Source coordinates of pixels: where in a grid each of them lies.

The projections are evaluated on a coarse lattice of pixels and interpolated between; the error is
measured at the middle of every lattice cell, where it is largest, and held below `TOLERANCE_PX`,
else every pixel is projected.
"""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from render_farm.draw.viewport import Viewport

COARSE_PX = 8
TOLERANCE_PX = 0.02  # of a map pixel, expressed in source cells where it is used
ROWS_AT_ONCE = 64

Float = NDArray[np.float64]


class GridPart(Protocol):
    """Where in a whole grid a part of it begins."""

    @property
    def whole(self) -> "SourceGrid": ...  # noqa: D102 - the grid that it was cut from
    @property
    def left(self) -> int: ...  # noqa: D102 - its column there
    @property
    def top(self) -> int: ...  # noqa: D102 - its row there


class SourceGrid(Protocol):
    """What is needed of a grid (render_farm.decode.grid.Grid has it)."""

    @property
    def nx(self) -> int: ...  # noqa: D102 - columns
    @property
    def ny(self) -> int: ...  # noqa: D102 - rows
    @property
    def cyclic(self) -> bool: ...  # noqa: D102 - the column after the last is the first
    @property
    def digest(self) -> str: ...  # noqa: D102 - equal for equal grids only
    @property
    def part(self) -> GridPart | None: ...  # noqa: D102 - where it was cut from a larger one

    def index(self, lon: Float, lat: Float) -> tuple[Float, Float]:
        """Source column and row (float64) of places in degrees."""


class Locator:
    """Source coordinates of pixels, columns made continuous across the seam of a cyclic grid."""

    def __init__(self, grid: SourceGrid, viewport: Viewport) -> None:
        self._grid, self._viewport = grid, viewport
        middle = ((viewport.rect.width - 1) / 2, (viewport.rect.height - 1) / 2)
        column, _ = grid.index(*viewport.lonlat_of_pixels([middle[0]], [middle[1]]))
        self._seam = float(np.ravel(column)[0]) - grid.nx / 2

    def __call__(self, column: Float, row: Float) -> tuple[Float, Float]:
        """(rows, columns) arrays for the outer product of pixel columns and rows; NaN off earth."""
        longitude, latitude = self._viewport.lonlat_of_pixels(column[None, :], row[:, None])
        off = ~(np.isfinite(longitude) & np.isfinite(latitude))
        if off.any():
            longitude, latitude = np.where(off, 0.0, longitude), np.where(off, 0.0, latitude)
        source_c, source_r = self._grid.index(longitude, latitude)
        source_c = np.array(source_c, np.float64)
        source_r = np.array(source_r, np.float64)
        if self._grid.cyclic and np.isfinite(self._seam):
            source_c = self._seam + (source_c - self._seam) % self._grid.nx
        source_c[off] = np.nan
        source_r[off] = np.nan
        return source_c, source_r


def coordinates(locate: Locator, column: Float, row: Float) -> tuple[Float, Float]:
    """Source coordinates of all pixels, from a coarse lattice where that is good enough."""
    if min(column.size, row.size) > 4 * COARSE_PX:
        coarse_c, coarse_r = _coarse(column), _coarse(row)
        nodes = locate(coarse_c, coarse_r)
        middles = locate((coarse_c[:-1] + coarse_c[1:]) / 2, (coarse_r[:-1] + coarse_r[1:]) / 2)
        tolerance = TOLERANCE_PX * cells_per_px(*nodes, COARSE_PX)
        if all(_middle_error(n, m) < tolerance for n, m in zip(nodes, middles, strict=True)):
            upsample = _Upsample(coarse_c, coarse_r, column, row)
            return upsample(nodes[0]), upsample(nodes[1])
    out_c = np.empty((row.size, column.size))
    out_r = np.empty_like(out_c)
    for start in range(0, row.size, ROWS_AT_ONCE):
        part = slice(start, start + ROWS_AT_ONCE)
        out_c[part], out_r[part] = locate(column, row[part])
    return out_c, out_r


def _coarse(pixels: Float) -> Float:
    step = COARSE_PX * (pixels[1] - pixels[0])
    return np.arange(pixels[0], pixels[-1] + step, step)


def _middle_error(nodes: Float, middles: Float) -> float:
    between = (nodes[:-1, :-1] + nodes[1:, :-1] + nodes[:-1, 1:] + nodes[1:, 1:]) / 4
    error = np.abs(between - middles).max()
    return float(error) if np.isfinite(error) else np.inf


class _Upsample:
    """Bilinear interpolation from coarse to wanted pixels, a few rows at a time."""

    def __init__(self, coarse_c: Float, coarse_r: Float, column: Float, row: Float) -> None:
        self._c, self._fc = _position(column, coarse_c)
        self._r, self._fr = _position(row, coarse_r)

    def __call__(self, nodes: Float) -> Float:
        out = np.empty((self._r.size, self._c.size))
        for start in range(0, self._r.size, ROWS_AT_ONCE):
            part = slice(start, start + ROWS_AT_ONCE)
            index, fraction = self._r[part], self._fr[part, None]
            band = nodes[index] + fraction * (nodes[index + 1] - nodes[index])
            slope = np.diff(band, axis=1)
            out[part] = band[:, self._c] + self._fc * slope[:, self._c]
        return out


def _position(pixels: Float, coarse: Float) -> tuple[NDArray[np.intp], Float]:
    position = (pixels - coarse[0]) / (coarse[1] - coarse[0])
    index = np.minimum(position.astype(np.intp), coarse.size - 2)
    return index, position - index


def cells_per_px(columns: Float, rows: Float, step: float) -> float:
    """Median length of the pixel step in cells, the larger direction."""
    pair = columns, rows
    along_c = np.hypot(*(a[::8, 1::8] - a[::8, :-1:8] for a in pair))
    along_r = np.hypot(*(a[1::8, ::8] - a[:-1:8, ::8] for a in pair))
    with np.errstate(invalid="ignore"):
        return float(max(np.nanmedian(along_c), np.nanmedian(along_r))) / step
