"""Deterministic noise: a periodic random texture with the spectrum of weather, sampled anywhere.

One sample holds all octaves, because the texture is white noise shaped by a power law in Fourier
space. It lives on a Mercator map, which keeps its grains round, and repeats exactly around the
earth. Detail that moves with the flow is two samples, each carried along for half a day and
replaced while its weight is zero ("flow noise", Perlin and Neyret 2001).
"""

from functools import cache

import cv2
import numpy as np

from twf_async.replica.atmosphere.arrays import Array, fraction, wrap

_ROWS = 1024
_COLUMNS = 1440
EARTH_DEG_M = 111_194.9  # one degree of a great circle, m


def mercator(latitude: Array) -> Array:
    """Return the Mercator northing of latitudes, in degrees of longitude at the equator."""
    bounded = np.radians(np.clip(latitude, -86.0, 86.0))
    northing = np.degrees(np.arctanh(np.sin(bounded)))
    return np.asarray(northing, dtype=np.float32)


@cache
def _texture(seed: int, slope: float, coarsest: int, finest: int) -> Array:
    """Noise of mean 0 and deviation 1, (rows + 3, columns + 3): edges repeated for interpolation.

    slope     amplitude falls with wavenumber^-slope
    coarsest, finest  wavelengths above and below so many texels are damped
    """
    white = np.random.Generator(np.random.PCG64(seed)).standard_normal((_ROWS, _COLUMNS))
    ky = np.fft.fftfreq(_ROWS)[:, np.newaxis]
    kx = np.fft.rfftfreq(_COLUMNS)[np.newaxis, :]
    k = np.hypot(kx, ky)
    k[0, 0] = 1.0
    low = 1.0 / coarsest
    shape = k**-slope * np.exp(-((low / k) ** 2)) * np.exp(-((k * finest) ** 4))
    shape[0, 0] = 0.0
    noise = np.fft.irfft2(np.fft.rfft2(white) * shape, s=(_ROWS, _COLUMNS))
    noise /= noise.std()
    return np.pad(noise, ((1, 2), (1, 2)), mode="wrap").astype(np.float32)


def sample(
    x: Array,
    y: Array,
    *,
    texel: float,
    seed: int,
    slope: float = 1.9,
    coarsest: int = 60,
    finest: int = 3,
) -> Array:
    """Return noise (mean 0, deviation 1) at longitudes *x* and Mercator northings *y*, degrees.

    texel  degrees; 0.25 repeats once around the earth
    coarsest, finest  wavelengths that are left, texels
    """
    texture = _texture(seed, slope, coarsest, finest)
    columns = wrap(x * np.float32(1.0 / texel), _COLUMNS) + np.float32(1.0)
    rows = wrap(y * np.float32(1.0 / texel), _ROWS) + np.float32(1.0)
    way = cv2.INTER_CUBIC if finest > 12 else cv2.INTER_LINEAR
    return np.asarray(cv2.remap(texture, columns, rows, way), dtype=np.float32)


def moving(
    x: Array,
    y: Array,
    latitude: Array,
    wind: tuple[Array, Array],
    time_h: float,
    *,
    texel: float,
    seed: int,
    slope: float = 1.9,
    coarsest: int = 60,
    finest: int = 3,
    life_h: float = 10.0,
) -> Array:
    """Return noise that the *wind* (eastward, northward, m/s) carries along, as `sample` does.

    life_h  how long it lasts; both samples together never look worn
    """
    shrunk: Array = np.cos(np.radians(np.clip(latitude, -80.0, 80.0)))
    degrees_per_ms: Array = np.float32(3600.0 / EARTH_DEG_M) / shrunk
    total: Array | None = None
    for phase in (0.0, 0.5):
        count, age = divmod(time_h / life_h + phase, 1.0)
        weight = np.sin(np.pi * age)
        if weight < 1e-3:
            continue
        life = int(count) * 2 + (phase > 0)
        carried_h = np.float32((age - 0.5) * life_h)
        shift_x = np.float32(360.0 * fraction(seed, life, 1))
        shift_y = np.float32(200.0 * fraction(seed, life, 2))
        carried: Array = degrees_per_ms * -carried_h
        part = sample(
            x + wind[0] * carried + shift_x,
            y + wind[1] * carried + shift_y,
            texel=texel,
            seed=seed,
            slope=slope,
            coarsest=coarsest,
            finest=finest,
        ) * np.float32(weight)
        total = part if total is None else total + part
    return np.zeros_like(x) if total is None else total
