"""The way to the fields wanted of one file: the grib filter or byte ranges, whichever is cheaper.

The filter cuts out a box but sends whole cross products (`filters`), byte ranges are exact but
bring the whole grid (`ranges`). Chosen hour by hour, from the file's inventory. Pure.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from render_farm.domain.fields import MessageKey
from render_farm.domain.models import GridSize
from render_farm.domain.places import Box
from twf_async.plan.estimates import QUARTER_DEGREE, message_sizes
from twf_async.plan.filters import FilterRequest, filter_requests
from twf_async.plan.idx import UNNAMED, IdxLine
from twf_async.plan.ranges import (
    PART_BYTES,
    RANGES_AT_ONCE,
    REQUEST_BYTES,
    ByteRange,
    merged_ranges,
)

Way = Literal["FILTERED", "RANGES"]
FILTER_REQUESTS = 3  # with the inventory four: what an hour may cost


@dataclass(frozen=True, slots=True)
class Selection:
    """How to get what is there.

    missing  wanted fields that the inventory does not have
    method   None where nothing wanted is there
    """

    present: frozenset[MessageKey]
    missing: frozenset[MessageKey]
    method: Way | None
    filters: tuple[FilterRequest, ...] = ()
    ranges: tuple[ByteRange, ...] = ()
    estimated_bytes: int = 0


def select(
    lines: Sequence[IdxLine],
    wanted: frozenset[MessageKey],
    *,
    box: Box | None,
    grid: GridSize | None = None,
    has_filter: bool = True,
    total_bytes: int | None = None,
    way: Way | None = None,
    at_most: int = FILTER_REQUESTS,
    held: frozenset[MessageKey] = frozenset(),
    several: bool = False,
) -> Selection:
    """Choose the way for one file.

    lines        its whole inventory
    box          None: the whole grid is wanted
    has_filter   whether a filter script serves this file
    total_bytes  of the file, where known
    way          to keep to where both are possible: hours of one run that are subtracted from each
                 other should lie on the same grid; None: the cheaper one
    at_most      filter requests
    held         fields that are here already and should not come again along with others
    several      whether one request can name several byte ranges
    """
    present = wanted & {line.key for line in lines if line.key is not None}
    missing = wanted - present
    if not present:
        return Selection(present, missing, None)
    sizes = message_sizes(lines, total_bytes)
    ranges = merged_ranges(
        lines,
        present,
        total_bytes=total_bytes,
        gap_bytes=PART_BYTES if several else REQUEST_BYTES,
        held=held,
    )
    range_bytes = sum(sizes[number] for r in ranges for number in {line.number for line in r.lines})
    # The filter's form has no name for a parameter that wgrib2 has none for.
    has_filter = has_filter and not any(key.parameter.startswith(UNNAMED) for key in present)
    if has_filter and box is not None and way != "RANGES":
        filters = filter_requests(
            lines,
            present,
            sizes,
            box=box,
            grid=grid or QUARTER_DEGREE,
            at_most=at_most,
            held=held,
        )
        filter_bytes = sum(request.estimated_bytes for request in filters)
        range_requests = -(-len(ranges) // RANGES_AT_ONCE) if several else len(ranges)
        saved_requests = range_requests - len(filters)
        if way or filter_bytes <= range_bytes + saved_requests * REQUEST_BYTES:
            return Selection(
                present, missing, "FILTERED", filters=filters, estimated_bytes=filter_bytes
            )
    return Selection(present, missing, "RANGES", ranges=ranges, estimated_bytes=range_bytes)
