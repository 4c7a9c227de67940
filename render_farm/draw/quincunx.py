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
    rows = _centred(height, spacing_px * ROW, spacing_px * EDGE)
    even = _centred(width, spacing_px, spacing_px * EDGE, half=0.5 if rows.size > 1 else 0.0)
    places = []
    for number, row in enumerate(rows):
        columns = even if number % 2 == 0 else even + spacing_px / 2
        columns = columns[columns <= width - 1 - spacing_px * EDGE]
        places.append(np.stack([columns, np.full(columns.size, row)], axis=-1))
    return np.concatenate(places) if places else np.empty((0, 2))


def _centred(size: int, step: float, edge: float, half: float = 0.0) -> Float:
    """As many places *step* apart as fit, the whole in the middle; *half*: room for the other
    rows, which stand that part of a step further on, counts as taken where it can be had.
    """
    room = size - 1 - 2 * edge
    if room < 0:
        return np.empty(0)
    halves = int(room // (step * half)) if half else 0
    count = int(room // step) + 1
    taken = halves * step * half if half else (count - 1) * step
    return edge + (room - taken) / 2 + step * np.arange(count)
