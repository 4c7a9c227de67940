"""Splits wanted fields into filter requests so that little unwanted comes along.

The filter sends every named parameter on every named level: asking for TMP at 2 m together with
UGRD at 850 mb also brings TMP at 850 mb. Which fields share a request decides the bytes.
"""

from collections.abc import Iterable, Mapping, Sequence
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
        self._of_column = [self._those(0, at) for at in column.values()]
        self._of_row = [self._those(1, at) for at in row.values()]
        singles = [1 << pair for pair in range(len(pairs))]
        self._parts = list(dict.fromkeys([*singles, *self._of_column, *self._of_row]))
        self._masks: dict[Group, tuple[int, int]] = {}
        self._crossed: dict[tuple[int, int], int] = {}

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
        alone = sum(self._crossing_bytes(*self._mask(group)) for group in groups)
        return alone + sum(self._twice(a, b) for a, b in combinations(groups, 2))

    def crossing(self, group: Group) -> Crossing:
        """What to ask for."""
        columns, rows = self._mask(group)
        return Crossing(
            frozenset(self._parameters[column] for column in _bits(columns)),
            frozenset(self._levels[row] for row in _bits(rows)),
        )

    def _those(self, side: int, at: int) -> Group:
        """All pairs of one parameter (side 0) or one level (side 1)."""
        return sum(1 << pair for pair, place in enumerate(self._at) if place[side] == at)

    def _joined(self, groups: list[Group]) -> tuple[int, list[Group]]:
        """What the cheapest union adds to the price, and the groups with it."""
        before, tried = self.price(groups), []
        for a, b in combinations(range(len(groups)), 2):
            rest = [group for at, group in enumerate(groups) if at not in {a, b}]
            tried.append([*rest, groups[a] | groups[b]])
        best = min(tried, key=self.price)
        return self.price(best) - before, best

    def _moved(self, groups: list[Group], source: int, target: int) -> bool:
        """Move from one group to another whatever part lowers the price."""
        moved = False
        price = self.price(groups)
        for part in self._parts:
            one, other = groups[source], groups[target]
            here = part & one
            if not here:
                continue
            groups[source], groups[target] = one & ~here, other | here
            if (now := self.price(groups)) < price:
                price, moved = now, True
            else:
                groups[source], groups[target] = one, other
        return moved

    def _mask(self, group: Group) -> tuple[int, int]:
        """The parameters and the levels of a group, as bits."""
        if (known := self._masks.get(group)) is None:
            columns = sum(1 << at for at, those in enumerate(self._of_column) if group & those)
            rows = sum(1 << at for at, those in enumerate(self._of_row) if group & those)
            known = self._masks[group] = (columns, rows)
        return known

    def _twice(self, one: Group, other: Group) -> int:
        (columns, rows), (others, below) = self._mask(one), self._mask(other)
        return _TWICE * self._crossing_bytes(columns & others, rows & below)

    def _crossing_bytes(self, columns: int, rows: int) -> int:
        if not columns or not rows:
            return 0
        if (known := self._crossed.get((columns, rows))) is None:
            named = _bits(columns)
            known = sum(self._costs[row][column] for row in _bits(rows) for column in named)
            self._crossed[columns, rows] = known
        return known


def _bits(number: int) -> list[int]:
    return [at for at in range(number.bit_length()) if number >> at & 1]
