"""Which filter script serves which files. NOMADS has none for AIGFS."""

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FilterScript:
    """tree: directory below com that `dir` starts from; file: the names the script takes."""

    tree: str
    file: re.Pattern[str]


def _script(tree: str, file: str) -> FilterScript:
    return FilterScript(tree, re.compile(file))


_GFS = r"gfs\.t\d\dz\.{}\.(?:anl|f\d{{3}})"

SCRIPTS: dict[str, FilterScript] = {
    "filter_gfs_0p25.pl": _script("gfs/prod", _GFS.format(r"pgrb2\.0p25")),
    "filter_gfs_0p25_1hr.pl": _script("gfs/prod", _GFS.format(r"pgrb2\.0p25")),
    "filter_gfs_0p25b.pl": _script("gfs/prod", _GFS.format(r"pgrb2b\.0p25")),
    "filter_gfs_0p50.pl": _script("gfs/prod", _GFS.format(r"pgrb2full\.0p50")),
    "filter_gfs_1p00.pl": _script("gfs/prod", _GFS.format(r"pgrb2\.1p00")),
    "filter_hrrr_2d.pl": _script("hrrr/prod", r"hrrr\.t\d\dz\.wrf(?:sfc|prs|nat)f\d\d\.grib2"),
    "filter_hrrr_sub.pl": _script("hrrr/prod", r"hrrr\.t\d\dz\.wrfsubhf\d\d\.grib2"),
    "filter_rap.pl": _script("rap/prod", r"rap\.t\d\dz\.\w+f\d\d\.grib2"),
    "filter_blend.pl": _script("blend/prod", r"blend\.t\d\dz\.core\.f\d{3}\.\w\w\.grib2"),
    "filter_gefs_atmos_0p50a.pl": _script("gens/prod", r"ge\w+\.t\d\dz\.pgrb2a\.0p50\.f\d{3}"),
    "filter_gefs_atmos_0p25s.pl": _script("gens/prod", r"ge\w+\.t\d\dz\.pgrb2s\.0p25\.f\d{3}"),
}
