"""Formulas worked out a few rows at a time.

A formula of ten steps over all of HRRR (1.9 million cells) would have ten arrays of 7.6 MB alive,
each too large for the processor's cache. Band by band it needs but its result, and is no slower;
every cell goes through the same steps, so its value is the same to the last bit.
"""

from collections.abc import Callable, Iterator

import numpy as np

from render_farm.derive.shapes import Array

BAND_CELLS = 1 << 16


def bands(shape: tuple[int, ...]) -> Iterator[slice]:
    """The rows of (y, x) arrays, a band of about `BAND_CELLS` cells at a time."""
    rows, columns = shape
    height = max(BAND_CELLS // max(columns, 1), 1)
    for top in range(0, rows, height):
        yield slice(top, min(top + height, rows))


def in_bands(formula: Callable[..., Array], *arrays: Array, halo: int = 0) -> Array:
    """formula(*arrays), by bands of rows; (y, x) float32.

    formula  takes (y, x) arrays and returns one of their shape, float32, each row of which depends
             on no more than *halo* rows to either side
    arrays   of one shape
    """
    result = np.empty(arrays[0].shape, np.float32)
    rows = len(result)
    for band in bands(result.shape):
        first, last = max(band.start - halo, 0), min(band.stop + halo, rows)
        part = formula(*(array[first:last] for array in arrays))
        result[band] = part[band.start - first : band.stop - first]
    return result
