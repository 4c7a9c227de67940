"""When the hours of a run are to be expected, from when those of others came. Pure.

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
from twf_async.plan.arrivals import Arrival, Window
from twf_async.plan.runs import EARLY_MIN, cycle_time, hours_of_cycle

RUNS_LEARNED_FROM = 14
ENOUGH = 3  # runs that an expectation may rest on
OUTSIDE = 0.1  # share of the arrivals before a window, and after it
EARLIEST_S = 60 * EARLY_MIN  # before its likeliest moment: so early may a run begin
LATE_MIN = 8.0  # after the moment that the configuration gives: runs are rather late than early
DOUBT = 4.0  # of the runs learned from: how much wider a window is than what was seen
EDGE = timedelta(seconds=1)  # Last-Modified has whole seconds
LOOSE = timedelta(seconds=60)  # an hour that wide does not keep to the one before it

Anchor = Arrival | None


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
        """When *hour* is expected, by the hour that came last if there is one; None: no idea.

        What does not keep to the hour before it may keep to the clock: some runs show f000 alone
        for minutes, and then go on when they always do.
        """
        by_clock = cycle_time(self.cycle)
        if anchor is None:
            return self._learned(hour, by_clock, None) or self._usual(hour, by_clock, None)
        found = self._learned(hour, anchor.at, anchor.hour)
        if found is None:
            return self._usual(hour, anchor.at, anchor.hour)
        if found.width > LOOSE:
            other = self._learned(hour, by_clock, None)
            if other is not None and other.width < found.width and anchor.at < other.likely:
                return other
        return found

    def _learned(self, hour: int, start: datetime, since: int | None) -> Window | None:
        for runs in (self.same, self.all_):
            samples = sorted(_seconds(runs, hour, since))
            if len(samples) >= ENOUGH:
                low, likely, high = spread(samples)
                if since is None:
                    low = _earliest([*samples, *_seconds(self.all_, hour, None)], low, likely)
                return Window(
                    start + timedelta(seconds=low) - EDGE,
                    start + timedelta(seconds=likely),
                    start + timedelta(seconds=high) + EDGE,
                    None if since is not None else start + timedelta(seconds=likely - EARLIEST_S),
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
        early, late = timedelta(minutes=EARLY_MIN), timedelta(minutes=LATE_MIN)
        return Window(likely - early, likely, likely + late)


def spread(rising: list[float]) -> tuple[float, float, float]:
    """Low, middle and high of what is to be expected after what was seen.

    The strangest tenth at either end does not count; the fewer there are, the wider it is.
    """
    last = len(rising) - 1
    outside = math.ceil(OUTSIDE * last) if last >= ENOUGH + 1 else 0
    middle = (rising[last // 2] + rising[(last + 1) // 2]) / 2
    wider = _wider(rising)
    low, high = rising[outside], rising[last - outside]
    return middle - (middle - low) * wider, middle, middle + (high - middle) * wider


def _earliest(samples: list[float], low: float, likely: float) -> float:
    """When what hangs on the cycle's time alone may come: none of the past is too strange for it.

    Runs begin minutes earlier or later; who begins to look too late loses as much, and three runs
    say little of that. But one run of another time altogether is not to make the looks at all
    others rare.
    """
    seen_s = (likely - min(samples)) * _wider(samples)
    unseen_s = EARLIEST_S * (ENOUGH / len(samples)) ** 2
    return min(low, likely - min(max(seen_s, unseen_s), EARLIEST_S))


def _wider(samples: list[float]) -> float:
    return 1.0 + DOUBT / len(samples)


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
