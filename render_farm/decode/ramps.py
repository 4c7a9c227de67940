"""Ramps: what a flipped bit makes of a field that was packed as differences of differences.

Unpacking sums such values up twice, so one that is wrong by a step of the packing tilts all that
comes after it by that step a point, and by as much times the length of a row from row to row, to
the last one. That is far more than any field does; most are driven beyond the limits of their
parameter by it, but not amounts of rain, whose limit is far away.
"""

import numpy as np
from numpy.typing import NDArray

_ROWS = 9  # at the end of the field
_SAMPLES = 64  # of steps from one row to the next, in its first half
_TILTED = 0.5  # of the smallest ramp that a damaged value can make
_NATURAL = 20.0  # times what rows differ by elsewhere; real fields keep below 3


def is_ramp(values: NDArray[np.floating], smallest: float) -> bool:
    """Whether the last rows climb, or fall, all alike and as no others do.

    values    (ny, nx) in the order of packing: the last row was packed last; missing = NaN
    smallest  step of packing times nx: the smallest ramp there can be, from row to row
    """
    ny = values.shape[0]
    if ny < 4 * _ROWS:
        return False
    end = values[-_ROWS:]
    # Lowest, mean and highest of a row go the same way, by as much: weather's do not. The median,
    # for the rows at the edge of a model are not like others.
    steps = np.median(np.diff([end.min(axis=1), end.mean(axis=1), end.max(axis=1)]), axis=1)
    if not (np.all(steps > _TILTED * smallest) or np.all(steps < -_TILTED * smallest)):
        return False
    rows = np.linspace(0, ny // 2, _SAMPLES, dtype=np.intp)
    natural = np.abs(values[rows + 1].mean(axis=1) - values[rows].mean(axis=1))
    natural = natural[np.isfinite(natural)]
    if not natural.size:
        return False
    # The ramp may have begun in that half; before it, all was well.
    return bool(np.abs(steps).min() > _NATURAL * np.quantile(natural, 0.25))
