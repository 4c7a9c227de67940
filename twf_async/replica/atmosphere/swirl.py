"""How storms and planetary waves displace the air, and what they do to the surface pressure.

All of it is smooth, so it is computed on a coarse mesh; what is sharp (fronts) is made of it later.
"""

from dataclasses import dataclass

import numpy as np

from twf_async.replica.atmosphere.arrays import Array, fraction, step
from twf_async.replica.atmosphere.storms import Error, Storm, storms_at
from twf_async.replica.atmosphere.texture import moving
from twf_async.replica.atmosphere.window import Points

KM_PER_DEG = 111.195
_CUT_KM = 2900.0
# zonal wavenumber, amplitude in degrees of latitude, degrees of longitude a day eastward
_WAVES = (
    (1, 1.8, -3.0),
    (2, 2.0, -0.5),
    (3, 2.3, 1.6),
    (4, 2.0, 4.0),
    (5, 1.8, 6.4),
    (7, 1.2, 10.0),
)


@dataclass(frozen=True, slots=True)
class When:
    """A moment of a forecast.

    time_h    valid time, hours from 2020-01-01 00 UTC
    season    +1 in the middle of the northern winter, -1 in the middle of its summer
    hour_utc  0..24
    declination  of the sun, degrees
    error     what the forecast gets wrong
    """

    time_h: float
    season: float
    hour_utc: float
    declination: float
    error: Error


@dataclass(frozen=True, slots=True)
class Swirl:
    """Sums over all storms and waves.

    pressure  anomaly at mean sea level, hPa
    low, up   degrees of latitude by which storms have displaced air poleward of where it is now:
              positive where it comes from higher latitudes
    waves     the same by planetary waves, positive where air comes from the tropics
    ripple    the same by lesser eddies
    active    0..1 and more: how near and strong storms are; core: their centres alone
    """

    pressure: Array
    low: Array
    up: Array
    waves: Array
    ripple: Array
    active: Array
    core: Array


def front_latitude(latitude: Array, season: float) -> Array:
    """Return where the polar front lies in undisturbed air, degrees poleward."""
    hemisphere = np.clip(latitude / np.float32(15.0), -1.0, 1.0)
    out: Array = np.float32(45.5) - np.float32(3.5 * season) * hemisphere
    return out


def swirl(at: Points, when: When) -> Swirl:
    """Return the sums at points that lie on rows and columns, (ny, nx)."""
    shape = at.latitude.shape
    first, second = (_wobble(at, when, seed) for seed in (21, 22))
    sums = Swirl(
        pressure=np.zeros(shape, dtype=np.float32),
        low=np.zeros(shape, dtype=np.float32),
        up=np.zeros(shape, dtype=np.float32),
        waves=_waves(at, when),
        ripple=0.5 * first + 0.35 * second,
        active=np.zeros(shape, dtype=np.float32),
        core=np.zeros(shape, dtype=np.float32),
    )
    home = front_latitude(at.latitude, when.season) + 1.2
    regular = bool(shape[0] > 1 and np.ptp(at.latitude[0]) == 0.0)
    for storm in storms_at(when.time_h, when.error, round(when.season, 3)):
        near = np.abs(at.latitude - storm.latitude) < _CUT_KM / KM_PER_DEG
        rows = np.flatnonzero(near[:, 0] if regular else near.any(axis=1))
        if not rows.size:
            continue
        tall = slice(rows[0], rows[-1] + 1)
        for wide in _columns(at, storm, regular=regular):
            part = (tall, wide)
            _add(sums, storm, part, at, home[part], (first[part], second[part]))
    return sums


def _columns(at: Points, storm: Storm, *, regular: bool) -> list[slice]:
    """Return the stretches of columns that the storm reaches."""
    if not regular:  # a small map
        return [slice(0, at.longitude.shape[1])]
    widest = min(84.0, abs(storm.latitude) + 10.0)
    limit = _CUT_KM / KM_PER_DEG / np.cos(np.radians(widest))
    inside = np.abs(np.mod(at.longitude[0] - storm.longitude + 180.0, 360.0) - 180.0) < limit
    edges = np.flatnonzero(np.diff(np.concatenate(([0], inside.astype(np.int8), [0]))))
    return [slice(a, b) for a, b in zip(edges[::2], edges[1::2], strict=True)]


