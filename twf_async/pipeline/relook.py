"""Looks at a run that has ended once in a while, as long as it is the newest.

The other side may begin a run again after we took its last hour. Three inventories an hour give
that away.
"""

from datetime import datetime, timedelta

from render_farm.domain.models import Model
from twf_async.pipeline.ports import Workshop
from twf_async.pipeline.report import RunReport
from twf_async.pipeline.rerun import replaced_hours
from twf_async.plan import reruns
from twf_async.publish.manifest import RunState


class Relook:
    """The one run of a model that is looked at again, if there is one."""

    def __init__(self, model: Model, shop: Workshop) -> None:
        self._model, self._shop = model, shop
        self._cycle = ""
        self._at: datetime | None = None

    def ended(self, report: RunReport) -> None:
        """A run is over; whether it is looked at again is seen when the time comes."""
        if report.state is not RunState.RUNNING and report.cycle >= self._cycle:
            self._cycle = report.cycle
            self._at = self._shop.clock.now() + reruns.RELOOK

    def pause_s(self) -> float:
        """Until the next look, in seconds of the clock."""
        if self._at is None:
            return reruns.RELOOK / timedelta(seconds=1)
        return max((self._at - self._shop.clock.now()).total_seconds(), 0.0)

    async def look(self, newest: str) -> str:
        """The run if it is time to look, it is still the newest, and has been replaced; else ""."""
        if self._at is None or self._shop.clock.now() < self._at:
            return ""
        if newest != self._cycle:
            self._at = None
            return ""
        self._at = self._shop.clock.now() + reruns.RELOOK
        if not self._shop.gate.fetch_is_open:
            return ""
        entries = await self._shop.ledger.hours(self._model.key, self._cycle)
        noted = {entry.hour: entry.inventory for entry in entries if entry.inventory}
        few = {hour: noted[hour] for hour in reruns.samples(noted)}
        if not await replaced_hours(self._shop.fetcher, self._model, self._cycle, few):
            return ""
        self._at = None
        return self._cycle
