"""GRIB fields by eccodes' and pyproj's word alone: what the product tests take for the truth.

Shares nothing with the decoding under test but eccodes' unpacking: other keys, other positions.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from pyproj import Geod, Proj

import render_farm.decode  # noqa: F401 - pyproj before eccodes
from tests.reference_kernel import reference_value

import eccodes  # isort: skip

RADIUS_M = 6_371_229.0
NUMBERS = {  # GRIB2 code table 4.2: discipline 0, category and number
    "TMP": (0, 0), "DPT": (0, 6), "SPFH": (1, 0), "RH": (1, 1), "PWAT": (1, 3), "PRATE": (1, 7),
    "APCP": (1, 8), "SNOD": (1, 11), "WEASD": (1, 13), "UGRD": (2, 2), "VGRD": (2, 3),
    "VVEL": (2, 8), "DZDT": (2, 9), "ABSV": (2, 10), "GUST": (2, 22), "PRMSL": (3, 1),
    "MSLMA": (3, 198), "HGT": (3, 5), "TCDC": (6, 1), "CAPE": (7, 6), "CIN": (7, 7),
    "REFC": (16, 196), "VIS": (19, 0),
}  # fmt: skip
FLAGS = {"CRAIN": {192, 33}, "CFRZR": {193, 34}, "CICEP": {194, 35}, "CSNOW": {195, 36}}
SURFACES = {  # code table 4.5
    "surface": (1, 0.0),
    "0C isotherm": (4, 0.0),
    "entire atmosphere": (10, 0.0),
    "mean sea level": (101, 0.0),
    "entire atmosphere (considered as a single layer)": (200, 0.0),
}
STATISTICS = {0: "ave", 1: "acc", 2: "max", 3: "min"}


@dataclass(frozen=True, eq=False)
class Raw:
    """One field: values (ny, nx) float64, row 0 north, and where its points lie.

    plane  projection of a Lambert grid, with x and y of column 0 and row 0; None for lat/lon
    """

    values: np.ndarray
    latitude: np.ndarray
    longitude: np.ndarray
    plane: tuple[Proj, float, float, float] | None

    @property
    def cyclic(self):
        if self.plane is not None:
            return False
        step = self.longitude[0, 1] - self.longitude[0, 0]
        return abs(self.values.shape[1] * step - 360) < 1e-6

    def index(self, longitude, latitude):
        """Fractional column and row of places."""
        if self.plane is not None:
            proj, x0, y0, step = self.plane
            x, y = proj(longitude, latitude)
            return (x - x0) / step, (y0 - y) / step
        west, north = self.longitude[0, 0], self.latitude[0, 0]
        d_lon = self.longitude[0, 1] - west
        d_lat = north - self.latitude[1, 0]
        return ((longitude - west + 1e-9) % 360) / d_lon, (north - latitude) / d_lat

    def at(self, longitude, latitude, kernel, values=None):
        """Interpolated by the reference kernel; never below zero where the field never is."""
        values = self.values if values is None else values
        found = reference_value(
            values, *self.index(longitude, latitude), kernel, cyclic=self.cyclic
        )
        return np.maximum(found, 0) if np.nanmin(values) >= 0 else found

    def metpy_place(self):
        """Keywords by which MetPy knows the grid."""
        from metpy.units import units
        from pyproj import CRS

        if self.plane is None:
            return {
                "latitude": self.latitude[:, 0] * units.degree,
                "longitude": self.longitude[0] * units.degree,
                "crs": CRS.from_proj4(f"+proj=longlat +R={RADIUS_M}"),
            }
        proj, _, _, step = self.plane
        factors = proj.get_factors(self.longitude, self.latitude)
        return {
            "dx": step * units.m,
            "dy": -step * units.m,
            "parallel_scale": factors.parallel_scale,
            "meridional_scale": factors.meridional_scale,
        }

    def north_of_grid(self):
        """Bearing of the way up the grid's columns at every point, radians, along the sphere."""
        if self.plane is None:
            return np.zeros(self.values.shape)
        proj, x0, y0, step = self.plane
        ny, nx = self.values.shape
        x, y = np.meshgrid(x0 + step * np.arange(nx), y0 - step * np.arange(ny))
        lon, lat = proj(x, y + 500.0, inverse=True)
        bearing, _, _ = Geod(a=RADIUS_M, b=RADIUS_M).inv(self.longitude, self.latitude, lon, lat)
        return np.radians(bearing)


