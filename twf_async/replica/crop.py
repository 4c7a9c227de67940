"""The sub-region of a message: what the filter's `wgrib2 -small_grib` makes of it."""

import threading

import eccodes
import numpy as np
import numpy.typing as npt

from twf_async.replica.packing import pack, scale_of
from twf_async.replica.sections import NotOneField, Sections
from twf_async.replica.subgrid import CannotCrop, subgrid
from twf_async.replica.tree import CropBox, Unreadable

_ORIGINAL_TYPE = 20  # octet 21 of section 5: code table 5.1
_MISSING = 9.999e33
_HUGE = 1e30  # what damaged headers decode to; it would not survive re-packing
_eccodes = threading.Lock()  # its handles share state; wheels need not be built for threads


def crop(message: bytes, box: CropBox) -> bytes:
    """Return *message* cut to *box*, rows south to north, simple packing with the original scale.

    A grid without a point in the box comes back whole, re-packed; a grid or message that wgrib2
    cannot cut comes back as it is. Unreadable where the data cannot be decoded.
    """
    try:
        parts = Sections.of(message)
        part = subgrid(parts.bodies[3], box)
    except (NotOneField, CannotCrop):
        return message
    decoded = decode(message)
    if decoded.size != part.shape[0] * part.shape[1]:
        raise Unreadable(f"wgrib2: {decoded.size} values on a grid of {part.shape}")
    field = decoded.reshape(part.shape)
    values = field[np.ix_(part.rows, part.columns)]
    section_5 = parts.bodies[5]
    original_type = section_5[_ORIGINAL_TYPE] if len(section_5) > _ORIGINAL_TYPE else 0
    packed = pack(values, scale_of(section_5), original_type)
    return parts.replaced({3: part.section_3, **packed})


def decode(message: bytes) -> npt.NDArray[np.float64]:
    """Decode the values in scan order, NaN where missing."""
    try:
        with _eccodes:
            handle = eccodes.codes_new_from_message(message)
            try:
                eccodes.codes_set(handle, "missingValue", _MISSING)
                values: npt.NDArray[np.float64] = eccodes.codes_get_values(handle)
            finally:
                eccodes.codes_release(handle)
    except eccodes.CodesInternalError as error:
        raise Unreadable(f"wgrib2: {error}") from error
    values[values == _MISSING] = np.nan
    if values.size and np.fmax.reduce(np.abs(values)) > _HUGE:
        raise Unreadable("wgrib2: values beyond single precision")
    return values
