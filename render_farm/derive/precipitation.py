"""Amounts and rates of precipitation, and its type."""

import numpy as np
from numpy.typing import NDArray

from render_farm.derive.shapes import Array, DeriveError, require_same_shape
from render_farm.domain.recipes import TYPES

NOISE_MM = 0.3  # differences of packed totals go below zero by that much, and not more


class MixedRuns(DeriveError):
    """A total is smaller than an earlier total: the two are not of one run."""


def window(total: Array, earlier: Array) -> Array:
    """Amount that fell between two run totals.

    total, earlier  (y, x) float32, kg m-2, both from hour 0 of one run
    returns         (y, x) float32, kg m-2, >= 0; NaN where an input is NaN
    raises          MixedRuns if it goes below -0.3 kg m-2 anywhere, ShapeMismatch
    """
    require_same_shape(total=total, earlier=earlier)
    difference = total - earlier
    lowest = float(np.fmin.reduce(difference, None))
    if lowest < -NOISE_MM:
        raise MixedRuns(f"a total is {-lowest:.1f} mm below the earlier one")
    result: Array = np.maximum(difference, np.float32(0))
    return result


def mean_rate(amount: Array, seconds: float) -> Array:
    """Mean rate over the time in which an amount fell.

    amount   (y, x) float32, kg m-2
    seconds  length of its window, > 0
    returns  (y, x) float32, kg m-2 s-1
    raises   DeriveError for a window that is empty or runs backwards
    """
    if seconds <= 0:
        raise DeriveError(f"an amount over {seconds} s has no rate")
    result: Array = amount / np.float32(seconds)
    return result


def category(flags: dict[str, Array], where: NDArray[np.bool_] | None) -> NDArray[np.uint8]:
    """Type of precipitation from categorical flags.

    flags    type -> (y, x) float32, 0 no, 1 yes (code table 4.222); a mean of flags counts as yes
             from 0.5 on; types that a model lacks are absent. Where a flag is NaN the types that
             it would have overruled are unknown
    where    (y, x) bool: where it precipitates; None: wherever a flag says so
    returns  (y, x) uint8: 0 unknown or none, k the type TYPES[k - 1]
    raises   ShapeMismatch; DeriveError without any flag

    Models flag several types at one point (HRRR: some thousand of them); the one that is worst
    to be out in wins: freezing rain, sleet, snow, rain.
    """
    if not flags:
        raise DeriveError("no type of precipitation is known")
    require_same_shape(**flags)
    result = np.zeros(next(iter(flags.values())).shape, np.uint8)
    for number, name in enumerate(TYPES, start=1):
        flag = flags.get(name)
        if flag is not None:
            if np.isnan(flag.sum()):
                result[np.isnan(flag)] = 0
            result[flag >= np.float32(0.5)] = number
    if where is not None:
        result[~where] = 0
    return result
