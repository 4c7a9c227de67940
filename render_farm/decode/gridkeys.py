"""GRIB keys of section 3 to a `Grid`."""

import math

import eccodes
import numpy as np
from pyproj import Proj
from pyproj.exceptions import ProjError

from render_farm.decode.grid import Grid
from render_farm.decode.plane import Kind, projection

_KINDS: dict[str, Kind] = {
    "regular_ll": "latlon",
    "mercator": "mercator",
    "polar_stereographic": "polar_stereographic",
    "lambert": "lambert",
}
_SOUTH_POLE, _BIPOLAR = 128, 64  # first two bits of flag table 3.5
_STAGGERED = 0b1111  # last four bits of flag table 3.4: rows or columns shifted by half a cell
MAX_POINTS = 40_000_000  # twice the finest global grid there is; a damaged header asks for more
_CIRCLE_TOLERANCE = 1e-4  # degrees; messages round increments to 1e-6 of them


class GridError(ValueError):
    """The grid of a message is of a kind, or ordered in a way, that we do not read."""


def grid_of(handle: int) -> Grid:
    """The grid of an eccodes handle.

    raises  GridError for other grid types, for staggered rows and for impossible numbers;
            eccodes.CodesInternalError where keys are missing
    """
    grid_type = eccodes.codes_get(handle, "gridType")
    kind = _KINDS.get(grid_type)
    if kind is None:
        raise GridError(f"grids of type {grid_type!r} are not supported")
    if eccodes.codes_get_long(handle, "scanningMode") & _STAGGERED:
        raise GridError("rows that are shifted by half a cell are not supported")
    nx, ny = (eccodes.codes_get_long(handle, key) for key in ("Nx", "Ny"))
    if nx < 2 or ny < 2:
        raise GridError(f"a grid of {nx} x {ny} points is no map")
    points = eccodes.codes_get_long(handle, "numberOfDataPoints")
    if points != nx * ny:
        raise GridError(f"it says that it has {points} points on a grid of {nx} x {ny}")
    if points > MAX_POINTS:
        raise GridError(f"a grid of {nx} x {ny} points is larger than any model's")
    west_to_east = not flag(handle, "iScansNegatively")
    south_to_north = flag(handle, "jScansPositively")
    build = _latlon if kind == "latlon" else _projected
    return build(handle, kind, nx, ny, west_to_east=west_to_east, south_to_north=south_to_north)


def flag(handle: int, key: str) -> bool:
    """Whether a key that can be 0 or 1 is set."""
    return bool(eccodes.codes_get_long(handle, key))


def _degrees(handle: int, key: str) -> float:
    return float(eccodes.codes_get_double(handle, f"{key}InDegrees"))


def _earth(handle: int) -> str:
    if flag(handle, "earthIsOblate"):
        a, b = (
            eccodes.codes_get_double(handle, f"earth{axis}AxisInMetres")
            for axis in ("Major", "Minor")
        )
        return f"+a={a!r} +b={b!r}"
    return f"+R={eccodes.codes_get_double(handle, 'radiusInMetres')!r}"


def _latlon(
    handle: int, kind: Kind, nx: int, ny: int, *, west_to_east: bool, south_to_north: bool
) -> Grid:
    first_lat, last_lat, first_lon, last_lon = (
        _degrees(handle, f"{what}Of{which}GridPoint")
        for what in ("latitude", "longitude")
        for which in ("First", "Last")
    )
    north, south = (last_lat, first_lat) if south_to_north else (first_lat, last_lat)
    west, east = (first_lon, last_lon) if west_to_east else (last_lon, first_lon)
    # From the corners, not from the increments: those are optional and rounded.
    span = (east - west) % 360.0 or 360.0
    dx = span / (nx - 1)
    dy = (north - south) / (ny - 1)
    if dy <= 0:
        raise GridError(f"rows run from latitude {first_lat} to {last_lat}, against their flag")
    cyclic = abs(nx * dx - 360.0) < _CIRCLE_TOLERANCE * nx
    x0 = (west + 180.0) % 360.0 - 180.0
    crs = f"+proj=longlat {_earth(handle)} +no_defs"
    return Grid(kind, nx, ny, crs, x0, north, dx, -dy, cyclic)


def _projected(
    handle: int, kind: Kind, nx: int, ny: int, *, west_to_east: bool, south_to_north: bool
) -> Grid:
    first_lon, first_lat = (
        _degrees(handle, f"{what}OfFirstGridPoint") for what in ("longitude", "latitude")
    )
    if kind == "mercator":
        dx, dy = (eccodes.codes_get_double(handle, key) for key in ("DiInMetres", "DjInMetres"))
    else:
        dx, dy = (eccodes.codes_get_double(handle, key) for key in ("DxInMetres", "DyInMetres"))
    if not (dx > 0 and dy > 0):
        raise GridError(f"grid lengths of {dx} x {dy} m are impossible")
    crs = f"{_definition(handle, kind, first_lon)} {_earth(handle)} +no_defs"
    x, y = _plane(crs)(first_lon, first_lat)
    if not (np.isfinite(x) and np.isfinite(y)):
        raise GridError(f"the first point {first_lat}, {first_lon} is not on the projection")
    x0 = x if west_to_east else x - (nx - 1) * dx
    y0 = y + (ny - 1) * dy if south_to_north else y
    return Grid(kind, nx, ny, crs, x0, y0, dx, -dy)


def _plane(crs: str) -> Proj:
    try:
        return projection(crs)
    except ProjError as error:
        raise GridError(f"there is no projection {crs!r}") from error


def _definition(handle: int, kind: Kind, first_lon: float) -> str:
    if kind != "mercator" and eccodes.codes_get_long(handle, "projectionCentreFlag") & _BIPOLAR:
        raise GridError("bipolar projections are not supported")
    if kind == "lambert":
        central, latitude, first, second = (
            _degrees(handle, key) for key in ("LoV", "LaD", "Latin1", "Latin2")
        )
        return f"+proj=lcc +lat_1={first} +lat_2={second} +lat_0={latitude} +lon_0={central}"
    if kind == "polar_stereographic":
        south = eccodes.codes_get_long(handle, "projectionCentreFlag") & _SOUTH_POLE
        pole = -90.0 if south else 90.0
        orientation, true_at = (
            _degrees(handle, "orientationOfTheGrid"),
            math.copysign(_degrees(handle, "LaD"), pole),  # written with either sign
        )
        return f"+proj=stere +lat_0={pole} +lat_ts={true_at} +lon_0={orientation}"
    # The middle of the grid as central meridian: no column lies on the far side of the seam.
    last_lon = _degrees(handle, "longitudeOfLastGridPoint")
    middle = first_lon + ((last_lon - first_lon) % 360.0) / 2
    return f"+proj=merc +lat_ts={_degrees(handle, 'LaD')} +lon_0={middle}"
