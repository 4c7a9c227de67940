"""Messages by exact key out of local GRIB files: one pass over each file, nothing left behind.

Never raises for what a file holds: each wanted message becomes a `Field` or a `Failure`, so one
bad message costs only the products that need it. No side-car index, no global eccodes switches.
"""

from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO

import eccodes
import numpy as np

from render_farm.decode.fields import Failure, Field
from render_farm.decode.gridkeys import GridError
from render_farm.decode.inventory import inventory
from render_farm.decode.message import decode
from render_farm.decode.packing import PackingError
from render_farm.decode.sanity import BadValues
from render_farm.domain.fields import MessageKey
from render_farm.domain.grib2 import GribError, MessageHead, field_bytes
from render_farm.domain.jobs import MessageSource, Reason
from render_farm.domain.places import Box

SAME = 1e-3  # of their range: two packings of one field do not differ by more


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
