"""One message to its field: unpacked, found to be possible, cut to what will be looked at."""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from render_farm.decode.arrangement import Arrangement
from render_farm.decode.fields import Field
from render_farm.decode.packing import differenced_step
from render_farm.decode.ramps import is_ramp
from render_farm.decode.sanity import BadValues, require_possible, require_smooth, take_noise_off
from render_farm.decode.unpacking import unpack
from render_farm.decode.window import window_of
from render_farm.domain.grib2 import MessageHead
from render_farm.domain.parameters import parameter
from render_farm.domain.places import Box

_window = lru_cache(maxsize=32)(window_of)


def decode(message: bytes, head: MessageHead, boxes: tuple[Box, ...] = ()) -> Field:
    """Decode one message that holds one field.

    message  whole GRIB2 message, see `grib2.field_bytes`
    head     of the same field
    boxes    see `read`
    raises   GridError, PackingError, BadValues, eccodes.CodesInternalError; ValueError for a head
             without key
    """
    if head.key is None:
        raise ValueError(f"{head.text} has no key")
    known = parameter(head.key.parameter)
    unit = None if known is None else known.unit
    whole, arranged, unit = unpack(message, head.grid.digest, unit)
    low, high = float(np.fmin.reduce(whole, None)), float(np.fmax.reduce(whole, None))
    require_possible(low, high, whole.size, head.key)
    _require_level(whole, arranged, differenced_step(message))
    window, grid = _window(arranged.grid, boxes), arranged.grid
    if window is None:
        values = np.ascontiguousarray(whole, np.float32)
    else:
        values, grid = window.cut(whole), window.cut_grid(grid)
        if np.isnan(values).all():
            raise BadValues("every value in the regions is missing")
    require_smooth(values, grid, head.key)
    take_noise_off(values, head.key)
    values.flags.writeable = False
    return Field(values, head.key, grid, unit, arranged.earth_relative, head.offset)


def _require_level(values: NDArray[np.float64], arranged: Arrangement, step: float | None) -> None:
    if step is None or arranged.columns_first:
        return
    as_packed = values[::-1] if arranged.flip_rows else values
    if is_ramp(as_packed, step * values.shape[1]):
        raise BadValues("from some row on its values are tilted")
