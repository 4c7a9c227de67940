"""Time integrals over a run: what has fallen since it began, as rain and as snow.

The integral is a midpoint rule over fixed steps, summed from the run's start, so totals and buckets
agree: a bucket is the difference of two totals.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

import numpy as np

from twf_async.replica.atmosphere.arrays import Array
from twf_async.replica.atmosphere.models import Model
from twf_async.replica.atmosphere.snapshot import Snapshot
from twf_async.replica.atmosphere.window import Window

_KEPT_BYTES = 96 << 20
_NAMES = ("water", "snow", "sleet", "freezing", "rain_h", "snow_h", "sleet_h", "freezing_h")


@dataclass(frozen=True, slots=True)
class Sums:
    """Since the start of the run, at the grid points.

    water     kg/m2, all that fell; snow, sleet, freezing: the parts that fell as such
    *_h       hours during which it fell as rain, snow, sleet, freezing rain
    """

    water: Array
    snow: Array
    sleet: Array
    freezing: Array
    rain_h: Array
    snow_h: Array
    sleet_h: Array
    freezing_h: Array

    def since(self, earlier: "Sums") -> "Sums":
        """Return what came after *earlier*, never below 0."""
        return Sums(*(np.maximum(getattr(self, n) - getattr(earlier, n), 0.0) for n in _NAMES))


class Integral(Protocol):
    """What has fallen since the start of a run."""

    def until(self, hour: int) -> Sums:
        """Return the sums from the start of the run to *hour*."""


class Thickened:
    """An integral over every second point, brought to all points of a window."""

    def __init__(self, integral: Integral, window: Window, thin: Window) -> None:
        self._integral = integral
        self._window = window
        self._thin = thin
        self._zero = np.zeros_like(window.elevation)

    def until(self, hour: int) -> Sums:
        """Return the sums from the start of the run to *hour*."""
        sums = self._integral.until(hour)
        return Sums(*(self._thicken(getattr(sums, name)) for name in _NAMES))

    def _thicken(self, values: Array) -> Array:
        return self._window.thicken(values, self._thin) if values.any() else self._zero


class Accumulation:
    """The integrals of one run over one window; hours asked in order cost least."""

    def __init__(
        self, window: Window, model: Model, cycle: datetime, look: Callable[[float], Snapshot]
    ) -> None:
        self._model = model
        self._cycle = cycle
        self._look = look
        self._lock = threading.Lock()
        self._sums: dict[int, Sums] = {}
        self._keep = max(4, _KEPT_BYTES // (window.elevation.nbytes * len(model.sums)))
        zero = np.zeros_like(window.elevation)
        self._zero = Sums(**dict.fromkeys(_NAMES, zero))

    def until(self, hour: int) -> Sums:
        """Return the sums from the start of the run to *hour*; what is not summed stays 0."""
        if hour <= 0:
            return self._zero
        with self._lock:
            start = max((h for h in self._sums if h <= hour), default=0)
            sums = self._sums[start] if start else self._zero
            bucket = self._model.bucket_h
            while start < hour:
                # Stops at the ends of buckets: those will be asked for.
                end = min(hour, (start // bucket + 1) * bucket)
                sums = self._after(sums, start, end)
                start = end
                self._sums[start] = sums
                if len(self._sums) > self._keep:
                    del self._sums[min(self._sums)]  # hours are asked for as they come out
            return sums

    def _after(self, sums: Sums, start: int, end: int) -> Sums:
        """Return *sums* at hour *start*, gone on to hour *end*."""
        names = self._model.sums
        totals = {name: getattr(sums, name).copy() for name in names}
        steps = max(1, round((end - start) * 60 / self._model.node_min))
        width = np.float32((end - start) / steps)
        for k in range(steps):
            snapshot = self._look(start + (k + 0.5) * float(width))
            fallen = snapshot.rate * width
            totals["water"] += fallen
            for place, kind in enumerate(("rain", "snow", "sleet", "freezing")):
                if kind in names:
                    totals[kind] += fallen * snapshot.kinds[place]
                if f"{kind}_h" in names:
                    totals[f"{kind}_h"] += width * (snapshot.kinds[place] & (fallen > 0.0))
        return replace(sums, **totals)