def _add(
    sums: Swirl,
    storm: Storm,
    part: tuple[slice, slice],
    at: Points,
    home: Array,
    wobble: tuple[Array, Array],
) -> None:
    latitude = at.latitude[part]
    east = np.mod(at.longitude[part] - np.float32(storm.longitude - 180.0), 360.0) - 180.0
    size = np.float32(storm.size_km)
    mean = np.radians(0.5 * (latitude + np.float32(storm.latitude)))
    dx = np.float32(KM_PER_DEG) * east * np.cos(mean)
    dy = np.float32(KM_PER_DEG * storm.pole) * (latitude - np.float32(storm.latitude))
    plain = dx * dx + dy * dy
    taper = np.clip(1.0 - plain / np.float32(_CUT_KM**2), 0.0, 1.0) ** 2
    taper *= step(latitude * storm.pole, 2.0, 20.0)
    # Real storms are not round; the centre keeps its place.
    uneven = np.float32(0.24) * size * np.minimum(1.0, plain / (1.5 * size) ** 2)
    dx += uneven * wobble[0]
    dy += uneven * wobble[1]
    along = (0.87 * dx + 0.5 * dy) / 1.22
    across = (0.87 * dy - 0.5 * dx) * 1.12
    r2 = (along * along + across * across) / (size * size)
    wide = np.exp(-0.12 * r2)  # its powers are the other bells
    bell = wide * wide * wide * wide
    sums.pressure[part] -= np.float32(storm.depth) * (0.72 * bell + 0.28 * wide) * taper
    r = np.sqrt(dx * dx + dy * dy)
    lean = 1.0 - 0.3 * dx / (r + 250.0)  # warm fronts turn less than cold fronts
    inner = np.exp(-1.3 * r2)
    angle = np.float32(storm.winding) * taper * lean * (0.62 * wide * wide + 0.42 * inner)
    low = dy * (np.cos(angle) - 1.0) - dx * np.sin(angle)
    back = dx + np.float32(0.75) * size  # the upper trough lags to the west
    angle = np.exp((back * back + dy * dy) * (-0.2 / (size * size)))
    angle *= np.float32(0.36 * storm.winding) * taper
    up = dy * (np.cos(angle) - 1.0) - back * np.sin(angle)
    if storm.depth > 0:
        alive = np.float32(storm.life) * taper
        pull = alive * wide * (home - np.float32(abs(storm.latitude))) * np.float32(KM_PER_DEG)
        low += pull
        up += 0.6 * pull
        sums.active[part] += alive * wide
        sums.core[part] += alive * inner
    sums.low[part] += low * np.float32(1.0 / KM_PER_DEG)
    sums.up[part] += up * np.float32(1.0 / KM_PER_DEG)


def _wobble(at: Points, when: When, seed: int) -> Array:
    """Slow noise of deviation 1 and wavelengths of 700 to 2000 km, drifting with the westerlies."""
    drift: Array = np.float32(11.0) * np.sin(np.radians(at.latitude)) ** 2
    return moving(
        at.longitude,
        at.northing,
        at.latitude,
        (drift, np.zeros_like(drift)),
        when.time_h,
        texel=0.5,
        seed=seed,
        slope=2.0,
        coarsest=40,
        finest=18,
        life_h=36.0,
    )


def _waves(at: Points, when: When) -> Array:
    distance = np.abs(at.latitude)
    days = when.time_h / 24.0
    total = np.zeros_like(distance)
    for m, amplitude, speed in _WAVES:
        for pole in (1, -1):
            phase = 360.0 * fraction(m, pole + 5)
            tilt = (distance - 47.0) * (2.7 if m < 4 else -1.8)
            angle = np.radians(m * (at.longitude - (speed * days) % 360.0) + tilt + phase)
            total += np.where(at.latitude * pole > 0, amplitude * np.cos(angle), 0.0)
    out: Array = (total * np.exp(-(((distance - 49.0) / 21.0) ** 2))).astype(np.float32)
    return out
