"""How the messages of a file are packed, where they lie, and how many bytes each takes.

Every message has a size that is known before it is made, so that an .idx costs nothing: `spatial`
packs as real files do and leaves the rest of the room empty.
"""

from dataclasses import dataclass
from functools import lru_cache

from render_farm.domain.fields import MessageKey, Statistic
from twf_async.replica.atmosphere.contents import TYPES, keys
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
    for key in keys(file):
        packing = packings[key.parameter]
        instant = key.statistic is Statistic.INSTANT
        if key.parameter in TYPES and instant:
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
    zero = key.statistic is Statistic.ACCUMULATION or key.parameter in {*TYPES, "PRATE", "CPOFP"}
    return model.key == "hrrr" and zero
