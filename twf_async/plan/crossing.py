"""Splits wanted fields into filter requests so that little unwanted comes along.

The filter sends every named parameter on every named level: asking for TMP at 2 m together with
UGRD at 850 mb also brings TMP at 850 mb. Which fields share a request decides the bytes.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations

Pair = tuple[str, str]  # parameter, level
_WORTH_A_REQUEST = 0.03  # of all bytes; more than this is not spent to save a request


@dataclass(frozen=True, slots=True)
class Crossing:
    """Parameters and levels of one request."""

    parameters: frozenset[str]
    levels: frozenset[str]

    def joined(self, other: "Crossing") -> "Crossing":
        """Both in one request."""
        return Crossing(self.parameters | other.parameters, self.levels | other.levels)


def split(wanted: Iterable[Pair], costs: Mapping[Pair, int], at_most: int) -> tuple[Crossing, ...]:
    """At most *at_most* requests that together bring all of *wanted*, with few bytes.

    costs   bytes that a pair brings, for every pair the file holds; pairs not there bring nothing
    returns requests in a stable order; empty for nothing wanted

    Starts with one request a level and joins what costs least, moves single fields between
    requests while that saves bytes, and saves a request where it hardly costs any. Not always the
    least possible.
    """
    return _split(frozenset(wanted), frozenset(costs.items()), at_most)


@lru_cache(maxsize=64)  # hour after hour asks the same of files laid out alike
def _split(
    wanted: frozenset[Pair], items: frozenset[tuple[Pair, int]], at_most: int
) -> tuple[Crossing, ...]:
    costs = dict(items)
    groups: list[set[Pair]] = [
        {pair for pair in wanted if pair[1] == level} for level in sorted({p[1] for p in wanted})
    ]
    while len(groups) > max(at_most, 1):
        _, first, second = _cheapest_union(groups, costs)
        groups[first] |= groups.pop(second)
    while _improve(groups, costs):
        pass
    groups = [group for group in groups if group]
    while len(groups) > 1:
        added, first, second = _cheapest_union(groups, costs)
        if added > _WORTH_A_REQUEST * sum(_cost(group, costs) for group in groups):
            break
        groups[first] |= groups.pop(second)
    crossings = (_crossing(group) for group in groups)
    return tuple(sorted(crossings, key=lambda c: (sorted(c.levels), sorted(c.parameters))))


def _cheapest_union(groups: list[set[Pair]], costs: Mapping[Pair, int]) -> tuple[int, int, int]:
    """The bytes that joining two groups adds, and which two, where that is least."""
    alone = [_cost(group, costs) for group in groups]
    return min(
        (_cost(groups[a] | groups[b], costs) - alone[a] - alone[b], a, b)
        for a, b in combinations(range(len(groups)), 2)
    )


def _improve(groups: list[set[Pair]], costs: Mapping[Pair, int]) -> bool:
    """Move the one field whose move saves most; False where none does."""
    best: tuple[int, Pair, set[Pair], set[Pair]] | None = None
    for source, target in ((a, b) for a in groups for b in groups if a is not b):
        before = _cost(source, costs) + _cost(target, costs)
        for pair in sorted(source):
            saved = before - _cost(source - {pair}, costs) - _cost(target | {pair}, costs)
            if saved > 0 and (best is None or saved > best[0]):
                best = (saved, pair, source, target)
    if best is None:
        return False
    _, pair, source, target = best
    source.discard(pair)
    target.add(pair)
    return True


def _crossing(pairs: Iterable[Pair]) -> Crossing:
    pairs = tuple(pairs)
    return Crossing(frozenset(p for p, _ in pairs), frozenset(level for _, level in pairs))


def _cost(pairs: set[Pair], costs: Mapping[Pair, int]) -> int:
    crossing = _crossing(pairs)
    return sum(costs.get((p, level), 0) for p in crossing.parameters for level in crossing.levels)
