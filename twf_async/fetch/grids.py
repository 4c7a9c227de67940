"""Holds the hours of a model to one grid: now and then a single hour comes on another one.

A cut-out of such an hour looks like any other, and a map drawn from it is wrong without being
broken. What shape a model's fields have is learned from the first answer; another shape is believed
when a second hour has it too.
"""

from dataclasses import dataclass

from render_farm.domain.places import Box
from twf_async.fetch.errand import Errand
from twf_async.fetch.errors import WrongGrid
from twf_async.fetch.verify import Shape

_Where = tuple[str, str, Box | None]  # model, template of the file's path, box
_Hour = tuple[str, int]  # cycle, hour
_BOXES_REMEMBERED = 64


@dataclass(frozen=True, slots=True)
class _Strange:
    """Shapes that nobody had seen before, and where they were seen."""

    shapes: frozenset[Shape]
    hour: _Hour


class Grids:
    """Remembers the shapes of cut-outs, and of whole grids (box None)."""

    def __init__(self) -> None:
        self._known: dict[_Where, frozenset[Shape]] = {}
        self._strange: dict[_Where, _Strange] = {}

    def require(self, errand: Errand, box: Box | None, shapes: frozenset[Shape]) -> None:
        """Raise WrongGrid for an hour whose fields have another shape than those of other hours."""
        where, hour = _where(errand, box), (errand.at.cycle, errand.at.hour)
        known = self._known.pop(where, shapes)
        self._known[where] = known  # the last one that was used is forgotten last
        while len(self._known) > _BOXES_REMEMBERED:
            oldest = next(iter(self._known))
            del self._known[oldest]
            self._strange.pop(oldest, None)
        news = shapes - known
        if not news:
            return
        before = self._strange.get(where)
        if before is not None and before.shapes == news and before.hour != hour:
            self._known[where] = known | news
            del self._strange[where]
            return
        self._strange[where] = _Strange(news, hour)
        raise WrongGrid(f"a grid of {_told(news)} points, other hours have {_told(known)}")


def _where(errand: Errand, box: Box | None) -> _Where:
    return errand.at.model.key, errand.at.file.path, box


def _told(shapes: frozenset[Shape]) -> str:
    return " and ".join(f"{columns} x {rows}" for _, columns, rows in sorted(shapes))
