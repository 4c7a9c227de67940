"""When a model's hours come: what the ledger remembers, and what this run has shown so far."""

from collections.abc import Iterable
from datetime import datetime

from render_farm.domain.models import Model
from twf_async.fetch.fetched import Appearance
from twf_async.fetch.sources import NOMADS
from twf_async.ledger.entries import ArrivalEntry
from twf_async.ledger.ledger import Ledger
from twf_async.plan.arrivals import Arrival, Window, arrived_at
from twf_async.plan.timetable import RUNS_LEARNED_FROM, Timetable


class RunTiming:
    """One run's timetable; grows sharper with every hour that comes."""

    def __init__(self, model: Model, cycle: str, ledger: Ledger) -> None:
        self._model, self._cycle, self._ledger = model, cycle, ledger
        self._table = Timetable(model, cycle)
        self.anchor: Arrival | None = None

    async def open(self) -> None:
        """Recall the runs before this one, and what came of this one before a restart."""
        known = [
            Arrival(entry.cycle, entry.hour, entry.arrived_at)
            for entry in await self._ledger.arrivals(
                self._model.key, self._cycle, runs=RUNS_LEARNED_FROM
            )
        ]
        self._table = Timetable.learned(self._model, self._cycle, known)
        for arrival in known:
            if arrival.cycle == self._cycle:
                self._advance(arrival)

    @property
    def progressed_at(self) -> datetime | None:
        """Since when the last hour that came is there."""
        return None if self.anchor is None else self.anchor.at

    async def came(
        self, hour: int, seen: Appearance, *, seen_at: datetime, missed_at: datetime | None
    ) -> Arrival | None:
        """An hour was found; None where it cannot be told since when it has been there."""
        at = arrived_at(
            self._cycle, seen_at=seen_at, missed_at=missed_at, modified_at=seen.modified_at
        )
        if at is None:
            return None
        arrival = Arrival(self._cycle, hour, at)
        self._advance(arrival)
        if seen.source == NOMADS:  # a mirror's times are its own
            entry = ArrivalEntry(self._model.key, self._cycle, hour, at)
            await self._ledger.record_arrivals([entry])
        return arrival

    def first(self) -> Window:
        """When the run's first hour is expected."""
        return self._table.first()

    def windows(self, hours: Iterable[int]) -> dict[int, Window]:
        """When hours are expected that lie beyond what has come."""
        anchor = self.anchor
        beyond = (hour for hour in hours if anchor is None or hour > anchor.hour)
        found = ((hour, self._table.window(hour, anchor)) for hour in beyond)
        return {hour: window for hour, window in found if window is not None}

    def _advance(self, arrival: Arrival) -> None:
        if self.anchor is None or arrival.hour > self.anchor.hour:
            self.anchor = arrival
