"""The framing of GRIB2 on a byte stream: indicator, section heads, the closing 7777.

Knows in which order sections may come and how long they may be, not what they say (grib2.py).
Whatever breaks the framing is a typed error that names the byte at which its message begins.
"""

import struct
from typing import BinaryIO

_INDICATOR = struct.Struct(">4sHBBQ")
_SECTION = struct.Struct(">IB")
_END = b"7777"
# What may follow a section inside a message (WMO manual 306, part B, regulation 92.1).
_NEXT = {0: {1}, 1: {2, 3}, 2: {3}, 3: {4}, 4: {5}, 5: {6}, 6: {7}, 7: {2, 3, 4, 8}}
_STEP = 1 << 20

INDICATOR_BYTES = _INDICATOR.size
HEAD_BYTES = _SECTION.size
FRAME_BYTES = _INDICATOR.size + len(_END)


class GribError(ValueError):
    """A stream is not whole, well-formed GRIB2. `offset` is where its message begins."""

    def __init__(self, message: str, *, offset: int) -> None:
        super().__init__(message)
        self.offset = offset


class NotGrib(GribError):
    """Something else than `GRIB` stands where a message should begin (HTML, nothing, garbage)."""


class Truncated(GribError):
    """The stream ends inside a message."""


class BadEnd(GribError):
    """A message is as long as it says but does not end in `7777`: its bytes have shifted."""


class BadSection(GribError):
    """A section does not fit its message, is out of order, or contradicts itself."""


class UnsupportedEdition(GribError):
    """A message is GRIB edition 1 (or a number that does not exist)."""


def frame(discipline: int, body: bytes) -> bytes:
    """A whole message around sections 1 to 7."""
    length = FRAME_BYTES + len(body)
    return _INDICATOR.pack(b"GRIB", 0, discipline, 2, length) + body + _END


def read_indicator(stream: BinaryIO, offset: int) -> tuple[int, int] | None:
    """Discipline and total length of the message that begins here; None at the stream's end.

    raises  NotGrib, UnsupportedEdition, Truncated, BadSection
    """
    indicator = at_most(stream, _INDICATOR.size)
    if not indicator and offset:
        return None
    if not b"GRIB".startswith(indicator[:4]) or not indicator:
        shown = indicator[:16].decode("latin-1").strip() or "nothing"
        raise NotGrib(f"no GRIB message at byte {offset}, but {shown!r}", offset=offset)
    if len(indicator) > 7 and indicator[7] != 2:
        raise UnsupportedEdition(
            f"the message at byte {offset} is GRIB edition {indicator[7]}, not 2", offset=offset
        )
    if len(indicator) < _INDICATOR.size:
        raise Truncated(f"the stream ends at the head of the message at {offset}", offset=offset)
    _, _, discipline, _, length = _INDICATOR.unpack(indicator)
    if length < _INDICATOR.size + len(_END):
        raise BadSection(f"the message at byte {offset} claims {length} bytes", offset=offset)
    return discipline, length


def section_head(stream: BinaryIO, left: int, previous: int, offset: int) -> tuple[int, int]:
    """Size and number of the next section.

    left      bytes of the message that are left for sections
    previous  number of the section before, 0 for none
    raises    BadSection, Truncated
    """
    if left < _SECTION.size:
        raise BadSection(f"{left} stray bytes end the message at byte {offset}", offset=offset)
    size, number = _SECTION.unpack(exactly(stream, _SECTION.size, offset))
    if number not in _NEXT[previous]:
        raise BadSection(
            f"section {number} follows {previous} in the message at byte {offset}", offset=offset
        )
    if not _SECTION.size <= size <= left:
        raise BadSection(
            f"section {number} claims {size} of {left} bytes left in the message at byte {offset}",
            offset=offset,
        )
    return size, number


def close(stream: BinaryIO, previous: int, offset: int, length: int) -> None:
    """Read the end of a message after section *previous*; raises BadEnd, BadSection, Truncated."""
    end = exactly(stream, len(_END), offset)
    if end != _END:
        raise BadEnd(
            f"the message at byte {offset} ends in {end!r}, not '7777', after {length} bytes",
            offset=offset,
        )
    if 8 not in _NEXT[previous]:
        raise BadSection(
            f"the message at byte {offset} ends after section {previous}", offset=offset
        )


def exactly(stream: BinaryIO, size: int, offset: int) -> bytes:
    """*size* bytes of the message at *offset*; Truncated if the stream has less."""
    found = at_most(stream, size)
    if len(found) < size:
        raise Truncated(f"the stream ends in the message at byte {offset}", offset=offset)
    return found


def at_most(stream: BinaryIO, size: int) -> bytes:
    """*size* bytes, fewer only where the stream ends."""
    # In steps: a damaged length of gigabytes must not reserve memory before the stream ends.
    parts: list[bytes] = []
    while size:
        part = stream.read(min(size, _STEP))
        if not part:
            break
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


def skip(stream: BinaryIO, size: int, offset: int) -> None:
    """Pass over *size* bytes; a file that ends there is found out at the next read."""
    if stream.seekable():
        stream.seek(size, 1)
    else:
        while size:
            size -= len(exactly(stream, min(size, _STEP), offset))
