"""Travelling cyclones and anticyclones: where they are, how deep, how wound up, at any time.

Each *lane* is a place that a storm passes every few days; the n-th storm of a lane is the same for
whoever asks. A forecast errs: it has each storm displaced and deepened by a hashed error that grows
with lead.
"""

from dataclasses import dataclass
from functools import lru_cache
from math import cos, exp, pi, radians, sin, sqrt

from twf_async.replica.atmosphere.arrays import spread


@dataclass(frozen=True, slots=True)
class Lane:
    """Where a family of storms is deepest, and how it travels.

    longitude, latitude  of the storms at their peak, degrees east and north
    wander     standard deviation of the latitude of the peak, degrees
    period_h   between storms; phase_h shifts the family
    speed      degrees of longitude a day at the peak
    climb      degrees of latitude poleward a day at the peak
    depth      hPa below the surroundings; negative for anticyclones
    size_km    radius at which 60 % of the depth is left
    winding    radians by which the air around the centre has turned at the peak
    """

    name: str
    longitude: float
    latitude: float
    wander: float
    period_h: float
    phase_h: float
    speed: float
    climb: float
    depth: float
    size_km: float
    winding: float


LANES = (
    Lane("Oregon and Washington", 232.0, 47.5, 1.8, 54.0, 20.0, 13.5, 1.2, 21.0, 560.0, 1.9),
    Lane("Gulf of Alaska", 211.0, 55.0, 2.5, 71.0, 51.0, 9.0, 1.4, 22.0, 640.0, 2.1),
    Lane("Japan", 158.0, 44.0, 3.0, 63.0, 11.0, 13.0, 2.6, 22.0, 600.0, 1.9),
    Lane("Plains", 263.0, 40.5, 2.5, 77.0, 40.0, 11.0, 1.8, 12.0, 500.0, 1.6),
    Lane("New England", 291.0, 43.5, 2.5, 83.0, 4.0, 12.0, 3.0, 17.0, 520.0, 1.9),
    Lane("North Atlantic", 330.0, 57.0, 3.0, 60.0, 33.0, 10.0, 1.8, 23.0, 640.0, 1.9),
    Lane("Europe", 15.0, 58.0, 3.5, 69.0, 9.0, 10.0, 0.5, 13.0, 560.0, 1.6),
    Lane("Mediterranean", 14.0, 39.5, 2.0, 110.0, 77.0, 8.0, 0.5, 7.0, 400.0, 1.4),
    Lane("Siberia", 75.0, 61.0, 3.0, 80.0, 21.0, 9.0, 0.5, 11.0, 600.0, 1.4),
    Lane("Hudson Bay", 278.0, 58.0, 3.0, 88.0, 60.0, 8.0, 1.0, 11.0, 560.0, 1.5),
    Lane("Pacific ridge", 219.0, 39.0, 2.0, 108.0, 74.0, 6.0, 0.6, -9.0, 760.0, 0.5),
    Lane("Great Basin high", 245.0, 41.0, 1.5, 108.0, 47.0, 4.0, 0.0, -9.0, 520.0, 0.35),
    Lane("Canadian high", 256.0, 53.0, 3.0, 96.0, 15.0, 8.0, -4.0, -14.0, 700.0, 0.5),
    Lane("Azores", 330.0, 38.0, 2.5, 120.0, 20.0, 4.0, 0.3, -8.0, 900.0, 0.3),
    Lane("Russian high", 45.0, 54.0, 3.0, 120.0, 70.0, 4.0, 0.0, -12.0, 850.0, 0.3),
    Lane("China high", 112.0, 40.0, 3.0, 100.0, 30.0, 8.0, -2.0, -11.0, 760.0, 0.4),
    *(
        Lane(f"southern {k}", 45.0 * k + 10.0, -52.0 + 4.0 * (k % 3 - 1), 3.0, 57.0 + 4.0 * k,
             13.0 * k, 13.0, 1.5, 18.0, 620.0, 1.7)
        for k in range(8)
    ),
    *(
        Lane(f"southern high {k}", 72.0 * k + 40.0, -36.0, 2.5, 90.0 + 5.0 * k,
             29.0 * k, 9.0, 0.3, -9.0, 800.0, 0.4)
        for k in range(5)
    ),
)  # fmt: skip
_LIFE_H = 84.0  # from birth to peak, and from peak to death
_GROWTH_H = 26.0
_DECAY_H = 34.0


