"""Errands about files that nobody is asked for, and a clock that is moved by hand."""

from datetime import UTC, datetime, timedelta

from twf_async.fetch.errand import Errand
from twf_async.fetch.host import Host, Tally
from twf_async.fetch.pacer import Pacer
from twf_async.fetch.pacing import Breaker
from twf_async.fetch.patience import Patience
from twf_async.fetch.sources import FileAt, Source
from twf_async.plan.idx import parse_idx

NOW = datetime(2026, 1, 29, 18, tzinfo=UTC)


class HandClock:
    """Stands until it is moved. speed: of the clock, for what is told in real seconds."""

    def __init__(self, now=NOW, speed=1.0):
        self._now, self.speed = now, speed

    def now(self):
        return self._now

    def real_seconds(self, seconds):
        return seconds / self.speed

    def move(self, seconds):
        self._now += timedelta(seconds=seconds)


def errand(model, *, cycle="2026012912", hour=6, source="nomads"):
    """About the model's first file of an hour."""
    host = Host(source, Pacer(60), Breaker(source, Patience()))
    at = FileAt(Source(source, "http://127.0.0.1", host), model, model.files[0], cycle, hour)
    return Errand(at, recent=True, tally=Tally())


def inventory(*keys, cycle="2026012912"):
    """The lines of a file with these fields."""
    rows = (f"{n}:{n * 100 - 100}:d={cycle}:{key}:\n" for n, key in enumerate(keys, 1))
    return parse_idx("".join(rows))
