"""Whether the packed values of a message fit what its header says of them.

eccodes trusts both: of groups that reach beyond their section, or of an image smaller than the
grid, it reads on in memory that is not the message's, and ends the process. So the sums are done
here before it unpacks anything. GRIB2 templates 5.0 (simple packing; surplus octets are allowed),
5.2, 5.3 (complex packing), 5.40 and 5.41.
"""

import struct
import zlib
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

_DIFFERENCED = 3
_MANY = 1000  # values; of few some surplus octets look like another width
_WIDEST = 32  # bits of one value
_SUMMED_TWICE, _DEEPEST = 2, 3  # orders of spatial differencing
_INDICATOR = 16  # bytes of section 0
_HEAD = 5  # bytes of length and number that every section begins with
_JPEG_2000_START = b"\xff\x4f\xff\x51"  # of a code stream and of its sizes
_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_PNG_START = _PNG_SIGNATURE + b"\x00\x00\x00\x0dIHDR"

_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}  # by a PNG's type of colour


class PackingError(ValueError):
    """The values of a message are not packed as its header says."""


class _Groups(NamedTuple):
    """Template 5.2 from octet 20 on, as far as sizes go."""

    reference_bits: int
    number: int
    width_reference: int
    width_bits: int
    length_reference: int
    length_increment: int
    last_length: int
    length_bits: int


def require_packed(message: bytes) -> None:
    """PackingError where the values of a message of one field cannot be unpacked from it.

    message  whole GRIB2 message, its sections known to follow one another (see `grib2.walk`)
    """
    sections = _sections(message)
    header, data = sections.get(5, b""), sections.get(7, b"")[_HEAD:]
    try:
        values, template = struct.unpack_from(">IH", header, _HEAD)
        match template:
            case 0:
                _require_bits(header, data, values)
            case 2 | 3:
                _require_groups(header, data, values, template)
            case 40:
                _require_image(data, _JPEG_2000_START, 8, values)
            case 41:
                _require_image(data, _PNG_START, len(_PNG_START), values)
                _require_depth(data, header[19])
                if values:
                    _require_chunks(data)
    except (struct.error, IndexError) as error:
        raise PackingError("the header of its values is cut short") from error


def differenced_step(message: bytes) -> float | None:
    """The step of packing where values are differences of differences (order 2); else None.

    message  that `require_packed` took
    """
    header = _sections(message)[5]
    (template,) = struct.unpack_from(">H", header, _HEAD + 4)
    if template != _DIFFERENCED or header[47] < _SUMMED_TWICE:
        return None
    binary, decimal = (
        -(number & 0x7FFF) if number & 0x8000 else number
        for number in struct.unpack_from(">HH", header, 15)
    )
    return float(2.0**binary / 10.0**decimal)


def _sections(message: bytes) -> dict[int, bytes]:
    found: dict[int, bytes] = {}
    at = _INDICATOR
    while at + _HEAD <= len(message) - 4:
        size, number = struct.unpack_from(">IB", message, at)
        if size < _HEAD:
            break
        found[number] = message[at : at + size]
        at += size
    return found


def _require_bits(header: bytes, data: bytes, values: int) -> None:
    """Simple packing: refuse data that are to the byte what another number of bits would take."""
    bits = header[19]
    if values < _MANY or not bits or -(-values * bits // 8) == len(data):
        return
    for other in range(1, _WIDEST + 1):
        if -(-values * other // 8) == len(data):
            raise PackingError(f"its values have {other} bits each, not {bits}")


def _require_groups(header: bytes, data: bytes, values: int, template: int) -> None:
    groups = _groups(header)
    if groups.number == 0:  # a constant field has no data
        return
    bits = groups.reference_bits, groups.width_bits, groups.length_bits
    if max(bits) > _WIDEST or groups.number > values:
        raise PackingError(f"{groups.number} groups of {bits} bits cannot hold {values} values")
    at = 0
    if template == _DIFFERENCED:
        order, octets = header[47], header[48]
        if not 1 <= order <= _DEEPEST or octets > 4:
            raise PackingError(f"spatial differences of order {order} in {octets} bytes")
        at = (order + 1) * octets
    at += -(-groups.number * groups.reference_bits // 8)
    widths, at = _numbers(data, at, groups.number, groups.width_bits)
    lengths, at = _numbers(data, at, groups.number, groups.length_bits)
    widths += groups.width_reference
    lengths = lengths * groups.length_increment + groups.length_reference
    lengths[-1] = groups.last_length
    total = int(lengths.sum())
    if total != values:
        raise PackingError(f"its groups hold {total} values, not {values}")
    if int(widths.max()) > _WIDEST:
        raise PackingError(f"a group of {int(widths.max())} bits a value")
    needed = at + -(-int((widths * lengths).sum()) // 8)
    if needed > len(data):
        raise PackingError(f"its groups take {needed} bytes, of which {len(data)} are there")


def _groups(header: bytes) -> _Groups:
    (reference_bits,) = struct.unpack_from(">B", header, 19)
    return _Groups(reference_bits, *struct.unpack_from(">IBBIBIB", header, 31))


def _numbers(data: bytes, at: int, count: int, bits: int) -> tuple[NDArray[np.int64], int]:
    """*count* numbers of *bits* each from byte *at*, and the byte where the next part begins."""
    end = at + -(-count * bits // 8)
    if end > len(data):
        raise PackingError(f"{count} groups take {end} bytes, of which {len(data)} are there")
    if bits == 0:
        return np.zeros(count, np.int64), end
    flat = np.unpackbits(np.frombuffer(data, np.uint8, end - at, at), count=count * bits)
    padded = np.zeros((count, _WIDEST), np.uint8)
    padded[:, _WIDEST - bits :] = flat.reshape(count, bits)
    return np.packbits(padded).view(">u4").astype(np.int64), end


def _require_image(data: bytes, start: bytes, at: int, values: int) -> None:
    if not values:
        return
    if not data.startswith(start):
        raise PackingError("its values are no image, as its header says")
    width, height = struct.unpack_from(">II", data, at)
    if width * height != values:
        raise PackingError(f"its values are an image of {width} x {height}, not {values}")


def _require_depth(data: bytes, bits: int) -> None:
    """A PNG of as many whole bytes a pixel as the header's bits a value need."""
    if bits == 0:
        return
    depth, colour = struct.unpack_from(">BB", data, len(_PNG_START) + 8)
    found = depth * _CHANNELS.get(colour, 0)
    if found != -(-bits // 8) * 8:
        raise PackingError(f"its values are an image of {found} bits a pixel, not of {bits}")


def _require_chunks(data: bytes) -> None:
    """Every chunk of a PNG whole, up to its last: libpng would read on behind the section."""
    at = len(_PNG_SIGNATURE)
    while True:
        (size,) = struct.unpack_from(">I", data, at)
        chunk = data[at + 4 : at + 8 + size]
        (checksum,) = struct.unpack_from(">I", data, at + 8 + size)
        if zlib.crc32(chunk) != checksum:
            raise PackingError("its values are a damaged image")
        if chunk.startswith(b"IEND"):
            return
        at += 12 + size
