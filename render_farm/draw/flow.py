"""The wind as a flow over the map, that points can be carried along with.

The wind goes through the projection's own derivative, which is a turn to true north where the
projection is conformal, and more than that where it is not.
"""

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import cv2
import numpy as np
import pyproj
from numpy.typing import NDArray

from render_farm.draw.coordinates import SourceGrid
from render_farm.draw.sampling import sample_at
from render_farm.draw.viewport import Viewport

LATTICE_PX = 10.0  # between the points at which the wind is known, at scale 1
NUDGE_M = 100.0  # by which the projection's derivative is measured

Float = NDArray[np.float64]
Image = NDArray[np.float32]
Wind = tuple[NDArray[np.float32], NDArray[np.float32]]


@dataclass(frozen=True, slots=True, eq=False)
class Lattice:
    """Pixels at which the wind is sampled: every *step* px from (0, 0).

    longitudes, latitudes  degrees, float64 (rows, columns); 0 off the earth
    east, north            (columns, rows) px that a metre eastward, northward spans; float32
                           (rows, columns, 2), NaN off the earth
    """

    step: float
    longitudes: Float
    latitudes: Float
    east: Image
    north: Image


@lru_cache(maxsize=16)
def lattice(viewport: Viewport) -> Lattice:
    """The lattice of a map, reaching over its right and lower edge."""
    step = LATTICE_PX * viewport.scale
    columns = np.arange(0, viewport.rect.width + step, step)
    rows = np.arange(0, viewport.rect.height + step, step)
    longitude, latitude = viewport.lonlat_of_pixels(columns[None, :], rows[:, None])
    off = ~(np.isfinite(longitude) & np.isfinite(latitude))
    longitude, latitude = np.where(off, 0.0, longitude), np.where(off, 0.0, latitude)
    start = np.stack(viewport.pixels_of(longitude, latitude), axis=-1)
    away = np.where(latitude < 89.9, NUDGE_M, -NUDGE_M)  # northward, there is a pole in the way
    moved = []
    for azimuth, metres in ((90.0, np.full_like(away, NUDGE_M)), (0.0, away)):
        there = _GEOD.fwd(longitude, latitude, np.full_like(away, azimuth), metres)
        pixels = np.stack(viewport.pixels_of(there[0], there[1]), axis=-1) - start
        jacobian = np.where(off[..., None], np.nan, pixels / metres[..., None])
        moved.append(jacobian.astype(np.float32))
    return Lattice(step, longitude, latitude, moved[0], moved[1])


_GEOD = pyproj.Geod(ellps="WGS84")


@lru_cache(maxsize=16)
def _source(viewport: Viewport, grid: Any) -> tuple[Float, Float]:  # noqa: ANN401 - hashable SourceGrid
    """Source coordinates of the lattice's points, float64 (n,)."""
    where = lattice(viewport)
    column, row = grid.index(where.longitudes.ravel(), where.latitudes.ravel())
    return np.asarray(column), np.asarray(row)


def flow_of(wind: Wind, grid: SourceGrid, viewport: Viewport) -> Image:
    """Direction on the map and speed, float32 (rows, columns, 3): unit column, row; m/s."""
    where = lattice(viewport)
    shape = where.latitudes.shape
    at = _source(viewport, grid)  # type: ignore[arg-type] # grids are frozen, so they hash
    u, v = (sample_at(part, *at, cyclic=grid.cyclic).reshape(shape) for part in wind)
    path = u[..., None] * where.east + v[..., None] * where.north
    fast = np.hypot(path[..., 0], path[..., 1])[..., None]
    unit = path / np.maximum(fast, np.float32(1e-12))
    return np.concatenate([unit, np.hypot(u, v)[..., None]], axis=-1)


def flow_at(flow: Image, pixels: Image, viewport: Viewport) -> Image:
    """*flow* at pixels (n, 2) by bilinear interpolation, (n, 3); NaN beside missing points."""
    at = pixels * np.float32(1 / (LATTICE_PX * viewport.scale))
    if not len(at):
        return np.empty((0, 3), np.float32)
    column, row = np.split(np.nan_to_num(at, nan=-9.0), 2, axis=1)
    found = cv2.remap(
        flow,
        column,
        row,
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=(math.nan, math.nan, math.nan),
    )
    return np.asarray(found, np.float32)[:, 0, :]


def advanced(flow: Image, at: Image, step: Image, viewport: Viewport) -> Image:
    """Points (n, 2) one step (n, 1) px on: Runge-Kutta of the fourth order, unit speed."""

    def direction(pixels: Image) -> Image:
        found = flow_at(flow, pixels, viewport)[:, :2]
        return np.asarray(found / np.hypot(found[:, 0], found[:, 1])[:, None], np.float32)

    with np.errstate(invalid="ignore", divide="ignore"):
        half = np.asarray(step / 2, np.float32)
        first = direction(at)
        second = direction(at + half * first)
        third = direction(at + half * second)
        fourth = direction(at + step * third)
    return np.asarray(at + step / 6 * (first + 2 * second + 2 * third + fourth), np.float32)