@lru_cache(maxsize=32)
def raw(path, text):
    """The field that wgrib2 would call *text* ("TMP:850 mb:6 hour fcst") in a file; KeyError."""
    wanted = _wanted(*text.split(":"))
    for handle in _handles(path):
        if _is(handle, *wanted):
            return _field(handle)
    raise KeyError(f"{text} is not in {path}")


def _handles(path):
    """Of every field in a file; kept, for to find them takes longer than to unpack one."""
    if path in _open:
        return _open[path]
    found = _open[path] = []
    eccodes.codes_grib_multi_support_on()  # the old 2.5 degree file has u and v in one message
    try:
        with Path(path).open("rb") as stream:
            while (handle := eccodes.codes_grib_new_from_file(stream)) is not None:
                found.append(eccodes.codes_clone(handle))
                eccodes.codes_release(handle)
    finally:
        eccodes.codes_grib_multi_support_off()
    return found


_open = {}


def _wanted(name, level, forecast):
    pair = SURFACES.get(level)
    if pair is None:
        number, unit = re.fullmatch(r"([\d.]+) (mb|m above ground)", level).groups()
        pair = (100, float(number) * 100) if unit == "mb" else (103, float(number))
    if forecast == "anl":
        return name, pair, (0, 0, None)
    match = re.fullmatch(r"(\d+)(?:-(\d+))? (hour|day)(?: (\w+))? fcst", forecast)
    factor = 24 if match[3] == "day" else 1
    start, end = (int(part) * factor for part in (match[1], match[2] or match[1]))
    return name, pair, (start, end, match[4])


def _is(handle, name, surface, window):
    def get(key):
        return eccodes.codes_get_long(handle, key)

    if get("discipline") != 0:
        return False
    number = get("parameterCategory"), get("parameterNumber")
    flags = FLAGS.get(name)
    if (number != NUMBERS[name]) if flags is None else number[0] != 1 or number[1] not in flags:
        return False
    kind = get("typeOfFirstFixedSurface")
    value = 0.0
    if kind in {100, 103}:
        scale = get("scaleFactorOfFirstFixedSurface")
        value = get("scaledValueOfFirstFixedSurface") / 10.0**scale
    if (kind, value) != surface:
        return False
    statistic = None
    if get("productDefinitionTemplateNumber") == 8:
        statistic = STATISTICS[get("typeOfStatisticalProcessing")]
    start, _, end = eccodes.codes_get_string(handle, "stepRange").partition("-")
    return (int(start), int(end or start), statistic) == window


def _field(handle):
    eccodes.codes_set(handle, "missingValue", 9.999e30)
    nx, ny = (eccodes.codes_get_long(handle, key) for key in ("Ni", "Nj"))
    values = eccodes.codes_get_array(handle, "values").reshape(ny, nx)
    values = np.where(values == 9.999e30, np.nan, values)
    place = _places.get(section := eccodes.codes_get_string(handle, "md5GridSection"))
    if place is None:
        place = _places[section] = _place(handle, (ny, nx))
    upwards, *rest = place
    return Raw(np.ascontiguousarray(values[::-1]) if upwards else values, *rest)


_places = {}


def forget():
    """Let go of everything that was read: whole grids in float64 are large."""
    raw.cache_clear()
    _places.clear()
    for handle in (handle for found in _open.values() for handle in found):
        eccodes.codes_release(handle)
    _open.clear()


def _place(handle, shape):
    """Whether rows go up, latitudes and longitudes from the north down, and the plane."""
    latitude, longitude = (
        eccodes.codes_get_array(handle, key).reshape(shape) for key in ("latitudes", "longitudes")
    )
    upwards = bool(latitude[0, 0] < latitude[-1, 0])
    if upwards:
        latitude, longitude = latitude[::-1].copy(), longitude[::-1].copy()
    plane = None
    if eccodes.codes_get_string(handle, "gridType") == "lambert":
        one, two, middle, at = (
            eccodes.codes_get_double(handle, f"{key}InDegrees")
            for key in ("Latin1", "Latin2", "LoV", "LaD")
        )
        proj = Proj(
            f"+proj=lcc +lat_1={one} +lat_2={two} +lat_0={at} +lon_0={middle} +R={RADIUS_M}"
        )
        x0, y0 = proj(longitude[0, 0], latitude[0, 0])
        step = eccodes.codes_get_double(handle, "DxInMetres")
        plane = proj, x0, y0, step
    return upwards, latitude, longitude, plane
