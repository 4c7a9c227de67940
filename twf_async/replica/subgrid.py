"""Which grid points a sub-region of the filter holds, and the grid they make.

After wgrib2's Small_grib.c (small_domain, small_grib): on a latitude/longitude grid the largest
rectangle of points inside the box, edges inclusive; on a Lambert grid the index rectangle around
all points inside the box, so more than the box. No point inside: the whole grid.
"""

import struct
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
import pyproj

from twf_async.replica.sections import read_signed, signed
from twf_async.replica.tree import CropBox

_LATLON, _LAMBERT = 0, 30
_NORTHWARD = 0b0100_0000  # scanning mode: +i, +j, rows along i
_EDGE = 1e-7  # degrees: a grid point on the edge of the box is inside, rounding or not
_MICRO = 1_000_000


class CannotCrop(ValueError):
    """wgrib2 does not cut this grid: another projection, thinned, or an unusual scan order."""


@dataclass(frozen=True, slots=True)
class Subgrid:
    """Points of a grid and the grid definition section they make.

    columns    source indices along i
    rows       source indices along j, southernmost first
    shape      (rows, columns) of the source grid
    section_3  grid definition section of the cut grid, scanned west to east, south to north
    """

    columns: npt.NDArray[np.int64]
    rows: npt.NDArray[np.int64]
    shape: tuple[int, int]
    section_3: bytes


@lru_cache(maxsize=16)
def subgrid(section_3: bytes, box: CropBox) -> Subgrid:
    """Return the points of the grid inside *box*. CannotCrop for grids that wgrib2 leaves alone."""
    template = int.from_bytes(section_3[12:14], "big")
    if template == _LATLON and len(section_3) == 72:
        return _latlon(section_3, box)
    if template == _LAMBERT and len(section_3) == 81:
        return _lambert(section_3, box)
    raise CannotCrop(f"grid definition template 3.{template}")


def _size(section_3: bytes) -> tuple[int, int]:
    nx, ny = struct.unpack_from(">II", section_3, 30)
    if nx in {0, 0xFFFFFFFF} or ny in {0, 0xFFFFFFFF} or section_3[10]:
        raise CannotCrop("thinned grid")
    return nx, ny


def _inside(longitudes: npt.NDArray[np.float64], box: CropBox) -> npt.NDArray[np.float64]:
    """Degrees east of the box's west edge; NaN where the longitude is outside."""
    east_of = (longitudes - box.west + _EDGE) % 360.0 - _EDGE
    return np.where(east_of <= box.east - box.west + _EDGE, east_of, np.nan)


def _latlon(section_3: bytes, box: CropBox) -> Subgrid:
    nx, ny = _size(section_3)
    if any(section_3[38:42]) and section_3[38:42] != b"\xff" * 4:
        raise CannotCrop("basic angle")  # no NCEP model uses one
    scan = section_3[71]
    if scan & ~_NORTHWARD:
        raise CannotCrop(f"scanning mode {scan}")
    first = read_signed(section_3[46:50]), read_signed(section_3[50:54])
    last_latitude = read_signed(section_3[55:59])
    step_i = int.from_bytes(section_3[63:67], "big")
    step_j = (last_latitude - first[0]) / (ny - 1) if ny > 1 else 0.0
    latitudes = np.rint(first[0] + step_j * np.arange(ny)) / _MICRO
    longitudes = (first[1] + step_i * np.arange(nx, dtype=np.int64)) % (360 * _MICRO) / _MICRO
    east_of = _inside(longitudes, box)
    columns = np.flatnonzero(~np.isnan(east_of))
    columns = columns[np.argsort(east_of[columns], kind="stable")]
    rows = np.flatnonzero((latitudes >= box.south - _EDGE) & (latitudes <= box.north + _EDGE))
    if not columns.size or not rows.size:
        columns, rows = np.arange(nx), np.arange(ny)
    rows = rows[np.argsort(latitudes[rows], kind="stable")]
    new = bytearray(section_3)
    struct.pack_into(">I", new, 6, columns.size * rows.size)
    struct.pack_into(">II", new, 30, columns.size, rows.size)
    for place, degrees in (
        (46, latitudes[rows[0]]),
        (50, longitudes[columns[0]]),
        (55, latitudes[rows[-1]]),
        (59, longitudes[columns[-1]]),
    ):
        new[place : place + 4] = signed(round(float(degrees) * _MICRO), 4)
    new[71] = _NORTHWARD
    return Subgrid(columns, rows, (ny, nx), bytes(new))


def _lambert(section_3: bytes, box: CropBox) -> Subgrid:
    nx, ny = _size(section_3)
    if section_3[64] != _NORTHWARD:
        raise CannotCrop(f"scanning mode {section_3[64]}")
    latitudes, longitudes = _lambert_points(section_3)
    inside = (latitudes >= box.south) & (latitudes <= box.north)
    inside &= ~np.isnan(_inside(longitudes, box))
    if inside.any():
        i = np.flatnonzero(inside.any(axis=0))
        j = np.flatnonzero(inside.any(axis=1))
        columns, rows = np.arange(i[0], i[-1] + 1), np.arange(j[0], j[-1] + 1)
    else:
        columns, rows = np.arange(nx), np.arange(ny)
    new = bytearray(section_3)
    struct.pack_into(">I", new, 6, columns.size * rows.size)
    struct.pack_into(">II", new, 30, columns.size, rows.size)
    if columns[0] or rows[0]:
        corner = rows[0], columns[0]
        # wgrib2 casts to int: the corner is cut, not rounded, to a millionth of a degree.
        new[38:42] = signed(int(latitudes[corner] * _MICRO), 4)
        new[42:46] = signed(int(longitudes[corner] * _MICRO), 4)
    return Subgrid(columns, rows, (ny, nx), bytes(new))


@lru_cache(maxsize=2)
def _lambert_points(
    section_3: bytes,
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Latitudes and longitudes (0..360) of every point, (ny, nx), float64 degrees."""
    nx, ny = _size(section_3)
    first_latitude = read_signed(section_3[38:42]) / _MICRO
    first_longitude = read_signed(section_3[42:46]) / _MICRO
    lov = read_signed(section_3[51:55]) / _MICRO
    dx, dy = (value / 1000.0 for value in struct.unpack_from(">II", section_3, 55))
    parallels = [read_signed(section_3[place : place + 4]) / _MICRO for place in (65, 69)]
    projection = pyproj.Proj(
        proj="lcc",
        lat_0=read_signed(section_3[47:51]) / _MICRO,
        lon_0=lov,
        lat_1=parallels[0],
        lat_2=parallels[1],
        R=_radius(section_3),
    )
    x0, y0 = projection(first_longitude, first_latitude)
    x, y = np.meshgrid(x0 + dx * np.arange(nx), y0 + dy * np.arange(ny))
    longitudes, latitudes = projection(x, y, inverse=True)
    return latitudes, longitudes % 360.0


def _radius(section_3: bytes) -> float:
    """Radius of the spherical earth, m (code table 3.2). CannotCrop for an ellipsoid."""
    shape = section_3[14]
    if shape == 6:
        return 6_371_229.0
    if shape == 0:
        return 6_367_470.0
    if shape == 1:
        return int.from_bytes(section_3[16:20], "big") / 10.0 ** section_3[15]
    raise CannotCrop(f"shape of the earth {shape}")
