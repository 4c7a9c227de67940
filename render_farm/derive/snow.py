"""Depth of new snow from its water."""

from collections.abc import Sequence

import numpy as np

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


def from_buckets(amounts: Sequence[Array], snow: Sequence[Array]) -> Array:
    """Ten-to-one depth of what fell as snow, bucket by bucket.

    amounts  (y, x) float32, kg m-2 each: precipitation of consecutive buckets
    snow     (y, x) float32 each: part of the same bucket's time in which it snowed, 0..1
    returns  (y, x) float32, m; NaN where any input is NaN
    raises   DeriveError unless both are as many and at least one; ShapeMismatch
    """
    if not amounts or len(amounts) != len(snow):
        raise DeriveError(f"{len(amounts)} amounts and {len(snow)} snow parts make no total")
    water = np.zeros_like(amounts[0])
    for amount, part in zip(amounts, snow, strict=True):
        require_same_shape(total=water, amount=amount, snow=part)
        water += amount * part
    return depth(water)


def kuchera_ratio(temperatures: Sequence[Array]) -> Array:
    """Depth of snow by depth of its water, from the warmest air below 500 hPa.

    temperatures  (y, x) float32, K each: 2 m and the levels up to 500 hPa that there are
    returns       (y, x) float32, >= 0; NaN where every temperature is
    raises        DeriveError without any; ShapeMismatch

    Kuchera's rule as the US Air Force runs it: 12 + 2 (271.16 K - T) where T > 271.16 K, else
    12 + (271.16 K - T). An empirical fit; it has no paper of its own.
    """
    if not temperatures:
        raise DeriveError("a Kuchera ratio needs at least one temperature")
    warmest = temperatures[0]
    for other in temperatures[1:]:
        require_same_shape(warmest=warmest, other=other)
        warmest = np.fmax(warmest, other)
    cold = np.float32(KUCHERA_BREAK) - warmest
    ratio: Array = np.float32(12) + np.where(cold < 0, 2 * cold, cold)
    return np.maximum(ratio, np.float32(0))


def kuchera(waters: Sequence[Array], ratios: Sequence[Array]) -> Array:
    """Depth of snow, each increment with its own ratio.

    waters   (y, x) float32, kg m-2 each: water that fell as snow in consecutive increments
    ratios   (y, x) float32 each: `kuchera_ratio` of the same increment
    returns  (y, x) float32, m; NaN where any input is NaN
    raises   DeriveError unless both are as many and at least one; ShapeMismatch
    """
    if not waters or len(waters) != len(ratios):
        raise DeriveError(f"{len(waters)} increments and {len(ratios)} ratios make no total")
    total = np.zeros_like(waters[0])
    for water, ratio in zip(waters, ratios, strict=True):
        require_same_shape(total=total, water=water, ratio=ratio)
        total += depth(water) * (ratio * np.float32(1 / TEN_TO_ONE))
    return total
