"""Value grids of every kind of grid, made up."""

import numpy as np
from pyproj import Proj

from render_farm.decode.grid import Grid
from render_farm.values.grid import About, ValueGrid

SPHERE, ELLIPSOID = "+R=6371229.0", "+a=6378137.0 +b=6356752.314140356"
LATLON = f"+proj=longlat {SPHERE} +no_defs"
ABOUT = About(
    model="gfs",
    cycle="2026012912",
    hour=6,
    valid_time="2026-01-29T18:00Z",
    region="pnw",
    product="t2m",
    unit="K",
    title="2 m temperature",
    quantity="temperature",
)


def _projected(kind, crs, longitude, latitude, cells=60, step=25_000.0):
    """A square grid with its middle at a place."""
    x, y = Proj(crs)(longitude, latitude)
    half = (cells - 1) / 2 * step
    return Grid(kind, cells, cells, crs, x - half, y + half, step, -step)


GRIDS = {
    "latlon": Grid("latlon", 79, 40, LATLON, -130.25, 50.0, 0.25, -0.25),
    "latlon_date_line": Grid("latlon", 61, 41, LATLON, 165.0, 10.0, 0.5, -0.5),
    "latlon_cyclic": Grid("latlon", 360, 181, LATLON, 0.0, 90.0, 1.0, -1.0, cyclic=True),
}
for _shape, _earth in (("sphere", SPHERE), ("ellipsoid", ELLIPSOID)):
    GRIDS |= {
        f"lambert_{_shape}": _projected(
            "lambert",
            f"+proj=lcc +lat_1=38.5 +lat_2=38.5 +lat_0=38.5 +lon_0=262.5 {_earth} +no_defs",
            -117.5,
            45.5,
        ),
        f"lambert_two_parallels_{_shape}": _projected(
            "lambert",
            f"+proj=lcc +lat_1=43.0 +lat_2=48.0 +lat_0=45.0 +lon_0=-117.5 {_earth} +no_defs",
            -120.0,
            44.0,
        ),
        f"lambert_south_{_shape}": _projected(
            "lambert",
            f"+proj=lcc +lat_1=-30.0 +lat_2=-50.0 +lat_0=-40.0 +lon_0=175.0 {_earth} +no_defs",
            -178.0,
            -42.0,
        ),
        f"polar_north_{_shape}": _projected(
            "polar_stereographic",
            f"+proj=stere +lat_0=90.0 +lat_ts=60.0 +lon_0=-105.0 {_earth} +no_defs",
            170.0,
            72.0,
            step=60_000.0,
        ),
        f"polar_south_{_shape}": _projected(
            "polar_stereographic",
            f"+proj=stere +lat_0=-90.0 +lat_ts=-71.0 +lon_0=0.0 {_earth} +no_defs",
            30.0,
            -80.0,
        ),
        f"mercator_{_shape}": _projected(
            "mercator",
            f"+proj=merc +lat_ts=20.0 +lon_0=-157.0 {_earth} +no_defs",
            179.5,
            21.0,
        ),
    }


def value_grid(values, grid=None, *, step=0.05, **options):
    """A value grid of any 2D array."""
    values = np.asarray(values, np.float32)
    ny, nx = values.shape
    if grid is None:
        grid = Grid("latlon", nx, ny, LATLON, -120.0, 50.0, 0.25, -0.25)
    return ValueGrid(ABOUT, grid, values, step, **options)


def waves(grid, seed=0):
    """A smooth field with noise and a hole."""
    rng = np.random.default_rng(seed)
    row, column = np.indices(grid.shape)
    values = 280 + 8 * np.sin(row / 9) + 5 * np.cos(column / 7) + rng.normal(0, 0.3, grid.shape)
    values[3:6, 5:9] = np.nan
    return values.astype(np.float32)
