"""Regions, grids and a kernel in float64, which the tests of this room share."""

import numpy as np
import pytest

from render_farm.decode.grid import Grid
from render_farm.domain.places import Region
from tests.reference_kernel import reference_value

REGIONS = {
    "pnw": Region(
        key="pnw",
        title="Pacific Northwest",
        west=-125,
        east=-110,
        south=42,
        north=49,
        projection="lambert_conformal",
        central_longitude=-117.5,
        central_latitude=45.5,
        standard_parallels=(43, 48),
        width_px=640,
        height_px=480,
    ),
    "date_line": Region(
        key="date_line",
        title="Date line",
        west=165,
        east=-165,
        south=-50,
        north=-30,
        projection="mercator",
        central_longitude=180,
        width_px=600,
        height_px=480,
    ),
    "greenwich": Region(
        key="greenwich",
        title="Europe",
        west=-15,
        east=25,
        south=35,
        north=60,
        projection="plate_carree",
        central_longitude=0,
        width_px=600,
        height_px=480,
    ),
    "arctic": Region(
        key="arctic",
        title="Arctic",
        west=-180,
        east=180,
        south=60,
        north=90,
        projection="polar_stereographic",
        central_longitude=-100,
        central_latitude=90,
        standard_parallels=(60,),
        width_px=480,
        height_px=560,
    ),
}

GRIDS = {
    "global": Grid("latlon", 1440, 721, "+R=6371229", 0.0, 90.0, 0.25, -0.25, cyclic=True),
    "cropped": Grid("latlon", 101, 61, "+R=6371229", -130.0, 55.0, 0.25, -0.25),
    "hrrr": Grid(
        "lambert",
        1799,
        1059,
        "+proj=lcc +lat_0=38.5 +lon_0=-97.5 +lat_1=38.5 +lat_2=38.5 +R=6371229 +units=m",
        -2697520.142522,
        1587306.152557,
        3000.0,
        -3000.0,
    ),
    "polar": Grid(
        "polar_stereographic",
        400,
        400,
        "+proj=stere +lat_0=90 +lat_ts=60 +lon_0=-105 +R=6371229 +units=m",
        -4762500.0,
        4762500.0,
        23812.5,
        -23812.5,
    ),
    "mercator": Grid(
        "mercator",
        700,
        500,
        "+proj=merc +lat_ts=20 +lon_0=-120 +R=6371229 +units=m",
        -2500000.0,
        7500000.0,
        8000.0,
        -8000.0,
    ),
}


@pytest.fixture(params=sorted(REGIONS))
def region(request):
    return REGIONS[request.param]


@pytest.fixture
def pnw():
    return REGIONS["pnw"]


@pytest.fixture(scope="session")
def regions():
    return REGIONS


@pytest.fixture(scope="session")
def grids():
    return GRIDS


@pytest.fixture
def reference():
    return reference_value


def smooth_field(grid, low, high, cells=6.0):
    """A field that looks like weather, in SI, deterministic."""
    rows, columns = np.mgrid[0 : grid.ny, 0 : grid.nx].astype(np.float64)
    period = 2 * np.pi / grid.nx
    waves = np.sin(columns * period * round(grid.nx / (7 * cells)) + rows / (3 * cells))
    waves += np.cos(rows / (2 * cells) - columns * period * round(grid.nx / (17 * cells)))
    return (low + (high - low) * (waves + 2) / 4).astype(np.float32)


@pytest.fixture
def weather():
    return smooth_field
