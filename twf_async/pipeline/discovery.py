"""Finds a model's newest run by asking for an hour of it, when that is worth a request."""

from datetime import datetime

import structlog

from render_farm.domain.models import Model
from twf_async.errors import FetchError
from twf_async.fetch.errors import BadIndex, Expired, NotYetPublished
from twf_async.pipeline.ports import Workshop
from twf_async.pipeline.timing import RunTiming
from twf_async.plan.arrivals import Window
from twf_async.plan.runs import cycles_since, hours_of_cycle, next_cycle
from twf_async.plan.search import RunSearch


class RunFinder:
    """Asks for runs newer than the newest it knows.

    looked_at   when it last had a reason to ask
    looks       requests in vain that finding the latest run has cost
    fault       why the other side could not be asked; "" when it could
    since       runs have been looked out for since then, without a pause by hand
    """

    def __init__(self, model: Model, shop: Workshop, latest: str = "") -> None:
        self.looked_at: datetime | None = None
        self.fault = ""
        self.looks = 0
        self.since = shop.clock.now()
        self._model, self._shop = model, shop
        self._search = RunSearch(model, latest)
        self._windows: dict[str, Window] = {}
        self._log = structlog.get_logger(component="poller").bind(model=model.key)

    @property
    def latest(self) -> str:
        """The newest run that is known, "" for none."""
        return self._search.latest

    def know(self, cycle: str) -> None:
        """A run is known from elsewhere."""
        self._search = self._search.found(cycle)

    async def look(self) -> str | None:
        """Ask what is due; a run that was found. A fault of the other side is no answer."""
        now = self._shop.clock.now()
        await self._expect(now)
        due = self._search.due(self._window, now)
        if not due:
            return None
        self.looked_at = now
        by_hand = self._shop.gate.is_paused_by_hand
        await self._shop.gate.wait_fetch()
        if by_hand:
            self.since = self._shop.clock.now()
        try:
            found = await self._ask(due)
        except FetchError as error:
            if self.fault != error.reason:
                self._log.warning("poller.look_failed", reason=error.reason, detail=str(error))
            self.fault = error.reason
            return None
        self.fault = ""
        return found

    async def pause_s(self) -> float:
        """For how long there is nothing to ask, in seconds of the clock."""
        if self.fault:
            return self._model.poll_s
        now = self._shop.clock.now()
        await self._expect(now)
        return (self._search.next_look(self._window, now) - now).total_seconds()

    def coming(self) -> dict[str, object] | None:
        """The next run and when it is expected, for the status page."""
        if not self.latest:
            return None
        cycle = next_cycle(self._model, self.latest)
        window = self._windows.get(cycle)
        return {"cycle": cycle, "eta": None if window is None else window.likely}

    async def _ask(self, cycles: tuple[str, ...]) -> str | None:
        fetcher, clock = self._shop.fetcher, self._shop.clock
        for cycle in cycles:
            hour = self._search.hour_to_ask(cycle, self._window, clock.now())
            try:
                seen = await fetcher.appeared(self._model, cycle, hour)
            except (NotYetPublished, Expired, BadIndex):
                self._miss(cycle)
                continue
            timing = RunTiming(self._model, cycle, self._shop.ledger)
            is_first = hour == hours_of_cycle(self._model, cycle)[0]  # the others are hardly missed
            missed_at = self._search.missed.get(cycle) if is_first else None
            await timing.came(hour, seen, seen_at=clock.now(), missed_at=missed_at)
            for lost in self._search.overtaken(cycle):
                self._log.warning("poller.run_missing", cycle=lost, reason="a newer one is there")
            self._log.info("poller.run_found", cycle=cycle, superseded=self.latest or None)
            self.looks = self._search.vain
            self._search = self._search.found(cycle)
            self._windows.clear()
            return cycle
        return None

    def _miss(self, cycle: str) -> None:
        now, chance = self._shop.clock.now(), self._shop.chance()
        self._search = self._search.absent(cycle, self._window, now, chance=chance)
        if self._search.gave_up(cycle):
            self._log.warning("poller.run_missing", cycle=cycle, reason="it did not come in time")

    async def _expect(self, now: datetime) -> None:
        """Recall when the runs that may be asked for usually come."""
        cycles = cycles_since(self._model, self.latest, now)
        newest = cycles[0] if cycles else self.latest
        for cycle in (*cycles, next_cycle(self._model, newest)):
            if cycle not in self._windows:
                timing = RunTiming(self._model, cycle, self._shop.ledger)
                await timing.open()
                self._windows[cycle] = timing.first()

    def _window(self, cycle: str) -> Window:
        return self._windows[cycle]
