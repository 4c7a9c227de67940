"""Simple packing (GRIB2 data representation template 5.0), as wgrib2 writes it.

With the scale of the original kept: X = (R + i * 2^E) / 10^D. The step 2^E / 10^D stays that of the
original unless the range needs more than 16 bits; then E grows (wgrib2 grib_output.c, use_scale).
"""

import math
import struct
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from twf_async.replica.sections import read_signed, section, signed

MAX_BITS = 16
_NO_BITMAP = 255


@dataclass(frozen=True, slots=True)
class Scale:
    """decimal D and binary E of X = (R + i * 2^E) / 10^D."""

    decimal: int
    binary: int

    @property
    def step(self) -> float:
        """The distance of neighbouring packed values, in units of the field."""
        return float(2.0**self.binary / 10.0**self.decimal)


def scale_of(section_5: bytes) -> Scale | None:
    """Return the scale of templates 5.0, 5.2, 5.3, 5.40, 5.41 and 5.42; None for others (IEEE)."""
    template = int.from_bytes(section_5[9:11], "big")
    if template not in {0, 2, 3, 40, 41, 42}:
        return None
    return Scale(decimal=read_signed(section_5[17:19]), binary=read_signed(section_5[15:17]))


def pack(
    values: npt.NDArray[np.float64], scale: Scale | None, original_type: int = 0
) -> dict[int, bytes]:
    """Return sections 5, 6 and 7 for *values* in scan order, any shape, NaN where missing.

    scale          the original's; None: the finest step that 16 bits allow
    original_type  code table 5.1 (0 floating point, 1 integer)
    """
    flat = values.ravel()
    missing = np.isnan(flat)
    present = flat[~missing] if missing.any() else flat
    if present.size and present.min() < present.max():
        used = scale or _finest(float(present.min()), float(present.max()))
        numbers, reference, used, bits = _quantise(present, used)
    else:  # nothing or a constant: no bits at all, the reference value says it
        numbers, used, bits = np.zeros(0, np.int64), Scale(0, 0), 0
        reference = float(present[0]) if present.size else 0.0
    body_5 = (
        struct.pack(">IHf", present.size, 0, reference)
        + signed(used.binary, 2)
        + signed(used.decimal, 2)
        + bytes((bits, original_type))
    )
    bitmap = b"\x00" + np.packbits(~missing).tobytes()
    return {
        5: section(5, body_5),
        6: section(6, bitmap if missing.any() else bytes((_NO_BITMAP,))),
        7: section(7, _bits_of(numbers, bits) if bits else b""),
    }


def _quantise(
    present: npt.NDArray[np.float64], scale: Scale
) -> tuple[npt.NDArray[np.int64], float, Scale, int]:
    scaled = present * 10.0**scale.decimal
    # The reference is stored in single precision; packing against the stored value, and one not
    # above the minimum, keeps every value within half a step.
    reference = np.float32(scaled.min())
    if reference > scaled.min():
        reference = np.nextafter(reference, np.float32(-np.inf))
    span = float(scaled.max()) - float(reference)
    bits = math.floor(span * 2.0**-scale.binary + 0.5).bit_length()
    excess = max(0, bits - MAX_BITS)
    used = Scale(scale.decimal, scale.binary + excess)
    numbers = np.floor((scaled - float(reference)) * 2.0**-used.binary + 0.5).astype(np.int64)
    bits = max(1, int(numbers.max()).bit_length())
    if bits > MAX_BITS:  # rounding up to exactly 2^16
        numbers, bits = np.minimum(numbers, (1 << MAX_BITS) - 1), MAX_BITS
    return numbers, float(reference), used, bits


def _finest(low: float, high: float) -> Scale:
    exponent = math.ceil(math.log2((high - low) / ((1 << MAX_BITS) - 1)))
    return Scale(decimal=0, binary=exponent)


def _bits_of(numbers: npt.NDArray[np.int64], bits: int) -> bytes:
    octets = numbers.astype(">u2").view(np.uint8).reshape(-1, 2)
    if bits == MAX_BITS:
        return octets.tobytes()
    if bits == 8:
        return octets[:, 1].tobytes()
    return np.packbits(np.unpackbits(octets, axis=1)[:, MAX_BITS - bits :]).tobytes()
