"""Where the symbols of a vector field stand: rows in quincunx, as evenly as the map allows."""

import numpy as np
from numpy.typing import NDArray

ROW = 0.88  # of the spacing: between rows
EDGE = 0.62  # of the spacing: nearer to the frame a symbol would be cut

Float = NDArray[np.float64]


def quincunx(width: int, height: int, spacing_px: float) -> Float:
    """Places in px, float64 (n, 2) of column and row: every second row is half a spacing on.

    The pattern stands in the middle of the map: what does not make another row or column is
    shared out to both sides. Empty where the map is too small for one symbol.
    """
    edge = EDGE * spacing_px
    wide, high = width - 1 - 2 * edge, height - 1 - 2 * edge
    if wide < 0 or high < 0:
        return np.empty((0, 2))
    step = ROW * spacing_px
    row_count = int(high // step) + 1
    halves = int(wide // (spacing_px / 2))
    shift = spacing_px / 2 if row_count > 1 and halves else 0.0
    used = halves * shift if shift else wide // spacing_px * spacing_px
    top, left = edge + (high - (row_count - 1) * step) / 2, edge + (wide - used) / 2
    places = []
    for number in range(row_count):
        first = left + shift * (number % 2)
        count = int((left + used - first) / spacing_px + 1e-9) + 1
        columns = first + spacing_px * np.arange(count, dtype=np.float64)
        places.append(np.stack([columns, np.full(count, top + step * number)], axis=-1))
    return np.concatenate(places)
