"""The questions to the grib filter that bring what is wanted of one file, and little else.

An answer is cut to a box, but it is a whole cross product of parameters and levels. Pure.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from render_farm.domain.fields import MessageKey
from render_farm.domain.models import GridSize
from render_farm.domain.places import Box
from twf_async.plan.crossing import Crossing, Pair, split
from twf_async.plan.estimates import cropped_bytes, points_within
from twf_async.plan.idx import IdxLine

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


def filter_requests(
    lines: Sequence[IdxLine],
    wanted: Iterable[MessageKey],
    sizes: dict[int, int],
    *,
    box: Box,
    grid: GridSize,
    at_most: int,
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
