"""Jumps between neighbours: what a flipped bit makes of a value that is still possible.

GRIB has no checksum. A high bit flipped in one value puts a spike into a field that is smooth
around it. Values that lie next to each other in the packing, and are damaged together, lie in one
row; so a value is compared with those of the two rows above and the two below it.
"""

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

_BLOCK = 64  # rows: 64 of HRRR's and what is made of them stay in the cache of a core
_AROUND = np.array([(row, column) for row in (-2, -1, 1, 2) for column in range(-2, 3)])
_SLOPES = (_AROUND / (_AROUND**2).sum(axis=0)).T.astype(np.float32)  # of a plane, by least squares
_MOST = 512  # points that are looked at closely; a rough field has many that stick out a little


class Spike(NamedTuple):
    """A value that sticks out of its surroundings: of the plane through 20 points in other rows.

    height  by how much beyond all of them, measured from that plane
    spread  of those, likewise: on a slope nothing, in mountains much
    """

    row: int
    column: int
    height: float
    spread: float


def spikes(values: NDArray[np.float32], least: float) -> list[Spike]:
    """Values that stick out of their surroundings by more than *least*.

    values  (ny, nx) contiguous, missing = NaN; of what is next to a missing value nothing is said,
            nor of the two outermost rows
    returns the highest first, 512 at most
    """
    ny, nx = values.shape
    if ny < 5 or nx < 5:
        return []
    whole = values
    if np.isnan(cv2.sumElems(values)[0]):
        whole = np.where(np.isnan(values), np.nanmean(values), values)
    found = _sticking_out(whole, least)
    rows, columns = np.divmod(found[(found >= 2 * nx) & (found < (ny - 2) * nx)], nx)
    at = values[rows, columns]
    near = values[rows[:, None] + _AROUND[:, 0], _within(columns[:, None] + _AROUND[:, 1], nx)]
    # The offsets add up to nothing, so the plane's height in the middle is the mean.
    at -= (middle := near.mean(axis=1))
    near -= middle[:, None] + (near @ _SLOPES.T) @ _AROUND.T.astype(np.float32)
    lowest, highest = near.min(axis=1, initial=np.inf), near.max(axis=1, initial=-np.inf)
    heights, spreads = np.maximum(at - highest, lowest - at), highest - lowest
    order = np.argsort(-heights)
    return [
        Spike(int(rows[i]), int(columns[i]), float(heights[i]), float(spreads[i]))
        for i in order[:_MOST]
        if heights[i] > least  # NaN is not
    ]


def _sticking_out(values: NDArray[np.float32], least: float) -> NDArray[np.intp]:
    """Flat indices of values that are so far off the line from the one above to the one below."""
    ny, nx = values.shape
    steps = np.empty((_BLOCK + 1, nx), np.float32)
    bends = np.empty((_BLOCK, nx), np.float32)
    found: list[NDArray[np.intp]] = []
    for top in range(0, ny - 2, _BLOCK):
        count = min(_BLOCK, ny - 2 - top)
        step, bend = steps[: count + 1], bends[:count]
        cv2.subtract(values[top + 1 : top + count + 2], values[top : top + count + 1], dst=step)
        cv2.absdiff(step[1:], step[:-1], dst=bend)
        if bend.max() > 2 * least:
            found.append(np.flatnonzero(bend > 2 * least) + (top + 1) * nx)
    return np.concatenate(found) if found else np.empty(0, np.intp)


def _within(index: NDArray[np.intp], size: int) -> NDArray[np.intp]:
    """Indices beyond an edge, mirrored at it."""
    return np.asarray((size - 1) - np.abs((size - 1) - np.abs(index)))
