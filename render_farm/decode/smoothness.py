"""How smooth a field is: by how much a value of its parameter can stand alone. Data.

Only of quantities that are smooth by nature. Rain, echoes, clouds, visibility, types, snow and
what is measured up to a cloud or from a cliff have true values that stand alone, and no entry.
Each number is at least twice what real files hold (GFS 0.25 degree, HRRR, GFS 2.5 degrees:
`tests/decode/test_decode_jumps.py`), or where those have no such field, what storms can do.
"""

import math
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import NamedTuple

from render_farm.domain.fields import MessageKey

REFERENCE_KM = 30.0  # cells up to this size; on coarser grids neighbours differ by as much more


class Smoothness(NamedTuple):
    """By how much a value can stick out of its surroundings (see `jumps.Spike`).

    alone    more than this, and `times` their spread, is no weather
    times    as it is on a peak or in the eye of a storm, whose surroundings are rough too
    at_most  more than this is nowhere true
    unmatched  more than this, `times` the spread, and nothing else in the field comes near it, is
               no weather either; on grids as fine as `REFERENCE_KM`, where a storm has many points
    """

    alone: float
    times: float
    at_most: float
    unmatched: float = math.inf


_TEMPERATURE_ALOFT = Smoothness(10.0, 4.0, 25.0, unmatched=3.0)
_TEMPERATURE_BELOW = Smoothness(20.0, 4.0, 32.0)  # lakes, ice, summits
_WIND_ALOFT = Smoothness(12.0, 4.0, 45.0, unmatched=6.0)
_WIND_BELOW = Smoothness(20.0, 4.0, 60.0)
_PRESSURE = Smoothness(1000.0, 4.0, 4000.0, unmatched=600.0)  # reduced through the Himalaya

_HEIGHT_ALOFT = Smoothness(60.0, 4.0, 500.0, unmatched=30.0)
_HEIGHT_BELOW = Smoothness(150.0, 4.0, 500.0)  # 1000 hPa under a mountain is as steep as it

_ON_PRESSURE, _NEAR_GROUND = "* mb", "* m above ground"
_LOWEST = ("1000 mb", "9[0-9][0-9] mb")  # where mountains are, below the ground

_TABLE: tuple[tuple[str, str, Smoothness], ...] = (
    *(("TMP", level, _TEMPERATURE_BELOW) for level in _LOWEST),
    *((name, level, _WIND_BELOW) for name in ("UGRD", "VGRD") for level in _LOWEST),
    *(("HGT", level, _HEIGHT_BELOW) for level in _LOWEST),
    ("TMP", _ON_PRESSURE, _TEMPERATURE_ALOFT),
    ("TMP", _NEAR_GROUND, _TEMPERATURE_BELOW),
    ("TMAX", _NEAR_GROUND, _TEMPERATURE_BELOW),
    ("TMIN", _NEAR_GROUND, _TEMPERATURE_BELOW),
    ("APTMP", _NEAR_GROUND, Smoothness(25.0, 4.0, 45.0)),
    ("DPT", _NEAR_GROUND, Smoothness(20.0, 4.0, 50.0)),
    ("UGRD", _ON_PRESSURE, _WIND_ALOFT),
    ("VGRD", _ON_PRESSURE, _WIND_ALOFT),
    ("UGRD", _NEAR_GROUND, _WIND_BELOW),
    ("VGRD", _NEAR_GROUND, _WIND_BELOW),
    ("WIND", _NEAR_GROUND, _WIND_BELOW),
    ("GUST", "surface", Smoothness(25.0, 4.0, 70.0)),
    ("HGT", _ON_PRESSURE, _HEIGHT_ALOFT),
    ("PRMSL", "mean sea level", _PRESSURE),
    ("MSLET", "mean sea level", _PRESSURE),
    ("MSLMA", "mean sea level", _PRESSURE),
    ("PWAT", "*", Smoothness(15.0, 4.0, 45.0)),
    ("ABSV", _ON_PRESSURE, Smoothness(3e-3, 4.0, 2e-2)),
    ("VVEL", _ON_PRESSURE, Smoothness(20.0, 4.0, 150.0)),
    ("DZDT", _ON_PRESSURE, Smoothness(15.0, 4.0, 80.0)),
    ("SPFH", _ON_PRESSURE, Smoothness(0.015, 4.0, 0.035)),
    ("CAPE", "*", Smoothness(5000.0, 10.0, 10000.0)),
)


@lru_cache(maxsize=512)
def smoothness_of(parameter: str, level: str) -> Smoothness | None:
    """The jumps that a field can have; None where it may have any."""
    for known, pattern, smoothness in _TABLE:
        if known == parameter and fnmatchcase(level, pattern):
            return smoothness
    return None


def smoothness(key: MessageKey, cell_km: float) -> Smoothness | None:
    """The same on a grid with cells of that size."""
    found = smoothness_of(key.parameter, key.level)
    if found is None:
        return None
    coarser = max(1.0, cell_km / REFERENCE_KM)
    unmatched = found.unmatched if coarser == 1.0 else math.inf
    return Smoothness(found.alone * coarser, found.times, found.at_most * coarser, unmatched)
