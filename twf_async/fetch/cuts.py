"""Keeps the hours of one run on one cut-out of the grid.

Products that subtract one hour from another need both on the same grid, so the way and the box that
a run began with are kept to: while they still show what is wanted, and across restarts.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from weakref import WeakValueDictionary

from render_farm.domain.models import Model
from render_farm.domain.places import Box
from twf_async.fetch.cache import Cache
from twf_async.fetch.record import Record, covers
from twf_async.fetch.sources import NOMADS
from twf_async.plan.estimates import QUARTER_DEGREE, points_within
from twf_async.plan.selection import Way

Run = tuple[str, str]  # model, cycle
_RUNS_REMEMBERED = 64


@dataclass(frozen=True, slots=True)
class Cut:
    """How fields are to be got. way None: the cheaper one may be chosen."""

    way: Way | None
    box: Box


class Cuts:
    """The cut-out of every run."""

    def __init__(self, cache: Cache) -> None:
        self._cache = cache
        self._known: dict[Run, tuple[Way, Box | None]] = {}  # byte ranges show every box: None
        # A lock that nobody holds or waits for is forgotten.
        self._deciding: WeakValueDictionary[Run, asyncio.Lock] = WeakValueDictionary()

    @asynccontextmanager
    async def of(self, model: Model, cycle: str, box: Box) -> AsyncIterator[Cut]:
        """The cut-out for *box*; where none is known yet, others wait until this one is made."""
        if not any(file.filter for file in model.files):
            yield Cut("RANGES", box)
            return
        run = (model.key, cycle)
        if (cut := await self._recall(run, box)) is not None:
            yield cut
            return
        async with self._deciding.setdefault(run, asyncio.Lock()):
            yield await self._recall(run, box) or Cut(None, box)

    def note(self, model: Model, cycle: str, records: Iterable[Record]) -> None:
        """Learn from what was downloaded."""
        run = (model.key, cycle)
        if (known := _common(records)) is not None:
            self._known[run] = known
            while len(self._known) > _RUNS_REMEMBERED:
                self._known.pop(next(iter(self._known)))

    async def _recall(self, run: Run, box: Box) -> Cut | None:
        known = self._known.get(run)
        if known is None or not covers(known[1], box):
            known = _common(r for r in await self._cache.of_run(*run) if covers(r.box, box))
        if known is None:
            return None
        self._known[run] = known
        way, held = known
        return Cut(way, held or box)


def _common(records: Iterable[Record]) -> tuple[Way, Box | None] | None:
    """The largest box among NOMADS' filter answers; else byte ranges, if it gave any."""
    known: tuple[Way, Box | None] | None = None
    largest = 0
    for record in records:
        if record.source != NOMADS or record.method == "FULL":
            continue
        size = 0 if record.box is None else points_within(QUARTER_DEGREE, record.box)
        if known is None or size > largest:
            known, largest = (record.method, record.box), size
    return known
