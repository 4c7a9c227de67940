"""Water vapour: saturation, dewpoint, specific humidity. Arrays of any shape, K, hPa, kg/kg."""

import numpy as np

from twf_async.replica.atmosphere.arrays import Array

ZERO = 273.15
RATIO = 0.622  # gas constants, dry air to vapour


def saturation(temperature: Array) -> Array:
    """Return the saturation vapour pressure over water, hPa (Bolton 1980, eq. 10)."""
    celsius = temperature - np.float32(ZERO)
    out: Array = np.float32(6.112) * np.exp(17.67 * celsius / (celsius + 243.5))
    return out


def dewpoint(temperature: Array, humidity: Array) -> Array:
    """Return the dewpoint, K, of air of relative *humidity* (0..1, held above 0.01)."""
    vapour = saturation(temperature) * np.clip(humidity, 0.01, 1.0)
    log = np.log(vapour / np.float32(6.112))
    out: Array = np.minimum(243.5 * log / (17.67 - log) + np.float32(ZERO), temperature)
    return out


def specific(temperature: Array, humidity: Array, pressure: Array | float) -> Array:
    """Return the specific humidity, kg/kg."""
    vapour = saturation(temperature) * np.clip(humidity, 0.0, 1.0)
    vapour = np.minimum(vapour, 0.3 * pressure)
    out: Array = RATIO * vapour / (pressure - (1.0 - RATIO) * vapour)
    return out
