"""GRIB messages made wrong, or made anew, while they stay whole and readable."""

import struct
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from twf_async.replica.crop import decode
from twf_async.replica.packing import pack, scale_of
from twf_async.replica.sections import NotOneField, Sections, read_signed, signed
from twf_async.replica.tree import Unreadable

PAD = 8  # octets that a rerun's messages are longer
_TEMPLATES = (0, 30)  # lat/lon, Lambert: both have Nx, Ny in octets 31 to 38
_FIRST_LAT, _LAST_LAT = slice(46, 50), slice(55, 59)
_SCANNING = {0: 71, 30: 64}
_BY_COLUMNS = 0x20

Edit = Callable[[bytes], bytes]


def with_other_run(message: bytes, hours: int) -> bytes:
    """Return the message with another reference time; no other octet changes."""
    parts = _parts(message)
    if parts is None:
        return message
    body = bytearray(parts.bodies[1])
    year, month, day, hour, minute, second = struct.unpack(">H5B", body[12:19])
    moment = datetime(year, month, day, hour, minute, second, tzinfo=UTC) + timedelta(hours=hours)
    body[12:19] = struct.pack(
        ">H5B", moment.year, moment.month, moment.day, moment.hour, moment.minute, moment.second
    )
    return parts.replaced({1: bytes(body)})


@lru_cache(maxsize=16)
def on_other_grid(message: bytes) -> bytes:
    """Return the message on a grid of fewer rows, as long as before: offsets stay true.

    The rows missing are the last ones of the scan; packing is simple, surplus octets close section
    7. What cannot be decoded, and grids of other templates, stay as they are.
    """
    parts = _parts(message)
    if parts is None:
        return message
    grid = parts.bodies[3]
    template = int.from_bytes(grid[12:14], "big")
    if template not in _TEMPLATES or grid[_SCANNING[template]] & _BY_COLUMNS:
        return message
    nx, ny = struct.unpack(">II", grid[30:38])
    try:
        values = decode(message)
    except Unreadable:
        return message
    if values.size != nx * ny or ny < 3:
        return message
    rows = ny - 1
    while rows > 1:
        cut = parts.replaced(
            {3: _with_rows(grid, template, rows), **_packed(parts, values[: rows * nx])}
        )
        if len(cut) <= len(message):
            return padded(cut, len(message) - len(cut))
        rows = min(rows - 1, rows * len(message) // len(cut))
    return message


def rerun(message: bytes) -> bytes:
    """Return the message of a later try of the same run: PAD octets longer, values one step up."""
    parts = _parts(message)
    if parts is None:
        return message + bytes(PAD)
    body = bytearray(parts.bodies[5])
    scale = scale_of(parts.bodies[5])
    (reference,) = struct.unpack(">f", body[11:15])
    step = 2.0**scale.binary if scale is not None else 0.0
    body[11:15] = struct.pack(">f", reference + step)
    return padded(parts.replaced({5: bytes(body)}), PAD)


def padded(message: bytes, octets: int) -> bytes:
    """Return the message with so many octets behind its packed values: no decoder reads them."""
    parts = Sections.of(message)
    data = parts.bodies[7]
    longer = struct.pack(">I", len(data) + octets) + data[4:] + bytes(octets)
    return parts.replaced({7: longer})


def _parts(message: bytes) -> Sections | None:
    try:
        return Sections.of(message)
    except NotOneField:
        return None


def _with_rows(grid: bytes, template: int, rows: int) -> bytes:
    body = bytearray(grid)
    nx, ny = struct.unpack(">II", grid[30:38])
    body[6:10] = struct.pack(">I", nx * rows)
    body[34:38] = struct.pack(">I", rows)
    if template == 0:
        first, last = read_signed(grid[_FIRST_LAT]), read_signed(grid[_LAST_LAT])
        step = (last - first) // (ny - 1)
        body[_LAST_LAT] = signed(first + step * (rows - 1), 4)
    return bytes(body)


def _packed(parts: Sections, values: npt.NDArray[np.float64]) -> dict[int, bytes]:
    section_5 = parts.bodies[5]
    return pack(values, scale_of(section_5), section_5[20] if len(section_5) > 20 else 0)
