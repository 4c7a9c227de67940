"""Fields made of plain numbers."""

import numpy as np

from render_farm.decode.fields import Field
from render_farm.decode.grid import Grid
from render_farm.domain.fields import MessageKey, Statistic

EARTH = "+R=6371229.0 +no_defs"
LATLON = Grid("latlon", 4, 3, f"+proj=longlat {EARTH}", -125.0, 50.0, 1.0, -1.0)
LAMBERT = Grid(
    "lambert",
    4,
    3,
    f"+proj=lcc +lat_1=38.5 +lat_2=38.5 +lat_0=38.5 +lon_0=262.5 {EARTH}",
    -2_000_000.0,
    1_000_000.0,
    3000.0,
    -3000.0,
)


def array(*rows):
    return np.array(rows, np.float32)


def field(value, grid=LATLON, *, parameter="TMP", start_h=6, end_h=6, earth_relative=True):
    """A field of one value, or of the given array."""
    values = np.broadcast_to(np.asarray(value, np.float32), grid.shape)
    statistic = Statistic.INSTANT if start_h == end_h else Statistic.ACCUMULATION
    key = MessageKey(parameter, "surface", start_h, end_h, statistic)
    return Field(values, key, grid, "1", earth_relative)
