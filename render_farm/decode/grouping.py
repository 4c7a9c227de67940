"""Which messages of a file make one variable of a Dataset, and what it is called."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from render_farm.decode import cf
from render_farm.domain.grib2 import MessageHead


@dataclass(frozen=True, slots=True)
class Group:
    """Messages that make one variable: one quantity at one or at several levels."""

    name: str
    heads: tuple[MessageHead, ...]
    dimension: str | None


def groups(heads: list[MessageHead]) -> Iterator[Group]:
    """Sort messages into variables, none lost: what does not fit gets a variable of its own."""
    by_name: dict[tuple[str, str], list[MessageHead]] = defaultdict(list)
    for head in heads:
        by_name[cf.variable_name(head), head.grid.digest].append(head)
    taken: set[str] = set()
    for (name, _), members in by_name.items():
        for layer in _without_repeats(members):
            unique, count = name, 1
            while unique in taken:
                count += 1
                unique = f"{name}_{count}"
            taken.add(unique)
            place = cf.vertical(layer[0])
            yield Group(unique, tuple(layer), place[0] if place else None)


def _without_repeats(members: list[MessageHead]) -> Iterator[list[MessageHead]]:
    """Split messages of one name into lists in which each level and hour comes once."""
    left = members
    while left:
        first: list[MessageHead] = []
        rest: list[MessageHead] = []
        seen: set[object] = set()
        for head in left:
            hour = head.key.end_h if head.key is not None else None
            mark = cf.vertical(head), hour
            # Along a vertical axis only one hour and one run can lie.
            fits = mark not in seen and (not first or _same_time(first[0], head))
            (first if fits else rest).append(head)
            if fits:
                seen.add(mark)
        first.sort(key=lambda head: (cf.vertical(head) or ("", 0.0))[1])
        yield first
        left = rest


def _same_time(one: MessageHead, other: MessageHead) -> bool:
    if one.key is None or other.key is None or one.reference != other.reference:
        return False
    return one.key.end_h == other.key.end_h
