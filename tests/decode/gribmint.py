"""GRIB2 messages of any grid, made with eccodes, for grids and troubles that no file here has."""

import render_farm.decode  # noqa: F401, I001 - pyproj before eccodes, see there

import eccodes
import numpy as np

LATLON = {
    "gridType": "regular_ll",
    "latitudeOfFirstGridPointInDegrees": 60.0,
    "latitudeOfLastGridPointInDegrees": 40.0,
    "longitudeOfFirstGridPointInDegrees": 230.0,
    "longitudeOfLastGridPointInDegrees": 260.0,
    "Nx": 31,
    "Ny": 21,
    "iDirectionIncrementInDegrees": 1.0,
    "jDirectionIncrementInDegrees": 1.0,
}
LAMBERT = {
    "gridType": "lambert",
    "Nx": 60,
    "Ny": 40,
    "DxInMetres": 50_000,
    "DyInMetres": 50_000,
    "LoVInDegrees": 262.5,
    "LaDInDegrees": 38.5,
    "Latin1InDegrees": 38.5,
    "Latin2InDegrees": 38.5,
    "latitudeOfFirstGridPointInDegrees": 25.0,
    "longitudeOfFirstGridPointInDegrees": 245.0,
    "jScansPositively": 1,
    "resolutionAndComponentFlags": 8,
}
POLAR = {
    "gridType": "polar_stereographic",
    "Nx": 50,
    "Ny": 40,
    "DxInMetres": 90_000,
    "DyInMetres": 90_000,
    "orientationOfTheGridInDegrees": 249.0,
    "LaDInDegrees": 60.0,
    "latitudeOfFirstGridPointInDegrees": 30.0,
    "longitudeOfFirstGridPointInDegrees": 220.0,
    "jScansPositively": 1,
    "resolutionAndComponentFlags": 8,
}
MERCATOR = {
    "gridType": "mercator",
    "Nx": 40,
    "Ny": 30,
    "DiInMetres": 40_000,
    "DjInMetres": 40_000,
    "LaDInDegrees": 20.0,
    "latitudeOfFirstGridPointInDegrees": 15.0,
    "longitudeOfFirstGridPointInDegrees": 190.0,
    "jScansPositively": 1,
}


def mint(grid, values=None, *, missing=None, **keys):
    """One message. *values* in message order; *missing*: those become gaps of a bitmap.

    Its own keys come last, so they win: parameterNumber, dataDate, packingType...
    """
    handle = eccodes.codes_new_from_samples("GRIB2", eccodes.CODES_PRODUCT_GRIB)
    try:
        head = {
            "centre": 7,
            "dataDate": 20260129,
            "dataTime": 1200,
            "localTablesVersion": 1,
            "parameterCategory": 0,
            "parameterNumber": 0,
            "typeOfFirstFixedSurface": 103,
            "scaleFactorOfFirstFixedSurface": 0,
            "scaledValueOfFirstFixedSurface": 2,
            "forecastTime": 6,
            "shapeOfTheEarth": 6,
        }
        for key, value in {**head, **grid, **keys}.items():
            eccodes.codes_set(handle, key, value)
        if grid["gridType"] == "mercator":
            _close_mercator(handle, grid)
        count = eccodes.codes_get(handle, "Nx") * eccodes.codes_get(handle, "Ny")
        eccodes.codes_set(handle, "numberOfDataPoints", count)
        if values is None:
            values = 280 + np.arange(count) % 17
        values = np.array(values, float)
        if missing is not None:
            eccodes.codes_set(handle, "bitmapPresent", 1)
            eccodes.codes_set(handle, "missingValue", 1e20)
            values[missing] = 1e20
        eccodes.codes_set(handle, "bitsPerValue", 16)
        eccodes.codes_set_values(handle, values)
        return eccodes.codes_get_message(handle)
    finally:
        eccodes.codes_release(handle)


def _close_mercator(handle, grid):
    """The last point, which a Mercator grid states and eccodes does not work out."""
    from pyproj import Proj

    west, south = (grid[f"{what}OfFirstGridPointInDegrees"] for what in ("longitude", "latitude"))
    plane = Proj(f"+proj=merc +lat_ts={grid['LaDInDegrees']} +lon_0={west} +R=6371229")
    x, y = plane(west, south)
    east, north = plane(
        x + (grid["Nx"] - 1) * grid["DiInMetres"],
        y + (grid["Ny"] - 1) * grid["DjInMetres"],
        inverse=True,
    )
    eccodes.codes_set(handle, "latitudeOfLastGridPointInDegrees", north)
    eccodes.codes_set(handle, "longitudeOfLastGridPointInDegrees", east % 360)


def points(message):
    """Longitudes and latitudes of a message in its own order, by eccodes."""
    handle = eccodes.codes_new_from_message(message)
    try:
        return (
            eccodes.codes_get_array(handle, "longitudes"),
            eccodes.codes_get_array(handle, "latitudes"),
        )
    finally:
        eccodes.codes_release(handle)
