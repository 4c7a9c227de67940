"""Which runs may exist at a moment, and when waiting for one stops making sense. Pure.

The clock only narrows down what is worth asking for; whether a run exists is found by asking.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from render_farm.domain.models import Model

EARLY_MIN = 5.0  # a run may come this much before its usual first minute
OLDEST_H = 30.0  # NOMADS keeps runs longer, but an older one is no news


@lru_cache(maxsize=256)  # every look at what was learned asks for the same runs again
def cycle_time(cycle: str) -> datetime:
    """`2026012912` as a time; ValueError if it is none."""
    if len(cycle) != 10 or not (cycle.isascii() and cycle.isdecimal()):
        raise ValueError(f"cycle {cycle!r} is not of the form YYYYMMDDHH")
    return datetime.strptime(cycle, "%Y%m%d%H").replace(tzinfo=UTC)


def cycle_name(moment: datetime) -> str:
    """A cycle's time as `2026012912`."""
    return moment.astimezone(UTC).strftime("%Y%m%d%H")


def hours_of_cycle(model: Model, cycle: str) -> tuple[int, ...]:
    """The forecast hours this cycle of the model has, rising."""
    return model.hours_of(cycle_time(cycle).hour)


def may_exist(model: Model, cycle: str, now: datetime) -> bool:
    """Whether asking for the run's first hour can succeed: not before it is nearly due."""
    due = cycle_time(cycle) + timedelta(minutes=model.first_hour_min - EARLY_MIN)
    return now >= due


def candidates(model: Model, now: datetime, *, oldest_h: float = OLDEST_H) -> tuple[str, ...]:
    """Cycles that may exist at *now*, newest first."""
    return tuple(
        name
        for name in (cycle_name(moment) for moment in _cycles_back(model, now, oldest_h))
        if may_exist(model, name, now)
    )


def cycles_since(
    model: Model, after: str, now: datetime, *, oldest_h: float = OLDEST_H
) -> tuple[str, ...]:
    """Cycles that have begun, newer than *after* and not too old to be news, newest first."""
    names = (cycle_name(moment) for moment in _cycles_back(model, now, oldest_h))
    return tuple(name for name in names if name > after)


def next_cycle(model: Model, after: str) -> str:
    """The cycle that follows *after* in the model's timetable."""
    moment = cycle_time(after) + timedelta(hours=1)
    while moment.hour not in model.cycles:
        moment += timedelta(hours=1)
    return cycle_name(moment)


def deadline(model: Model, cycle: str) -> datetime:
    """From then on an hour that is not there is given up."""
    return cycle_time(cycle) + timedelta(minutes=model.gives_up_min)


def _cycles_back(model: Model, now: datetime, oldest_h: float) -> Iterator[datetime]:
    moment = now.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    while now - moment <= timedelta(hours=oldest_h):
        if moment.hour in model.cycles:
            yield moment
        moment -= timedelta(hours=1)
