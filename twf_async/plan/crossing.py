"""Splits wanted fields into filter requests so that little unwanted comes along.

The filter sends every named parameter on every named level: asking for TMP at 2 m together with
UGRD at 850 mb also brings TMP at 850 mb. Which fields share a request decides the bytes.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations, permutations
from random import Random

Pair = tuple[str, str]  # parameter, level
_WORTH_A_REQUEST = 0.03  # of all bytes; more than this is not spent to save a request
_ROUNDS = 7  # of shaking a split up and settling it anew
_SHAKEN = 8  # fields of each
_TWICE = 100  # times the bytes of what would come in two answers: no field is to come twice


@dataclass(frozen=True, slots=True)
class Crossing:
    """Parameters and levels of one request."""

    parameters: frozenset[str]
    levels: frozenset[str]


def split(wanted: Iterable[Pair], costs: Mapping[Pair, int], at_most: int) -> tuple[Crossing, ...]:
    """At most *at_most* requests that together bring all of *wanted*, with few bytes.

    costs   bytes that a pair brings, for every pair the file holds; pairs not there bring nothing
    returns requests in a stable order, always the same for the same question; empty for nothing

    Starts with one request a level and joins what costs least, then moves fields, parameters and
    levels between requests while that saves bytes; shakes the outcome up and settles it again a few
    times; and saves a request where it hardly costs any. No field comes in two answers. Not always
    the least possible: `tests/acquisition` holds it to the exact optimum on real inventories.
    """
    wanted = frozenset(wanted)
    parameters = {parameter for parameter, _ in wanted}
    levels = {level for _, level in wanted}
    # What no request of these can bring does not matter; leaving it out keeps answers remembered.
    relevant = ((pair, cost) for pair, cost in costs.items() if cost)
    items = frozenset(e for e in relevant if e[0][0] in parameters and e[0][1] in levels)
    return _split(wanted, items, at_most)


@lru_cache(maxsize=64)  # hour after hour asks the same of files laid out alike
def _split(
    wanted: frozenset[Pair], items: frozenset[tuple[Pair, int]], at_most: int
) -> tuple[Crossing, ...]:
    search = _Search(sorted(wanted), dict(items))
    groups = min(max(at_most, 1), len(wanted))
    best = search.settled(search.by_level(groups))
    chance = Random(0)  # noqa: S311 - the same question has the same answer
    for _ in range(_ROUNDS if groups > 1 else 0):
        tried = search.settled(search.shaken(best, groups, chance))
        if search.price(tried) < search.price(best):
            best = tried
    best = search.worthwhile(best)
    crossings = (search.crossing(group) for group in best)
    return tuple(sorted(crossings, key=lambda c: (sorted(c.levels), sorted(c.parameters))))


Group = int  # a bit for each pair of the list of all


class _Search:
    """The bytes of groups of pairs, and ways from one division into groups to a better one.

    Groups, parameters and levels are bits of numbers; what a group costs is remembered.
    """

    def __init__(self, pairs: list[Pair], costs: Mapping[Pair, int]) -> None:
        self._parameters = sorted({parameter for parameter, _ in pairs})
        self._levels = sorted({level for _, level in pairs})
        column = {parameter: at for at, parameter in enumerate(self._parameters)}
        row = {level: at for at, level in enumerate(self._levels)}
        self._at = [(column[parameter], row[level]) for parameter, level in pairs]
        self._costs = [
            [costs.get((parameter, level), 0) for parameter in self._parameters]
            for level in self._levels
        ]
        width = len(self._parameters)
        self._columns = (1 << width) - 1
        self._marks = [1 << column | 1 << row + width for column, row in self._at]
        self._of_column = [self._those(0, at) for at in column.values()]
        self._of_row = [self._those(1, at) for at in row.values()]
        singles = [1 << pair for pair in range(len(pairs))]
        self._parts = list(dict.fromkeys([*singles, *self._of_column, *self._of_row]))
        self._masks = _Known(self._mask)
        self._bytes = _Known(self._crossing_bytes)

    def by_level(self, at_most: int) -> list[Group]:
        """One group a level, the cheapest unions made until few enough are left."""
        groups = list(self._of_row)
        while len(groups) > at_most:
            groups = self._joined(groups)[1]
        return groups

    def settled(self, groups: list[Group]) -> list[Group]:
        """Move fields, parameters and levels while that saves bytes."""
        groups, two = list(groups), list(permutations(range(len(groups)), 2))
        while sum(self._moved(groups, source, target) for source, target in two):
            pass
        return [group for group in groups if group]

    def shaken(self, groups: list[Group], at_most: int, chance: Random) -> list[Group]:
        """Some fields anywhere else; also in groups that had become empty."""
        shaken = [*groups, *[0] * (at_most - len(groups))]
        for pair in chance.sample(range(len(self._at)), min(_SHAKEN, len(self._at))):
            shaken = [group & ~(1 << pair) for group in shaken]
            shaken[chance.randrange(len(shaken))] |= 1 << pair
        return shaken

    def worthwhile(self, groups: list[Group]) -> list[Group]:
        """Fewer groups, while that adds hardly any bytes."""
        while len(groups) > 1:
            added, joined = self._joined(groups)
            if added > _WORTH_A_REQUEST * self.price(groups):
                break
            groups = joined
        return groups

    def price(self, groups: Sequence[Group]) -> int:
        """The bytes that all of them bring, and much more for what would come twice."""
        masks = [self._masks[group] for group in groups]
        alone = sum(self._bytes[mask] for mask in masks)
        return alone + _TWICE * sum(self._bytes[a & b] for a, b in combinations(masks, 2))

    def crossing(self, group: Group) -> Crossing:
        """What to ask for."""
        mask = self._masks[group]
        names = [*self._parameters, *self._levels]
        named = [names[at] for at in _bits(mask)]
        parameters = (mask & self._columns).bit_count()
        return Crossing(frozenset(named[:parameters]), frozenset(named[parameters:]))

    def _those(self, side: int, at: int) -> Group:
        """All pairs of one parameter (side 0) or one level (side 1)."""
        return sum(1 << pair for pair, place in enumerate(self._at) if place[side] == at)

    def _joined(self, groups: list[Group]) -> tuple[int, list[Group]]:
        """What the cheapest union adds to the price, and the groups with it."""
        tried = []
        for a, b in combinations(range(len(groups)), 2):
            rest = [group for at, group in enumerate(groups) if at not in {a, b}]
            masks = [self._masks[group] for group in rest]
            union = groups[a] | groups[b]
            added = self._price_of(union, 0, masks) - self._price_of(groups[a], groups[b], masks)
            tried.append((added, [*rest, union]))
        return min(tried, key=lambda found: found[0])

    def _moved(self, groups: list[Group], source: int, target: int) -> bool:
        """Move from one group to another whatever part lowers the price."""
        one, other = groups[source], groups[target]
        rest = [self._masks[g] for at, g in enumerate(groups) if at not in {source, target}]
        price = self._price_of(one, other, rest)
        for part in self._parts:
            here = part & one
            if here and (now := self._price_of(one & ~here, other | here, rest)) < price:
                one, other, price = one & ~here, other | here, now
        moved = one != groups[source]
        groups[source], groups[target] = one, other
        return moved

    def _price_of(self, one: Group, other: Group, rest: Sequence[int]) -> int:
        """What of the price hangs on two groups. rest: the masks of the others."""
        a, b, crossing = self._masks[one], self._masks[other], self._bytes
        twice = crossing[a & b]
        for mask in rest:
            twice += crossing[a & mask] + crossing[b & mask]
        return crossing[a] + crossing[b] + _TWICE * twice

    def _mask(self, group: Group) -> int:
        """The parameters and, above them, the levels of a group, as bits."""
        mask = 0
        for pair in _bits(group):
            mask |= self._marks[pair]
        return mask

    def _crossing_bytes(self, mask: int) -> int:
        """Of all parameters on all levels of a mask."""
        columns, rows = _bits(mask & self._columns), _bits(mask >> len(self._parameters))
        return sum(self._costs[row][column] for row in rows for column in columns)


class _Known(dict[int, int]):
    """What was worked out of numbers, when it was asked for first."""

    def __init__(self, work_out: Callable[[int], int]) -> None:
        self._work_out = work_out

    def __missing__(self, number: int) -> int:
        known = self[number] = self._work_out(number)
        return known


def _bits(number: int) -> list[int]:
    return [at for at in range(number.bit_length()) if number >> at & 1]
