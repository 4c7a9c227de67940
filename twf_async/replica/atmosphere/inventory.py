"""Which messages a file holds, in which order, and how many bytes each takes: data and arithmetic.

The orders are those of real files (the messages that nobody here draws are left out). Every message
has a size that is known before it is made, so that an .idx costs nothing: `spatial` packs as real
files do and leaves the rest of the room empty.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache

from render_farm.domain.fields import MessageKey, Statistic
from twf_async.replica.atmosphere.models import Model, ModelFile
from twf_async.replica.atmosphere.product import section_4_length
from twf_async.replica.packing import Scale
from twf_async.replica.tree import FileMessage

_EDGES = 16 + 21 + 6 + 4  # sections 0, 1, 6 and 8 without a bitmap


@dataclass(frozen=True, slots=True)
class Packing:
    """How the values of a message are packed.

    scale  decimal and binary scale: the step between packed values
    bits   room per value in a static file, bits; 1 means a mask, 0 a constant
    """

    scale: Scale
    bits: float


def _packing(decimal: int, binary: int, bits: float) -> Packing:
    return Packing(Scale(decimal, binary), bits)


_Now = Callable[..., Iterator[MessageKey]]
_Over = Callable[[str, str, int, Statistic], MessageKey]
_MASK = _packing(0, 0, 1)
_GLOBAL = {
    "TMP": _packing(2, 2, 6.5), "DPT": _packing(2, 2, 8.0), "RH": _packing(1, 0, 8.0),
    "SPFH": _packing(5, 0, 8.0), "HGT": _packing(2, 2, 4.0), "UGRD": _packing(2, 1, 6.5),
    "VGRD": _packing(2, 1, 6.5), "ABSV": _packing(7, 0, 5.5), "VVEL": _packing(3, 0, 8.5),
    "PRMSL": _packing(1, 2, 4.0), "PRES": _packing(1, 4, 7.5), "GUST": _packing(1, -2, 6.0),
    "PRATE": _packing(6, 1, 5.0), "APCP": _packing(2, -1, 7.5), "REFC": _packing(1, -1, 6.0),
    "WEASD": _packing(1, 0, 5.0), "SNOD": _packing(3, 0, 5.0), "CPOFP": _packing(0, 0, 3.0),
    "CAPE": _packing(0, 0, 7.0), "CIN": _packing(0, 0, 5.0), "PWAT": _packing(2, 2, 7.5),
    "TCDC": _packing(0, -1, 7.5), "VIS": _packing(-1, 0, 8.0), "CSNOW": _packing(2, 0, 4.0),
    "CICEP": _packing(2, 0, 3.0), "CFRZR": _packing(2, 0, 3.0), "CRAIN": _packing(2, 0, 5.0),
    "LAND": _MASK,
}  # fmt: skip
_FINE = _GLOBAL | {
    "TMP": _packing(0, -4, 5.0), "DPT": _packing(0, -4, 6.0), "HGT": _packing(1, 0, 3.5),
    "UGRD": _packing(0, -5, 5.5), "VGRD": _packing(0, -5, 5.5), "MSLMA": _packing(0, 0, 3.5),
    "WIND": _packing(0, -4, 5.5), "GUST": _packing(0, -4, 5.0), "REFC": _packing(0, -4, 7.0),
    "PRATE": _packing(5, 0, 3.5), "APCP": _packing(3, 2, 6.0), "ASNOW": _packing(4, 0, 4.0),
    "WEASD": _packing(2, 0, 5.0), "FROZR": _packing(2, 0, 3.0), "FRZR": _packing(2, 0, 3.0),
    "DZDT": _packing(3, 0, 6.0), "PRES": _packing(-1, 0, 7.0), "CAPE": _packing(0, 0, 6.0),
}  # fmt: skip
_RUGGED = _packing(1, 0, 7.5)  # heights that follow the ground
_SMOOTH = _GLOBAL | {
    "TMP": _packing(2, 2, 5.0),
    "UGRD": _packing(2, 1, 6.0),
    "VGRD": _packing(2, 1, 6.0),
    "APCP": _packing(2, -1, 4.5),
}
_PACKINGS = {"gfs": _GLOBAL, "aigfs": _SMOOTH, "hrrr": _FINE}
_TYPES = ("CSNOW", "CICEP", "CFRZR", "CRAIN")
_AIGFS_LEVELS = (50, 100, 150, 200, 250, 300, 400, 500, 600, 700, 850, 925, 1000)


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a file: what it is, where it lies, how it is packed."""

    key: MessageKey
    packing: Packing
    offset: int
    length: int


@lru_cache(maxsize=512)
def messages(file: ModelFile) -> tuple[Message, ...]:
    """Return the messages of *file* in its order, with their offsets and lengths in bytes."""
    packings = _PACKINGS[file.model.key]
    found = []
    offset = 0
    for key in _keys(file):
        packing = packings[key.parameter]
        instant = key.statistic is Statistic.INSTANT
        if key.parameter in _TYPES and instant:
            packing = _MASK
        if key.parameter == "HGT" and not key.level.endswith(" mb"):
            packing = _RUGGED
        if file.hour == 0 and _zero_at_start(file.model, key):
            packing = Packing(packing.scale, 0)
        length = _length(file.model, key, packing)
        found.append(Message(key, packing, offset, length))
        offset += length
    return tuple(found)


@lru_cache(maxsize=512)
def file_messages(file: ModelFile) -> tuple[FileMessage, ...]:
    """Return the same as the replica's server wants it."""
    return tuple(
        FileMessage(m.offset, m.length, m.key.parameter, m.key.level, m.key.forecast, m.key)
        for m in messages(file)
    )


@lru_cache(maxsize=512)
def idx(file: ModelFile) -> bytes:
    """Return the .idx of *file*."""
    date = f"d={file.cycle:%Y%m%d%H}"
    lines = (f"{n}:{m.offset}:{date}:{m.key}:\n" for n, m in enumerate(messages(file), 1))
    return "".join(lines).encode("ascii")


def size(file: ModelFile) -> int:
    """Return the size of *file*, bytes."""
    last = messages(file)[-1]
    return last.offset + last.length


def _length(model: Model, key: MessageKey, packing: Packing) -> int:
    fixed = _EDGES + len(model.grid.section_3) + section_4_length(key)
    points = model.grid.nx * model.grid.ny
    if packing.bits == 0:
        return fixed + 21 + 5
    if packing.bits == 1:
        return fixed + 21 + 5 + (points + 7) // 8
    return fixed + 49 + 5 + int(points * packing.bits / 8)


def _zero_at_start(model: Model, key: MessageKey) -> bool:
    """Say whether a message is constant zero in HRRR's f00, as it is in real files."""
    zero = key.statistic is Statistic.ACCUMULATION or key.parameter in {*_TYPES, "PRATE", "CPOFP"}
    return model.key == "hrrr" and zero


def _keys(file: ModelFile) -> Iterator[MessageKey]:
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
    yield from now("surface", *_TYPES)
    if hour:
        for parameter in _TYPES:
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
    yield from now("surface", *_TYPES)
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
