"""The atmosphere as a whole: hands out the fields of any run, hour and part of a grid.

Remembers the last few moments and all integrals in use, because a server is asked for many fields
of one hour, from several threads.
"""

import threading
from collections import OrderedDict
from datetime import datetime
from functools import partial

from twf_async.replica.atmosphere.accumulation import Accumulation, Integral, Thickened
from twf_async.replica.atmosphere.fields import Fields
from twf_async.replica.atmosphere.models import Model
from twf_async.replica.atmosphere.snapshot import Snapshot
from twf_async.replica.atmosphere.window import Window, window

_POINTS_KEPT = 1_500_000  # grid points of all remembered hours together
_INTEGRALS_KEPT = 6
Part = tuple[int, int, int, int]  # first row, first column, rows, columns


class Atmosphere:
    """Deterministic weather. Safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._fields: OrderedDict[tuple[str, datetime, int, Part], Fields] = OrderedDict()
        self._integrals: OrderedDict[tuple[str, datetime, Part], Integral] = OrderedDict()

    def fields(self, model: Model, cycle: datetime, hour: int, part: Part) -> Fields:
        """Return the fields of an hour on rows and columns of the model's grid."""
        key = (model.key, cycle, hour, part)
        with self._lock:
            if key in self._fields:
                self._fields.move_to_end(key)
                return self._fields[key]
        place = window(model.grid, *part)
        look = partial(_look, place, model, cycle)
        fields = Fields(look(float(hour)), self._integral(place, model, cycle, part), look)
        with self._lock:
            self._fields[key] = fields
            points = sum(k[3][2] * k[3][3] for k in self._fields)
            while points > _POINTS_KEPT and len(self._fields) > 1:
                old, _ = self._fields.popitem(last=False)
                points -= old[3][2] * old[3][3]
        return fields

    def _integral(self, place: Window, model: Model, cycle: datetime, part: Part) -> Integral:
        key = (model.key, cycle, part)
        with self._lock:
            if key not in self._integrals:
                self._integrals[key] = _integral(place, model, cycle)
                while len(self._integrals) > _INTEGRALS_KEPT:
                    self._integrals.popitem(last=False)
            self._integrals.move_to_end(key)
            return self._integrals[key]


def _integral(place: Window, model: Model, cycle: datetime) -> Integral:
    thin = place if model.rain_grid is None else place.thinned(model.rain_grid)
    full = Accumulation(thin, model, cycle, partial(_look, thin, model, cycle))
    return full if thin is place else Thickened(full, place, thin)


def _look(place: Window, model: Model, cycle: datetime, lead_h: float) -> Snapshot:
    return Snapshot(place, model.when(cycle, lead_h), model.flavour)
