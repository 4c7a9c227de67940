"""How many bytes an answer of the grib filter will have, before it is asked for.

A sub-region comes back in simple packing with the original decimal scale, uncompressed. Measured
on full grids (nomads.md 4.4): GFS 10.2 and HRRR 9.6 bits a value, whatever the complex packing of
the original made of them; fields of yes and no need one bit.
"""

import math
from collections.abc import Sequence
from itertools import pairwise

from render_farm.domain.models import GridSize
from render_farm.domain.places import Box
from twf_async.plan.idx import IdxLine
from twf_async.plan.urls import span_deg

QUARTER_DEGREE = GridSize(points=1_038_240, step_deg=0.25)
_DEGREE_KM = 111.2
_UNKNOWN_BYTES = 1_000_000  # a field of which nothing is known
_HEAD_BYTES = 200  # all sections of a message but its data
_CONSTANT_BYTES = 1000  # a packed field below this has no or nearly no data
_VALUE_BITS = 10.0
_FLAG_BITS = 1.0
_FLAG_PACKED_BITS = 0.4  # packed originals below this many bits a value are flags


def points_within(grid: GridSize, box: Box) -> int:
    """Points that a cut-out of *box* has, at most those of the grid.

    For a projected grid a bound: the box is as wide everywhere as at its edge nearest the equator.
    """
    width = span_deg(box.west, box.east)
    height = box.north - box.south
    if grid.step_deg is not None:
        columns, rows = width / grid.step_deg + 1, height / grid.step_deg + 1
    else:
        step = (grid.step_km or 1.0) / _DEGREE_KM
        crosses_equator = box.south < 0 < box.north
        widest = 0.0 if crosses_equator else min(abs(box.south), abs(box.north))
        columns = width * math.cos(math.radians(widest)) / step + 1
        rows = height / step + 1
    return min(grid.points, int(columns) * int(rows))


def message_sizes(lines: Sequence[IdxLine], total_bytes: int | None = None) -> dict[int, int]:
    """Bytes of each message by its number.

    total_bytes  of the file; where unknown, the last message counts as the mean of the others
    returns      at least one entry
    """
    starts = sorted({line.number: line.offset for line in lines}.items())
    sizes = {number: after - start for (number, start), (_, after) in pairwise(starts)}
    last, start = starts[-1]
    mean = start // len(sizes) if sizes else _UNKNOWN_BYTES
    sizes[last] = mean if total_bytes is None else max(total_bytes - start, 0)
    return sizes


def cropped_bytes(packed_bytes: int, grid: GridSize, points: int) -> int:
    """Bytes of one message cut to *points*, from its size in the file."""
    if packed_bytes < _CONSTANT_BYTES:
        return _HEAD_BYTES
    packed_bits = packed_bytes * 8 / grid.points
    bits = _VALUE_BITS if packed_bits > _FLAG_PACKED_BITS else _FLAG_BITS
    return _HEAD_BYTES + int(points * bits / 8)
