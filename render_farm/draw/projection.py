"""What PROJ is told of a region's projection, and what its cylinders are like at their cut.

The projections are those of cartopy for the same parameters (WGS 84 ellipsoid), reached through
pyproj alone: importing cartopy would cost a fresh worker a second.
"""

import math
from functools import lru_cache

import pyproj

from render_farm.domain.places import Region

_CYLINDERS = ("+proj=merc", "+proj=eqc")


def proj_definition(region: Region) -> str:
    """The PROJ string of a region's projection, equal to cartopy's class of the same name.

    `standard_parallels` are the two of a Lambert cone, the latitude of true scale of the others.
    """
    lon0, lat0 = region.central_longitude, region.central_latitude
    parallels = region.standard_parallels
    match region.projection:
        case "lambert_conformal":
            first, *rest = parallels or (33.0, 45.0)
            second = rest[0] if rest else first
            shape = f"+proj=lcc +lon_0={lon0} +lat_0={lat0} +lat_1={first} +lat_2={second}"
            return f"{shape} +ellps=WGS84 +units=m +no_defs"
        case "mercator":
            true_scale = parallels[0] if parallels else 0.0
            shape = f"+proj=merc +lon_0={lon0} +lat_ts={true_scale}"
            return f"{shape} +ellps=WGS84 +units=m +no_defs"
        case "polar_stereographic":
            pole = -90.0 if lat0 < 0 else 90.0
            # PROJ takes a latitude of the other hemisphere for one beyond the pole.
            true_scale = math.copysign(parallels[0], pole) if parallels else pole
            shape = f"+proj=stere +lat_0={pole} +lon_0={lon0} +lat_ts={true_scale}"
            return f"{shape} +ellps=WGS84 +units=m +no_defs"
        case "plate_carree":
            true_scale = parallels[0] if parallels else 0.0
            shape = f"+proj=eqc +lon_0={lon0} +lat_ts={true_scale}"
            return f"{shape} +R=6378137 +units=m +no_defs"


@lru_cache(maxsize=64)
def proj(definition: str) -> pyproj.Proj:
    """The projection of a PROJ string, kept."""
    return pyproj.Proj(definition)


def is_cylinder(definition: str) -> bool:
    """Whether the map is a cylinder, cut open along a meridian."""
    return definition.startswith(_CYLINDERS)


def is_cone(definition: str) -> bool:
    """Whether the map is a cone, with a gap where it is unrolled."""
    return definition.startswith("+proj=lcc")


def is_polar(definition: str) -> bool:
    """Whether the map is a plane that touches the earth at a pole."""
    return definition.startswith("+proj=stere")


def unrolled(definition: str) -> str:
    """The same cylinder without its cut: longitudes beyond it go on where the map ends."""
    return f"{definition} +over"


@lru_cache(maxsize=64)
def half_turn_m(definition: str) -> float:
    """Half the width of a cylinder's whole map."""
    x, _ = proj(unrolled(definition))(_central(definition) + 180.0, 0.0)
    return float(x) * (1 + 1e-9)


def _central(definition: str) -> float:
    return next(float(p[7:]) for p in definition.split() if p.startswith("+lon_0="))
