"""When hours came, and when the next ones are to be expected. Pure.

Two ways lead to an expectation: from the cycle's own time, for a run that nothing is known of yet,
and, far tighter, from the hour that came last: a run may be late as a whole, the distance between
its hours hardly changes. Both rest on the last runs, those of the same cycle of the day first;
where nothing is learned, on `first_hour_min` and `cadence` of the model.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Self

from render_farm.domain.models import Model
from twf_async.plan.runs import EARLY_MIN, cycle_time, hours_of_cycle

RUNS_LEARNED_FROM = 14
ENOUGH = 3  # runs that an expectation may rest on
OUTSIDE = 0.1  # share of the arrivals before a window, and after it
DOUBT = 4.0  # of the runs learned from: how much wider a window is than what was seen
EDGE = timedelta(seconds=1)  # Last-Modified has whole seconds
FOREIGN = timedelta(seconds=60)  # a Last-Modified this far ahead is of another clock


@dataclass(frozen=True, slots=True)
class Arrival:
    """An hour of a run was there from then on."""

    cycle: str
    hour: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Window:
    """An hour is expected from `low` to `high`, and most likely at `likely`."""

    low: datetime
    likely: datetime
    high: datetime


Anchor = Arrival | None


def arrived_at(
    cycle: str,
    *,
    seen_at: datetime,
    missed_at: datetime | None = None,
    modified_at: datetime | None = None,
) -> datetime | None:
    """When an hour really came, by our clock; None where that cannot be told.

    seen_at      we found it
    missed_at    we had looked before, and it was not there
    modified_at  its Last-Modified: often before the other side shows the file, so a look that
                 missed later than that counts more
    """
    if modified_at is not None and cycle_time(cycle) < modified_at <= seen_at + FOREIGN:
        return min(max(modified_at, missed_at or modified_at), seen_at)
    return None if missed_at is None else seen_at


@dataclass(frozen=True, slots=True)
class Timetable:
    """What one run may be expected to do.

    same, all_   hour -> seconds after the cycle, for each earlier run; same: of this time of day
    """

    model: Model
    cycle: str
    same: tuple[Mapping[int, float], ...] = ()
    all_: tuple[Mapping[int, float], ...] = field(default=(), repr=False)

    @classmethod
    def learned(cls, model: Model, cycle: str, past: Iterable[Arrival]) -> Self:
        """From what is known of other runs, in any order; the newest count."""
        runs: dict[str, dict[int, float]] = {}
        for arrival in past:
            if arrival.cycle != cycle:
                after = arrival.at - cycle_time(arrival.cycle)
                runs.setdefault(arrival.cycle, {})[arrival.hour] = after / timedelta(seconds=1)
        newest = sorted(runs, reverse=True)
        alike = [name for name in newest if name[-2:] == cycle[-2:]]
        return cls(
            model,
            cycle,
            tuple(runs[name] for name in alike[:RUNS_LEARNED_FROM]),
            tuple(runs[name] for name in newest[:RUNS_LEARNED_FROM]),
        )

    def first(self) -> Window:
        """When the run begins to come, by the cycle's own time."""
        hour, start = hours_of_cycle(self.model, self.cycle)[0], cycle_time(self.cycle)
        return self._learned(hour, start, None) or self._begins(start)

    def window(self, hour: int, anchor: Anchor = None) -> Window | None:
        """When *hour* is expected, by the hour that came last if there is one; None: no idea."""
        start = cycle_time(self.cycle) if anchor is None else anchor.at
        since = None if anchor is None else anchor.hour
        return self._learned(hour, start, since) or self._usual(hour, start, since)

    def _learned(self, hour: int, start: datetime, since: int | None) -> Window | None:
        for runs in (self.same, self.all_):
            samples = sorted(_seconds(runs, hour, since))
            if len(samples) >= ENOUGH:
                low, likely, high = spread(samples)
                return Window(
                    start + timedelta(seconds=low) - EDGE,
                    start + timedelta(seconds=likely),
                    start + timedelta(seconds=high) + EDGE,
                )
        return None

    def _usual(self, hour: int, start: datetime, since: int | None) -> Window | None:
        """By the configuration alone."""
        model = self.model
        first = hours_of_cycle(model, self.cycle)[0]
        if since is None and hour == first:
            return self._begins(start)
        if not model.cadence:
            return None
        gap = _cadence_s(model, first if since is None else since, hour)
        if since is None:
            return self._begins(start + timedelta(seconds=gap))
        return Window(
            start + timedelta(seconds=0.85 * gap),
            start + timedelta(seconds=gap),
            start + timedelta(seconds=1.15 * gap + 5.0),
        )

    def _begins(self, start: datetime) -> Window:
        likely = start + timedelta(minutes=self.model.first_hour_min)
        early = timedelta(minutes=EARLY_MIN)
        return Window(likely - early, likely, likely + early)


def spread(rising: list[float]) -> tuple[float, float, float]:
    """Low, middle and high of what is to be expected after what was seen.

    The strangest tenth at either end does not count; the fewer there are, the wider it is.
    """
    last = len(rising) - 1
    outside = math.ceil(OUTSIDE * last) if last >= ENOUGH + 1 else 0
    middle = (rising[last // 2] + rising[(last + 1) // 2]) / 2
    wider = 1.0 + DOUBT / len(rising)
    low, high = rising[outside], rising[last - outside]
    return middle - (middle - low) * wider, middle, middle + (high - middle) * wider


def _seconds(
    runs: tuple[Mapping[int, float], ...], hour: int, since: int | None
) -> Iterable[float]:
    for run in runs:
        after_s, anchor_s = run.get(hour), 0.0 if since is None else run.get(since)
        if after_s is not None and anchor_s is not None:
            yield after_s - anchor_s


def _cadence_s(model: Model, since: int, hour: int) -> float:
    """Seconds that the other side usually takes from one hour to another; 0 backwards."""
    after_s, done = 0.0, since
    for part in model.cadence:
        reached = min(hour, part.to)
        after_s += max(0, reached - done) * part.s_per_hour
        done = max(done, reached)
    return after_s
