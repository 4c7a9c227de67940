"""Heights of pressure levels, and motion through them."""

import numpy as np

from render_farm.derive.bands import in_bands
from render_farm.derive.shapes import Array, require_same_shape

GRAVITY = 9.80665  # m s-2
DRY_AIR_GAS_CONSTANT = 287.0475  # J kg-1 K-1


def thickness(upper: Array, lower: Array) -> Array:
    """Thickness of the layer between two pressure levels.

    upper, lower  (y, x) float32, geopotential height of the upper and the lower level, gpm
    returns       (y, x) float32, gpm
    raises        ShapeMismatch
    """
    require_same_shape(upper=upper, lower=lower)
    return upper - lower


def omega(w: Array, temperature: Array, pressure: float) -> Array:
    """Vertical velocity in pressure from that in height, hydrostatic: omega = -rho g w.

    w            (y, x) float32, m/s, upward
    temperature  (y, x) float32, K; moisture is left out (below 2 % of the result)
    pressure     of the level, Pa
    returns      (y, x) float32, Pa/s, negative for ascent
    raises       ShapeMismatch
    """
    require_same_shape(w=w, temperature=temperature)

    def formula(w: Array, temperature: Array) -> Array:
        density = np.float32(pressure / DRY_AIR_GAS_CONSTANT) / temperature
        return -density * np.float32(GRAVITY) * w

    return in_bands(formula, w, temperature)
