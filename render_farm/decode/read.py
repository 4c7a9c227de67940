"""Messages by exact key out of local GRIB files: one pass over each file, nothing left behind.

Never raises for what a file holds: each wanted message becomes a `Field` or a `Failure`, so one
bad message costs only the products that need it. No side-car index, no global eccodes switches.
"""

from collections import defaultdict
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO

import eccodes
import numpy as np
from numpy.typing import NDArray

from render_farm.decode.fields import Failure, Field
from render_farm.decode.gridkeys import Arrangement, GridError, arrangement, require_values
from render_farm.decode.inventory import inventory
from render_farm.decode.packing import PackingError, differenced_step, require_packed
from render_farm.decode.ramps import is_ramp
from render_farm.decode.sanity import (
    BadValues,
    require_possible,
    require_smooth,
    take_noise_off,
)
from render_farm.decode.window import window_of
from render_farm.domain.fields import MessageKey
from render_farm.domain.grib2 import GribError, MessageHead, field_bytes
from render_farm.domain.jobs import MessageSource, Reason
from render_farm.domain.parameters import parameter
from render_farm.domain.places import Box

_MISSING = float(np.finfo(np.float32).max)
_KEPT_ARRANGEMENTS = 32
SAME = 1e-3  # of their range: two packings of one field do not differ by more
_arrangements: dict[str, Arrangement] = {}


def read(
    sources: Iterable[MessageSource], *, cycle: str, boxes: Iterable[Box] = ()
) -> dict[MessageSource, Field | Failure]:
    """Decode the wanted messages.

    sources  path and exact key each; equal ones are decoded once
    cycle    "2026012912": a message of another run is refused
    boxes    what will be looked at: fields are cut to it with a margin, as is their grid; none:
             whole fields
    returns  every source with its field, or with the reason why there is none: FIELD_MISSING if
             a whole file does not hold the key, BAD_DATA for anything that is there but cannot
             be trusted (damaged, of another run, all missing, infinite or absurd values)
    """
    keys_by_path: dict[str, set[MessageKey]] = defaultdict(set)
    for source in sources:
        keys_by_path[source.path].add(source.key)
    results: dict[MessageSource, Field | Failure] = {}
    shown = tuple(boxes)
    for path, keys in keys_by_path.items():
        for key, result in _read_file(path, keys, cycle, shown).items():
            results[MessageSource(path, key)] = result
    return results


def _read_file(
    path: str, keys: set[MessageKey], cycle: str, boxes: tuple[Box, ...]
) -> dict[MessageKey, Field | Failure]:
    try:
        status = Path(path).stat()
        found, damage, astray = inventory(path, status.st_size, status.st_mtime_ns)
        with Path(path).open("rb") as file:
            results = {
                key: _read_once(file, found[key], cycle, boxes)
                for key in keys.difference(astray)
                if key in found
            }
    except OSError as error:
        unreadable = Failure(Reason.BAD_DATA, f"{path} cannot be read: {error.strerror}.")
        return dict.fromkeys(keys, unreadable)
    name = Path(path).name
    for key in keys.intersection(astray):
        results[key] = Failure(
            Reason.BAD_DATA, f"{key} lies elsewhere than all other fields of {name}."
        )
    for key in keys - results.keys():
        results[key] = (
            Failure(Reason.BAD_DATA, f"{name} is damaged before {key} was found: {damage}.")
            if damage
            else Failure(Reason.FIELD_MISSING, f"{name} does not hold {key}.")
        )
    return results


def _read_once(
    file: BinaryIO, heads: tuple[MessageHead, ...], cycle: str, boxes: tuple[Box, ...]
) -> Field | Failure:
    """The field of a key; a Failure where another message of it says something else."""
    first, *others = heads
    result = _read_message(file, first, cycle, boxes)
    packed = field_bytes(file, first) if others else b""
    for other in others:
        if isinstance(result, Failure) or field_bytes(file, other) == packed:
            continue
        again = _read_message(file, other, cycle, boxes)
        if isinstance(again, Failure) or not _equal(result, again):
            return Failure(
                Reason.BAD_DATA, f"{first.text} is there {len(heads)} times, with other values."
            )
    return result


def _equal(one: Field, other: Field) -> bool:
    """Whether two fields are the same but for their packing."""
    if one.grid != other.grid:
        return False
    spread = float(np.nanmax(one.values) - np.nanmin(one.values))
    near = np.isclose(one.values, other.values, rtol=0, atol=SAME * spread, equal_nan=True)
    return bool(near.all())


def _read_message(
    file: BinaryIO, head: MessageHead, cycle: str, boxes: tuple[Box, ...]
) -> Field | Failure:
    if head.cycle != cycle:
        return Failure(Reason.BAD_DATA, f"{head.text} is of the run {head.cycle}, not of {cycle}.")
    try:
        return decode(field_bytes(file, head), head, boxes)
    except (GridError, PackingError, BadValues) as error:
        return Failure(Reason.BAD_DATA, f"{head.text}: {error}.")
    except (eccodes.CodesInternalError, GribError) as error:
        return Failure(Reason.BAD_DATA, f"{head.text} cannot be decoded: {error}.")


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
    whole, arranged, units = _unpacked(
        message, head.grid.digest, None if known is None else known.unit
    )
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
    return Field(values, head.key, grid, units, arranged.earth_relative, head.offset)


def _require_level(values: NDArray[np.float64], arranged: Arrangement, step: float | None) -> None:
    if step is None or arranged.columns_first:
        return
    as_packed = values[::-1] if arranged.flip_rows else values
    if is_ramp(as_packed, step * values.shape[1]):
        raise BadValues("from some row on its values are tilted")


def unpack(message: bytes, grid_digest: str) -> NDArray[np.float32]:
    """The raw values of a message.

    message      whole GRIB2 message of one field
    grid_digest  of its section 3 (`GridHead.digest`): equal ones share their keys
    returns      (ny, nx) float32 in our order, missing = NaN, unchecked
    raises       GridError, PackingError, eccodes.CodesInternalError
    """
    values, _, _ = _unpacked(message, grid_digest, "")
    return np.ascontiguousarray(values, np.float32)


def _unpacked(
    message: bytes, grid_digest: str, unit: str | None
) -> tuple[NDArray[np.float64], Arrangement, str]:
    """Values, where they lie, and *unit*, or eccodes' word for it (1 ms a message) for None."""
    require_packed(message)
    handle = eccodes.codes_new_from_message(message)
    try:
        arranged = _arrangement(handle, grid_digest)
        if unit is None:
            unit = eccodes.codes_get_string(handle, "units")
        return _values(handle, arranged), arranged, unit
    finally:
        eccodes.codes_release(handle)


_window = lru_cache(maxsize=32)(window_of)


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
    """(ny, nx), NaN where missing; float64, for what is cut away need not be converted."""
    require_values(handle, arranged)
    eccodes.codes_set_double(handle, "missingValue", _MISSING)
    # Not as float32: eccodes has no such way for IEEE packing, and is no faster by it.
    flat: NDArray[np.float64] = eccodes.codes_get_array(handle, "values")
    if np.fmax.reduce(flat) >= _MISSING:
        flat[flat == _MISSING] = np.nan
    return arranged.arrange(flat)
