"""Which messages a file holds, as far as decoding asks."""

from collections import defaultdict
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from render_farm.domain.fields import MessageKey
from render_farm.domain.grib2 import GribError, MessageHead, walk

_ENOUGH_TO_OUTVOTE = 4  # fields; of fewer nobody can say which one is right

Heads = dict[MessageKey, tuple[MessageHead, ...]]


class Inventory(NamedTuple):
    """What is in a file.

    heads   the messages of each key (GFS f006 has its APCP twice)
    damage  where the file breaks; None: nowhere
    astray  the field that alone lies on a grid of its own, with as many points as the one of all
            others: a flipped bit in a corner moves a map and leaves all else in order
    """

    heads: Heads
    damage: GribError | None
    astray: frozenset[MessageKey]


@lru_cache(maxsize=16)
def inventory(path: str, _size: int, _changed_ns: int) -> Inventory:
    """Walk a file; raises OSError.

    Kept while the file stays the same: the products of an hour ask for it one after the other,
    and a whole GFS file has 743 messages.
    """
    heads: Heads = {}
    damage: GribError | None = None
    try:
        with Path(path).open("rb") as file:
            for head in walk(file):
                if head.key is not None:
                    heads[head.key] = (*heads.get(head.key, ()), head)
    except GribError as error:
        damage = error
    return Inventory(heads, damage, _astray(heads))


def _astray(heads: Mapping[MessageKey, tuple[MessageHead, ...]]) -> frozenset[MessageKey]:
    keys: dict[str, set[MessageKey]] = defaultdict(set)
    points: dict[str, int] = {}
    for key, those in heads.items():
        for head in those:
            keys[head.grid.digest].add(key)
            points[head.grid.digest] = head.grid.points
    if len(heads) < _ENOUGH_TO_OUTVOTE or len(keys) != 2:
        return frozenset()
    lone, common = sorted(keys, key=lambda digest: len(keys[digest]))
    alone = len(keys[lone]) == 1 and points[lone] == points[common]
    return frozenset(keys[lone]) if alone else frozenset()
