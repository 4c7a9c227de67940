"""From the fields wanted of one file and its inventory to the requests that bring them.

Two ways: the grib filter, which cuts out a box but sends whole cross products, and byte ranges,
which are exact but bring the whole grid. The cheaper one is taken, hour by hour. Pure.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from render_farm.domain.fields import MessageKey
from render_farm.domain.models import GridSize
from render_farm.domain.places import Box
from twf_async.plan.crossing import Crossing, Pair, split
from twf_async.plan.estimates import (
    QUARTER_DEGREE,
    cropped_bytes,
    message_sizes,
    points_within,
)
from twf_async.plan.idx import UNNAMED, IdxLine

Way = Literal["FILTERED", "RANGES"]
FILTER_REQUESTS = 3  # with the inventory four: what an hour may cost
# A request costs a second of the budget of 60 a minute; rather than spend one, we take this many
# bytes that nobody wants.
REQUEST_BYTES = 256 * 1024
RANGES_AT_ONCE = 100  # that one request may name; Apache refuses 200
PART_BYTES = 256  # the head of a range among several costs about as much
AGAIN = 100  # times its bytes: the price of a field that is here already


@dataclass(frozen=True, slots=True)
class FilterRequest:
    """One question to the grib filter.

    wanted  the fields it is asked for
    lines   all fields that the answer must hold, in file order: the cross product
    points  that the cut-out has, about
    """

    parameters: frozenset[str]
    levels: frozenset[str]
    wanted: frozenset[MessageKey]
    lines: tuple[IdxLine, ...]
    points: int
    estimated_bytes: int


@dataclass(frozen=True, slots=True)
class ByteRange:
    """Whole neighbouring messages of a file: bytes *start* (inclusive) to *end* (exclusive).

    end is None where the range runs to the end of a file whose size is not known yet.
    """

    start: int
    end: int | None
    lines: tuple[IdxLine, ...]


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


def filter_requests(
    lines: Sequence[IdxLine],
    wanted: Iterable[MessageKey],
    sizes: dict[int, int],
    *,
    box: Box,
    grid: GridSize,
    at_most: int = FILTER_REQUESTS,
    held: frozenset[MessageKey] = frozenset(),
) -> tuple[FilterRequest, ...]:
    """The questions that bring *wanted*, all of it in the inventory.

    sizes   bytes by message number, see `message_sizes`
    """
    points = points_within(grid, box)
    costs: Counter[Pair] = Counter()
    for line in lines:
        costs[line.parameter, line.level] += cropped_bytes(sizes[line.number], grid, points)
    prices = costs | {
        pair: costs[pair] * AGAIN
        for pair in {(key.parameter, key.level) for key in held} & {*costs}
    }
    keys = frozenset(wanted)
    pairs = {(key.parameter, key.level) for key in keys}
    requests = []
    for crossing in split(pairs, prices, at_most):
        asked = frozenset(key for key in keys if _brings(crossing, key.parameter, key.level))
        keys -= asked
        requests.append(_request(crossing, asked, lines, points, costs))
    return tuple(requests)


def merged_ranges(
    lines: Sequence[IdxLine],
    wanted: frozenset[MessageKey],
    *,
    total_bytes: int | None = None,
    gap_bytes: int = REQUEST_BYTES,
    held: frozenset[MessageKey] = frozenset(),
) -> tuple[ByteRange, ...]:
    """Stretches of the file that hold each of *wanted* once, in file order.

    gap_bytes  stretches that lie closer are taken in one, with what is between unless it is *held*
    """
    messages = _messages(lines)
    ends = [message[0].offset for message in messages[1:]] + [total_bytes]
    left = set(wanted)
    ranges: list[ByteRange] = []
    between: list[IdxLine] = []
    for message, end in zip(messages, ends, strict=True):
        found = {line.key for line in message if line.key in left}
        if not found:
            between += message
            continue
        left -= found
        start = message[0].offset
        last = ranges[-1] if ranges else None
        again = any(line.key in held for line in between)
        near = max(gap_bytes, 1) if not again else 1
        if last is not None and last.end is not None and start - last.end < near:
            ranges[-1] = ByteRange(last.start, end, (*last.lines, *between, *message))
        else:
            ranges.append(ByteRange(start, end, message))
        between = []
    return tuple(ranges)


def _messages(lines: Sequence[IdxLine]) -> list[tuple[IdxLine, ...]]:
    grouped: dict[int, list[IdxLine]] = {}
    for line in lines:
        grouped.setdefault(line.number, []).append(line)
    return [tuple(group) for group in grouped.values()]


def _request(
    crossing: Crossing,
    asked: frozenset[MessageKey],
    lines: Sequence[IdxLine],
    points: int,
    costs: Counter[Pair],
) -> FilterRequest:
    answered = tuple(line for line in lines if _brings(crossing, line.parameter, line.level))
    pairs = {(line.parameter, line.level) for line in answered}
    return FilterRequest(
        crossing.parameters,
        crossing.levels,
        asked,
        answered,
        points,
        sum(costs[pair] for pair in pairs),
    )


def _brings(crossing: Crossing, parameter: str, level: str) -> bool:
    return parameter in crossing.parameters and level in crossing.levels
