"""Keeps the hours of the last day at hand, for the status page and /metrics."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from prometheus_client import Gauge, Histogram

from twf_async.app.freshness import PERCENTILES, figures, stage_s
from twf_async.clock import Clock
from twf_async.ledger.entries import FreshnessEntry
from twf_async.ledger.ledger import Ledger

WINDOW = timedelta(hours=24)

_BUCKETS = (1, 2, 3, 4, 5, 6, 8, 10, 12, 15, 20, 30, 45, 60, 120, 300, 600, 1800, 3600)
_HOURS = Histogram(
    "twf_hour_seconds",
    "Seconds that forecast hours took from their appearance to each stage",
    ["model", "stage"],
    buckets=_BUCKETS,
)
_PERCENTILES = Gauge(
    "twf_freshness_seconds",
    "Percentiles of the same over the last 24 hours, as of the last hour that came",
    ["model", "stage", "quantile"],
)


class FreshnessBook:
    """Told of every hour that was waited for and is online; the ledger remembers them."""

    def __init__(self, ledger: Ledger, clock: Clock, *, measures: bool = True) -> None:
        """measures: False where the other side's clock is not ours, so that spans mean nothing."""
        self._ledger, self._clock, self._measures = ledger, clock, measures
        self._hours: dict[tuple[str, str, int], FreshnessEntry] = {}

    async def start(self) -> None:
        """Recall the last day."""
        if not self._measures:
            return
        for entry in await self._ledger.freshness(self._clock.now() - WINDOW):
            self._hours[entry.model, entry.cycle, entry.hour] = entry
        for model in {entry.model for entry in self._hours.values()}:
            self._show(model)

    async def note(self, entry: FreshnessEntry) -> None:
        """An hour is online. Of an hour the first time counts."""
        name = (entry.model, entry.cycle, entry.hour)
        if name in self._hours or not self._measures:
            return
        self._hours[name] = entry
        oldest = self._clock.now() - WINDOW
        for old in [name for name, hour in self._hours.items() if hour.published_at < oldest]:
            del self._hours[old]
        for stage, seconds in stage_s(entry).items():
            _HOURS.labels(entry.model, stage).observe(seconds)
        self._show(entry.model)
        await self._ledger.record_freshness(entry)

    def figures(self, model: str) -> dict[str, Any]:
        """What the status document says of a model."""
        return {"window_h": WINDOW // timedelta(hours=1), **figures(self._recent(model))}

    def _recent(self, model: str) -> Iterable[FreshnessEntry]:
        oldest = self._clock.now() - WINDOW
        return (
            entry
            for entry in self._hours.values()
            if entry.model == model and entry.published_at >= oldest
        )

    def _show(self, model: str) -> None:
        for stage, found in self.figures(model)["seconds"].items():
            for percent in PERCENTILES:
                gauge = _PERCENTILES.labels(model, stage, f"{percent / 100:g}")
                gauge.set(found[f"p{percent}"])
