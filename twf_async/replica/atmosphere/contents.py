"""Which messages a file holds, and in which order: that of real files. Data.

The messages that nobody here draws are left out.
"""

from collections.abc import Callable, Iterator

from render_farm.domain.fields import MessageKey, Statistic
from twf_async.replica.atmosphere.models import ModelFile

_Now = Callable[..., Iterator[MessageKey]]
_Over = Callable[[str, str, int, Statistic], MessageKey]

TYPES = ("CSNOW", "CICEP", "CFRZR", "CRAIN")
_AIGFS_LEVELS = (50, 100, 150, 200, 250, 300, 400, 500, 600, 700, 850, 925, 1000)


def keys(file: ModelFile) -> Iterator[MessageKey]:
    """What the messages of *file* are, in its order."""
    hour = file.hour
    bucket = file.model.bucket_h * ((hour - 1) // file.model.bucket_h) if hour else 0

    def now(level: str, *parameters: str) -> Iterator[MessageKey]:
        for parameter in parameters:
            yield MessageKey(parameter, level, hour, hour, Statistic.INSTANT)

    def over(level: str, parameter: str, start: int, how: Statistic) -> MessageKey:
        return MessageKey(parameter, level, start, hour, how)

    return _FILES[file.model.key, file.part](now, over, hour, bucket)


def _gfs(now: _Now, over: _Over, hour: int, bucket: int) -> Iterator[MessageKey]:
    yield from _gfs_air(now)
    yield from now("2 m above ground", "TMP", "SPFH", "DPT", "RH")
    yield from now("10 m above ground", "UGRD", "VGRD")
    yield from now("surface", "CPOFP", "PRATE")
    if hour:
        yield over("surface", "PRATE", bucket, Statistic.AVERAGE)
        yield from _bucket_and_total(over, bucket)
    yield from now("surface", *TYPES)
    if hour:
        for parameter in TYPES:
            yield over("surface", parameter, bucket, Statistic.AVERAGE)
    yield from now("surface", "CAPE", "CIN")
    yield from now("entire atmosphere (considered as a single layer)", "PWAT")
    yield from now("entire atmosphere", "TCDC")
    yield from now("0C isotherm", "HGT")
    yield from now("surface", "LAND")


def _bucket_and_total(over: _Over, bucket: int) -> Iterator[MessageKey]:
    """In the first bucket both are the same, and both are there."""
    yield over("surface", "APCP", bucket, Statistic.ACCUMULATION)
    yield over("surface", "APCP", 0, Statistic.ACCUMULATION)


def _aigfs_sfc(now: _Now, over: _Over, hour: int, bucket: int) -> Iterator[MessageKey]:
    yield from now("10 m above ground", "UGRD", "VGRD")
    yield from now("2 m above ground", "TMP")
    yield from now("mean sea level", "PRMSL")
    if hour:
        yield from _bucket_and_total(over, bucket)


def _aigfs_pres(now: _Now, _over: _Over, _hour: int, _bucket: int) -> Iterator[MessageKey]:
    for parameter in ("HGT", "SPFH", "TMP", "UGRD", "VGRD", "VVEL"):
        for level in _AIGFS_LEVELS:
            yield from now(f"{level} mb", parameter)


def _gfs_air(now: _Now) -> Iterator[MessageKey]:
    yield from now("mean sea level", "PRMSL")
    yield from now("entire atmosphere", "REFC")
    yield from now("surface", "VIS", "GUST")
    yield from now("2 mb", "TMP")  # not 2 m: whoever selects carelessly finds out
    for level in (250, 300, 500, 600, 700, 850, 925):
        yield from now(f"{level} mb", "HGT", "TMP", "RH", "VVEL", "UGRD", "VGRD", "ABSV")
    yield from now("1000 mb", "TMP", "RH", "VVEL", "UGRD", "VGRD", "ABSV", "HGT")
    yield from now("surface", "PRES", "HGT", "WEASD", "SNOD")


def _hrrr(now: _Now, over: _Over, hour: int, bucket: int) -> Iterator[MessageKey]:
    acc = Statistic.ACCUMULATION
    yield from now("entire atmosphere", "REFC")
    yield from now("surface", "VIS", "GUST")
    for level in (250, 300):
        yield from now(f"{level} mb", "UGRD", "VGRD")
    yield from now("500 mb", "HGT", "TMP", "DPT", "UGRD", "VGRD")
    yield from now("700 mb", "HGT", "TMP", "DPT", "DZDT", "UGRD", "VGRD")
    yield from now("850 mb", "HGT", "TMP", "DPT", "UGRD", "VGRD")
    for level in (925, 1000):
        yield from now(f"{level} mb", "TMP", "DPT", "UGRD", "VGRD")
    yield from now("mean sea level", "MSLMA")
    yield from now("1000 mb", "HGT")
    yield from now("surface", "PRES", "HGT")
    yield over("surface", "ASNOW", 0, acc)
    yield from now("surface", "WEASD", "SNOD")
    yield from now("2 m above ground", "TMP", "SPFH", "DPT", "RH")
    yield from now("10 m above ground", "UGRD", "VGRD")
    yield over("10 m above ground", "WIND", bucket, Statistic.MAXIMUM)
    yield from now("surface", "CPOFP", "PRATE")
    for parameter in ("APCP", "WEASD", "FROZR", "FRZR"):
        yield over("surface", parameter, 0, acc)
    if hour > 1:  # at f01 the bucket is the total, and there is one message for both
        for parameter in ("APCP", "WEASD", "FROZR"):
            yield over("surface", parameter, bucket, acc)
    yield from now("surface", *TYPES)
    yield from now("surface", "CAPE", "CIN")
    yield from now("entire atmosphere (considered as a single layer)", "PWAT")
    yield from now("entire atmosphere", "TCDC")
    yield from now("0C isotherm", "HGT")
    yield from now("surface", "LAND")


_FILES: dict[tuple[str, str], Callable[[_Now, _Over, int, int], Iterator[MessageKey]]] = {
    ("gfs", "all"): _gfs,
    ("aigfs", "sfc"): _aigfs_sfc,
    ("aigfs", "pres"): _aigfs_pres,
    ("hrrr", "all"): _hrrr,
}