@dataclass(frozen=True, slots=True)
class Storm:
    """One storm at one time. pole: +1 in the northern hemisphere, -1 in the southern.

    depth    hPa, positive for cyclones
    winding  radians, positive cyclonic
    life     0..1, how strong it is of what it will be
    """

    longitude: float
    latitude: float
    pole: int
    depth: float
    size_km: float
    winding: float
    life: float


@dataclass(frozen=True, slots=True)
class Error:
    """Which forecast it is: errors of storms are hashed from *seed* and grow with *lead_h*."""

    seed: int = 0
    lead_h: float = 0.0


@lru_cache(maxsize=256)
def storms_at(time_h: float, error: Error, season: float) -> tuple[Storm, ...]:
    """Return all storms of the earth.

    time_h  valid time, hours from the room's epoch
    season  +1 in the middle of the northern winter, -1 in its summer: winter storms are deeper
    """
    found = []
    for number, lane in enumerate(LANES):
        first = int((time_h - _LIFE_H - lane.phase_h) // lane.period_h) - 1
        last = int((time_h + _LIFE_H - lane.phase_h) // lane.period_h) + 1
        for n in range(first, last + 1):
            storm = _storm(lane, number, n, time_h, error, season)
            if storm is not None:
                found.append(storm)
    return tuple(found)


def _storm(
    lane: Lane, number: int, n: int, time_h: float, error: Error, season: float
) -> Storm | None:
    def dice(which: int) -> float:
        return spread(number, n, which)

    def miss(which: int) -> float:
        return spread(error.seed, number, n, which)

    peak_h = lane.phase_h + n * lane.period_h + 0.09 * lane.period_h * dice(1)
    days = (time_h - peak_h) / 24.0
    ends = 1.0 - ((time_h - peak_h) / _LIFE_H) ** 2
    if ends <= 0.0:
        return None
    lead_d = min(error.lead_h / 24.0, 12.0)
    grown = exp(-0.5 * ((time_h - peak_h) / (_GROWTH_H if days < 0 else _DECAY_H)) ** 2)
    life = (0.12 + 0.88 * grown) * sqrt(ends)
    pole = 1 if lane.latitude > 0 else -1
    speed = lane.speed * (1.0 + 0.12 * dice(2)) + 0.15 * miss(1) * lead_d**0.5
    # The path bends poleward as the storm matures; before that it runs along the front.
    poleward = lane.climb * days * (1.0 + 0.25 * dice(3)) + 0.7 * sin(days * 1.3 + pi * dice(4))
    latitude = abs(lane.latitude) + lane.wander * dice(5) + poleward + 0.16 * miss(2) * lead_d
    latitude = min(latitude, 76.0)
    longitude = lane.longitude + 4.0 * dice(6) + speed * days * cos(radians(latitude)) / 0.68
    longitude += 0.25 * miss(3) * lead_d
    seasonal = 1.0 + (0.25 if lane.depth > 0 else 0.1) * season * pole
    depth = lane.depth * (1.0 + 0.22 * dice(7)) * seasonal * (1.0 + 0.02 * miss(4) * lead_d)
    grows = 0.85 + 0.3 * min(1.0, max(0.0, days + 1.5) / 3.0)
    winding = lane.winding * (1.0 + 0.15 * dice(8)) * (0.9 + 0.14 * season * pole) * _wound(days)
    if lane.depth < 0:
        winding = -winding
    return Storm(
        longitude % 360.0,
        pole * latitude,
        pole,
        0.94 * depth * life,
        1.06 * lane.size_km * (1.0 + 0.15 * dice(9)) * grows,
        winding * sqrt(ends),
        life,
    )


def _wound(days: float) -> float:
    """Share of the winding reached *days* after the peak: a storm goes on turning as it fills."""
    return float(1.2 / (1.0 + exp(-(days + 0.6) / 0.55)))
