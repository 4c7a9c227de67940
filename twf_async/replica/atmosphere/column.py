"""Temperature and height of a column of air, as a few numbers of it: a linear model in p.

T(p) is a sum of profiles, each times a horizontal pattern; heights follow by the hypsometric
equation with the mean of the two temperatures of every layer, so that thickness and temperature
agree by construction. The climate that the profiles hold is the zonal mean of winter and summer as
in Peixoto and Oort (1992), rounded.
"""

from dataclasses import dataclass
from math import log

import numpy as np

from twf_async.replica.atmosphere.arrays import Array

GAS = 287.05  # J kg-1 K-1, dry air
GRAVITY = 9.80665

LEVELS = (1000, 925, 850, 700, 600, 500, 400, 300, 250, 200, 150, 100, 50)  # hPa
# K at the equator; how much colder the pole is in winter; half the step at the polar front; how
# much colder a continent is in winter; share of the upper pattern.
_EQUATOR = (300, 295.5, 291, 282.5, 275.5, 267.5, 256.5, 241, 231, 219.5, 206, 197, 208)
_POLE = (36, 35, 34, 32.5, 31.5, 30, 26, 17, 7.5, -5, -15, -21, -14)
_FRONT = (4.0, 4.4, 4.4, 3.4, 2.8, 2.3, 1.9, 1.2, 0.2, -1.0, -1.2, -0.8, -0.3)
_CONTINENT = (8.0, 6.0, 4.0, 1.5, 0.8, 0.4, 0, 0, 0, 0, 0, 0, 0)
_UPPER = (0.0, 0.14, 0.38, 0.8, 0.93, 1, 1, 1, 1, 1, 1, 1, 1)


@dataclass(frozen=True, slots=True)
class Patterns:
    """Horizontal patterns of the air, all of one shape.

    cold_low, cold_up    0 at the equator to about 1 at the winter pole, low and high in the air
    front_low, front_up  -1 on the warm side of the polar front, 1 on the cold side
    continent            1 in the middle of a continent in winter, -1 in summer, 0 at sea
    """

    cold_low: Array
    cold_up: Array
    front_low: Array
    front_up: Array
    continent: Array

    def combine(self, weights: tuple[float, ...]) -> Array:
        """Return the constant and the patterns, each times its weight."""
        total = self.cold_low * np.float32(weights[1]) + np.float32(weights[0])
        rest = (self.cold_up, self.front_low, self.front_up, self.continent)
        for pattern, weight in zip(rest, weights[2:], strict=True):
            if weight:
                total += pattern * np.float32(weight)
        out: Array = total
        return out


def _weights(k: int) -> tuple[float, ...]:
    up = _UPPER[k]
    return (
        _EQUATOR[k],
        -_POLE[k] * (1 - up),
        -_POLE[k] * up,
        -_FRONT[k] * (1 - up),
        -_FRONT[k] * up,
        -_CONTINENT[k],
    )


def _thickness_weights(k: int) -> tuple[float, ...]:
    """Weights of the height of level k above 1000 hPa."""
    total = [0.0] * 6
    for lower in range(k):
        metres_per_k = GAS / GRAVITY * log(LEVELS[lower] / LEVELS[lower + 1])
        for i, (a, b) in enumerate(zip(_weights(lower), _weights(lower + 1), strict=True)):
            total[i] += metres_per_k * 0.5 * (a + b)
    return tuple(total)


_TEMPERATURE = {level: _weights(k) for k, level in enumerate(LEVELS)}
_THICKNESS = {level: _thickness_weights(k) for k, level in enumerate(LEVELS)}


def temperature(patterns: Patterns, level: int) -> Array:
    """Return the temperature at a pressure level, K. KeyError for one that is not in LEVELS."""
    return patterns.combine(_TEMPERATURE[level])


def thickness(patterns: Patterns, level: int) -> Array:
    """Return the height of a pressure level above the 1000 hPa level, gpm."""
    return patterns.combine(_THICKNESS[level])


def height_1000(pressure_msl: Array, temperature_1000: Array) -> Array:
    """Return the height of the 1000 hPa level, gpm, from the pressure at mean sea level, hPa."""
    scale = np.float32(GAS / GRAVITY) * temperature_1000
    out: Array = scale * np.log(pressure_msl * np.float32(0.001))
    return out
