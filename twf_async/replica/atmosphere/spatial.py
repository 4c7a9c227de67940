"""Complex packing with spatial differencing (GRIB2 template 5.3) into a room of fixed size.

Second-order differences in groups of 32 values: a group of w bits then fills whole octets, so that
packing is array arithmetic (25 ms for a quarter-degree field). The room that the data do not need
stays as zeros at the end of section 7, where no decoder looks; if they need more, the step between
values is doubled until they fit.
"""

import struct

import numpy as np
import numpy.typing as npt

from twf_async.replica.packing import Scale
from twf_async.replica.sections import section, signed

_GROUP = 32
_ORDER = 2
_OCTETS = 4  # of each extra descriptor
_MAX_BITS = 30

Integers = npt.NDArray[np.int64]


def pack_spatial(values: npt.NDArray[np.float32], scale: Scale, room: int) -> dict[int, bytes]:
    """Return sections 5, 6 and 7, which take *room* octets together, for values in scan order.

    values  finite, any shape, at least three
    """
    flat = values.ravel().astype(np.float64)
    binary = scale.binary
    while True:
        used = Scale(scale.decimal, binary)
        made = _pack(flat, used, room)
        if made is not None:
            return made
        binary += 1


def _pack(flat: npt.NDArray[np.float64], scale: Scale, room: int) -> dict[int, bytes] | None:
    scaled = flat * 10.0**scale.decimal
    reference = np.float32(scaled.min())
    if reference > scaled.min():
        reference = np.nextafter(reference, np.float32(-np.inf))
    numbers = np.rint((scaled - float(reference)) * 2.0**-scale.binary).astype(np.int64)
    differences = np.zeros_like(numbers)
    differences[2:] = numbers[2:] - 2 * numbers[1:-1] + numbers[:-2]
    least = int(differences[2:].min())
    differences[2:] -= least
    groups = _grouped(differences)
    low, width = groups.min(axis=1), _bit_lengths(groups.max(axis=1) - groups.min(axis=1))
    if int(width.max()) > _MAX_BITS:
        return None
    low_bits = max(1, int(low.max()).bit_length())
    width_bits = int(width.max()).bit_length()
    last = flat.size - (groups.shape[0] - 1) * _GROUP
    extra = b"".join(signed(v, _OCTETS) for v in (int(numbers[0]), int(numbers[1]), least))
    head = extra + _bits(low, low_bits) + _bits(width, width_bits)
    used = len(head) + int(width[:-1].sum()) * (_GROUP // 8) + (int(width[-1]) * last + 7) // 8
    spare = room - 49 - 6 - 5 - used
    if spare < 0:
        return None
    body_5 = struct.pack(">IHf", flat.size, 3, float(reference))
    body_5 += signed(scale.binary, 2) + signed(scale.decimal, 2)
    body_5 += struct.pack(
        ">BBBBIIIBBIBIBBB", low_bits, 0, 1, 0, 0xFFFFFFFF, 0xFFFFFFFF,
        groups.shape[0], 0, width_bits, _GROUP, 1, last, 0, _ORDER, _OCTETS,
    )  # fmt: skip
    data = _group_data(groups - low[:, np.newaxis], width, last)
    return {
        5: section(5, body_5),
        6: section(6, b"\xff"),
        7: section(7, head + data + bytes(spare)),
    }


def pack_mask(values: npt.NDArray[np.float32]) -> dict[int, bytes]:
    """Return sections 5, 6 and 7 of a field of zeros and ones: simple packing, a bit a value."""
    body_5 = struct.pack(">IHf", values.size, 0, 0.0) + bytes((0, 0, 0, 0, 1, 0))
    packed = np.packbits(values.ravel() > 0.5).tobytes()
    return {5: section(5, body_5), 6: section(6, b"\xff"), 7: section(7, packed)}


def pack_constant(points: int, value: float) -> dict[int, bytes]:
    """Return sections 5, 6 and 7 of a field that has one value: no data at all."""
    body_5 = struct.pack(">IHf", points, 0, value) + bytes(6)
    return {5: section(5, body_5), 6: section(6, b"\xff"), 7: section(7, b"")}


def _grouped(differences: Integers) -> Integers:
    missing = -differences.size % _GROUP
    if missing:  # the last group is short: repeating its last value leaves its range as it is
        differences = np.concatenate((differences, np.full(missing, differences[-1])))
    return differences.reshape(-1, _GROUP)


def _bit_lengths(values: Integers) -> Integers:
    _, exponent = np.frexp(values.astype(np.float64))
    return np.where(values > 0, exponent, 0).astype(np.int64)


def _bits(values: Integers, width: int) -> bytes:
    """Pack one value after the other, the last octet filled up with zeros."""
    if width == 0:
        return b""
    octets = values.astype(">u4").view(np.uint8).reshape(-1, 4)
    return np.packbits(np.unpackbits(octets, axis=1)[:, 32 - width :]).tobytes()


def _group_data(offsets: Integers, width: Integers, last: int) -> bytes:
    """Pack every group with its own width; groups but the last fill whole octets."""
    ends = np.cumsum(width) * (_GROUP // 8)
    out = np.zeros(int(ends[-1]), dtype=np.uint8)
    for w in range(1, int(width.max()) + 1):
        chosen = np.flatnonzero(width == w)
        if not chosen.size:
            continue
        octets = _words(offsets[chosen].astype(np.uint32), w)
        starts = ends[chosen] - 4 * w
        out[starts[:, np.newaxis] + np.arange(4 * w)] = octets
    excess = (int(width[-1]) * _GROUP) // 8 - (int(width[-1]) * last + 7) // 8
    return out[: out.size - excess].tobytes()


def _words(values: npt.NDArray[np.uint32], width: int) -> npt.NDArray[np.uint8]:
    """Pack 32 values of *width* bits a row into *width* big-endian words: (n, 4 * width) octets."""
    words = np.zeros((values.shape[0], width + 1), dtype=np.uint64)
    for k in range(_GROUP):
        word, bit = divmod(k * width, 32)
        shifted = values[:, k].astype(np.uint64) << np.uint64(64 - width - bit)
        words[:, word] |= shifted >> np.uint64(32)
        words[:, word + 1] |= shifted & np.uint64(0xFFFFFFFF)
    return words[:, :width].astype(">u4").view(np.uint8).reshape(-1, 4 * width)
