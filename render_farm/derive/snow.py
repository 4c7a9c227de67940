"""Depth of new snow from its water."""

from collections.abc import Sequence

import numpy as np

from render_farm.derive.bands import in_bands
from render_farm.derive.shapes import Array, DeriveError, require_same_shape

TEN_TO_ONE = 10.0
KUCHERA_BREAK = 271.16  # K
_METRES_PER_MM = 1e-3  # 1 kg m-2 of water stands 1 mm high


def depth(water: Array, ratio: float = TEN_TO_ONE) -> Array:
    """Depth of snow of a fixed ratio to its water.

    water    (y, x) float32, kg m-2
    returns  (y, x) float32, m
    """
    result: Array = water * np.float32(ratio * _METRES_PER_MM)
    return result


def water_of(amount: Array, part: Array) -> Array:
    """Water of a bucket that fell as snow.

    amount   (y, x) float32, kg m-2: precipitation of the bucket
    part     (y, x) float32: part of the bucket's time in which it snowed, 0..1
    returns  (y, x) float32, kg m-2; NaN where an input is NaN
    raises   ShapeMismatch
    """
    require_same_shape(amount=amount, snow=part)
    return amount * part


def kuchera_ratio(temperatures: Sequence[Array]) -> Array:
    """Depth of snow by depth of its water, from the warmest air below 500 hPa.

    temperatures  (y, x) float32, K each: 2 m and the levels up to 500 hPa that there are; levels
                  below the ground count as the model extrapolates them
    returns       (y, x) float32, >= 0; NaN where every temperature is
    raises        DeriveError without any; ShapeMismatch

    Kuchera's rule as the US Air Force runs it: 12 + 2 (271.16 K - T) where T > 271.16 K, else
    12 + (271.16 K - T). An empirical fit; it has no paper of its own.
    """
    if not temperatures:
        raise DeriveError("a Kuchera ratio needs at least one temperature")
    for other in temperatures[1:]:
        require_same_shape(first=temperatures[0], other=other)

    def formula(*temperatures: Array) -> Array:
        warmest = temperatures[0]
        for other in temperatures[1:]:
            warmest = np.fmax(warmest, other)
        cold = np.float32(KUCHERA_BREAK) - warmest
        ratio: Array = np.float32(12) + np.where(cold < 0, 2 * cold, cold)
        return np.maximum(ratio, np.float32(0))

    return in_bands(formula, *temperatures)


def kuchera(water: Array, ratio: Array) -> Array:
    """Depth of the snow of one increment by its own ratio.

    water    (y, x) float32, kg m-2: water that fell as snow in the increment
    ratio    (y, x) float32: `kuchera_ratio` of the same increment
    returns  (y, x) float32, m; NaN where an input is NaN
    raises   ShapeMismatch
    """
    require_same_shape(water=water, ratio=ratio)
    result: Array = water * ratio
    result *= np.float32(_METRES_PER_MM)
    return result
