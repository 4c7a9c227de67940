"""Holds the hours of a model to one grid: now and then a single hour comes on another one.

A cut-out of such an hour looks like any other, and a map drawn from it is wrong without being
broken.
"""

from render_farm.domain.places import Box
from twf_async.fetch.alike import Alike
from twf_async.fetch.errand import Errand
from twf_async.fetch.errors import WrongGrid
from twf_async.fetch.verify import Shape


class Grids:
    """Remembers the shapes of cut-outs, and of whole grids (box None)."""

    def __init__(self) -> None:
        self._alike: Alike[Shape] = Alike()

    def require(self, errand: Errand, box: Box | None, shapes: frozenset[Shape]) -> None:
        """Raise WrongGrid for an hour whose fields have another shape than those of other hours."""
        at = errand.at
        where = (at.model.key, at.file.path, box)
        if news := self._alike.strange(where, (at.cycle, at.hour), shapes):
            known = _told(self._alike.known(where))
            raise WrongGrid(f"a grid of {_told(news)} points, other hours have {known}")


def _told(shapes: frozenset[Shape]) -> str:
    return " and ".join(f"{columns} x {rows}" for _, columns, rows in sorted(shapes))
