"""What the hours of a model have in common: learned from the first answer, and held against others.

Another look is believed when a second hour has it too.
"""

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")
Hour = tuple[str, int]  # cycle, hour
_PLACES_REMEMBERED = 64


@dataclass(frozen=True, slots=True)
class _Strange(Generic[T]):
    """What nobody had seen before, and where it was seen."""

    seen: frozenset[T]
    hour: Hour


class Alike(Generic[T]):
    """Remembers what answers were like, for each place they are compared within."""

    def __init__(self) -> None:
        self._known: dict[Hashable, frozenset[T]] = {}
        self._strange: dict[Hashable, _Strange[T]] = {}

    def known(self, where: Hashable) -> frozenset[T]:
        """What hours have there."""
        return self._known.get(where, frozenset())

    def strange(self, where: Hashable, hour: Hour, seen: frozenset[T]) -> frozenset[T]:
        """Take note of what an hour has; returns what of it no other one has, if not believed."""
        known = self._known.pop(where, seen)
        self._known[where] = known  # the last one that was used is forgotten last
        while len(self._known) > _PLACES_REMEMBERED:
            oldest = next(iter(self._known))
            del self._known[oldest]
            self._strange.pop(oldest, None)
        news = seen - known
        if not news:
            return news
        before = self._strange.get(where)
        if before is not None and before.seen == news and before.hour != hour:
            self._known[where] = known | news
            del self._strange[where]
            return frozenset()
        self._strange[where] = _Strange(news, hour)
        return news
