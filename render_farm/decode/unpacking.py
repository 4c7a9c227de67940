"""The raw values of a message in our order, and where they lie: what eccodes makes of its bytes."""

from typing import NamedTuple

import eccodes
import numpy as np
from numpy.typing import NDArray

from render_farm.decode.arrangement import Arrangement, arrangement, require_values
from render_farm.decode.packing import require_packed

_MISSING = float(np.finfo(np.float32).max)
_KEPT_ARRANGEMENTS = 32
_arrangements: dict[str, Arrangement] = {}


class Unpacked(NamedTuple):
    """What a message holds, unchecked.

    values    (ny, nx) in our order, NaN where missing; float64, for what is cut away need not be
              converted
    arranged  where they lie
    unit      theirs
    """

    values: NDArray[np.float64]
    arranged: Arrangement
    unit: str


def unpack(message: bytes, grid_digest: str, unit: str | None = None) -> Unpacked:
    """Unpack a whole GRIB2 message of one field.

    grid_digest  of its section 3 (`GridHead.digest`): equal ones share their keys
    unit         where it is known: eccodes' word for it costs 1 ms a message
    raises       GridError, PackingError, eccodes.CodesInternalError
    """
    require_packed(message)
    handle = eccodes.codes_new_from_message(message)
    try:
        arranged = _arrangement(handle, grid_digest)
        if unit is None:
            unit = eccodes.codes_get_string(handle, "units")
        return Unpacked(_values(handle, arranged), arranged, unit)
    finally:
        eccodes.codes_release(handle)


def _arrangement(handle: int, digest: str) -> Arrangement:
    # Reading the keys costs 1-2 ms a message, and all messages of a model share one section 3.
    found = _arrangements.get(digest)
    if found is None:
        found = arrangement(handle)
        if len(_arrangements) >= _KEPT_ARRANGEMENTS:
            _arrangements.clear()
        _arrangements[digest] = found
    return found


def _values(handle: int, arranged: Arrangement) -> NDArray[np.float64]:
    require_values(handle, arranged)
    eccodes.codes_set_double(handle, "missingValue", _MISSING)
    # Not as float32: eccodes has no such way for IEEE packing, and is no faster by it.
    flat: NDArray[np.float64] = eccodes.codes_get_array(handle, "values")
    if np.fmax.reduce(flat) >= _MISSING:
        flat[flat == _MISSING] = np.nan
    return arranged.arrange(flat)
