"""The array types of this room, smooth steps, and numbers hashed from integers."""

from functools import lru_cache
from math import sqrt

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]

_MASK = (1 << 64) - 1


@lru_cache(maxsize=65536)
def fraction(*keys: int) -> float:
    """Return a number in 0..1 that depends on *keys* alone (splitmix64)."""
    state = 0x9E3779B97F4A7C15
    for key in keys:
        state = (state + (key & _MASK) * 0xBF58476D1CE4E5B9 + 0x94D049BB133111EB) & _MASK
        state = ((state ^ (state >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
        state = ((state ^ (state >> 27)) * 0x94D049BB133111EB) & _MASK
        state ^= state >> 31
    return state / 2.0**64


def spread(*keys: int) -> float:
    """Return a number of mean 0 and deviation 1, within -1.74..1.74, that depends on *keys*."""
    return (fraction(*keys) - 0.5) * sqrt(12.0)


def wrap(values: Array, period: float) -> Array:
    """Return values modulo *period*, 0 <= result <= period: np.mod takes ten times as long."""
    out: Array = values - np.float32(period) * np.floor(values * np.float32(1.0 / period))
    return out


def step(values: Array, low: float, high: float) -> Array:
    """Rise smoothly from 0 at *low* to 1 at *high* (3t² - 2t³); falls where high < low."""
    t = np.clip((values - low) * np.float32(1.0 / (high - low)), 0.0, 1.0)
    out: Array = t * t * (3.0 - 2.0 * t)
    return out


def softplus(values: Array, width: float) -> Array:
    """Smooth max(0, values): bends over *width*."""
    scaled = values * np.float32(1.0 / width)
    out: Array = np.float32(width) * np.logaddexp(np.float32(0.0), scaled)
    return out
