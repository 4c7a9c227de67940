"""Relative humidity from what a model gives instead."""

import numpy as np

from render_farm.derive.bands import in_bands
from render_farm.derive.shapes import Array, require_same_shape

ZERO_CELSIUS = 273.15
EPSILON = 0.6219569  # molar mass of water by that of dry air
_BOLTON_A, _BOLTON_B, _BOLTON_E0 = 17.67, 243.5, 611.2


def saturation_vapour_pressure(temperature: Array) -> Array:
    """Saturation vapour pressure over liquid water.

    temperature  (y, x) float32, K
    returns      (y, x) float32, Pa

    Bolton (1980), Mon. Wea. Rev. 108, 1046-1053, eq. 10: within 0.1 % for -30..35 degC, 2 % low
    at -60 degC.
    """
    celsius = temperature - np.float32(ZERO_CELSIUS)
    result: Array = np.float32(_BOLTON_E0) * np.exp(
        np.float32(_BOLTON_A) * celsius / (celsius + np.float32(_BOLTON_B))
    )
    return result


def from_dewpoint(temperature: Array, dewpoint: Array) -> Array:
    """Relative humidity over liquid water.

    temperature, dewpoint  (y, x) float32, K; a dewpoint above the temperature is packing noise
    returns                (y, x) float32, %, 0..100; NaN where an input is NaN
    raises                 ShapeMismatch
    """
    require_same_shape(temperature=temperature, dewpoint=dewpoint)

    def formula(temperature: Array, dewpoint: Array) -> Array:
        part = saturation_vapour_pressure(dewpoint) / saturation_vapour_pressure(temperature)
        result: Array = np.clip(part * np.float32(100), 0, 100)
        return result

    return in_bands(formula, temperature, dewpoint)


def from_specific_humidity(temperature: Array, specific: Array, pressure: float) -> Array:
    """Relative humidity over liquid water on a pressure level.

    temperature  (y, x) float32, K
    specific     (y, x) float32, kg/kg; negative is packing noise
    pressure     of the level, Pa
    returns      (y, x) float32, %, 0..100; NaN where an input is NaN
    raises       ShapeMismatch

    From the vapour pressure e = q p / (eps + (1 - eps) q), exact for an ideal gas.
    """
    require_same_shape(temperature=temperature, specific=specific)

    def formula(temperature: Array, specific: Array) -> Array:
        vapour = specific * np.float32(pressure) / (EPSILON + np.float32(1 - EPSILON) * specific)
        part = vapour / saturation_vapour_pressure(temperature)
        result: Array = np.clip(part * np.float32(100), 0, 100)
        return result

    return in_bands(formula, temperature, specific)
