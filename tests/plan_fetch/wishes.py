"""What is wished for of real files, and for where."""

from render_farm.domain.models import GridSize
from render_farm.domain.places import Box

GFS_F006 = "gfs.t12z.pgrb2.0p25.f006.idx"
HRRR_F06 = "hrrr.t17z.wrfsfcf06.grib2.idx"
GFS = GridSize(points=1_038_240, step_deg=0.25)
HRRR = GridSize(points=1_905_141, step_km=3.0)
PNW = Box(west=-126, east=-109, south=41.25, north=49.5)
CONUS = Box(west=-125, east=-66, south=24, north=50)
HRRR_AREA = Box(west=-134.1, east=-60.9, south=21.1, north=52.6)

SHIPPED = {
    "TMP:2 m above ground",
    "UGRD:10 m above ground",
    "VGRD:10 m above ground",
    "PRMSL:mean sea level",
    "MSLMA:mean sea level",
    "PRATE:surface",
    "CRAIN:surface",
    "CSNOW:surface",
    "CICEP:surface",
    "CFRZR:surface",
    "HGT:500 mb",
    "HGT:1000 mb",
    "APCP:surface",
    "TMP:850 mb",
    "UGRD:850 mb",
    "VGRD:850 mb",
    "REFC:entire atmosphere",
}


def keys_of(lines, fields=frozenset(SHIPPED)):
    return frozenset(
        line.key
        for line in lines
        if line.key is not None and f"{line.parameter}:{line.level}" in fields
    )
