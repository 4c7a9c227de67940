"""Lines on earth as lines on the map: curved as they are, cut at the seam of the projection."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from render_farm.draw.viewport import Viewport

MAX_STEP_DEG = 0.2  # a border along a parallel is curved on the map: points between its ends
JUMP_PX = 2000  # longer between neighbouring points than anything real: the seam of the projection
MARGIN_PX = 16  # around the map: half the width of any line

Points = NDArray[np.float64]


def densified(line: NDArray[Any], step_deg: float = MAX_STEP_DEG) -> Points:
    """(n, 2) lon/lat with points added, so that no two are further apart than *step_deg*."""
    points = np.asarray(line, np.float64)
    span = np.abs(np.diff(points, axis=0)).max(axis=1)
    pieces = np.maximum(np.ceil(span / step_deg), 1).astype(np.intp)
    if pieces.max(initial=1) == 1:
        return points
    start = np.repeat(np.arange(pieces.size), pieces)
    part = np.arange(pieces.sum()) - np.repeat(np.cumsum(pieces) - pieces, pieces)
    fraction = (part / pieces[start])[:, None]
    between = points[start] + fraction * (points[start + 1] - points[start])
    return np.concatenate([between, points[-1:]])


def projected(viewport: Viewport, line: NDArray[Any]) -> list[Points]:
    """A lon/lat line as pixel coordinates (n, 2), cut where the projection tears it."""
    points = densified(line)
    found: list[Points] = []
    for outline in viewport.outlines_of(points[:, 0], points[:, 1]):
        pixels = np.stack(outline, axis=-1)
        with np.errstate(invalid="ignore"):
            jump = ~(np.abs(np.diff(pixels, axis=0)).max(axis=1) < JUMP_PX)
        pieces = np.split(pixels, np.flatnonzero(jump) + 1)
        found += [p for p in pieces if len(p) > 1 and np.isfinite(p).all() and _near(viewport, p)]
    return found


def _near(viewport: Viewport, pixels: Points) -> bool:
    """Whether a line may touch the map."""
    low, high = pixels.min(axis=0), pixels.max(axis=0)
    size = viewport.rect.width, viewport.rect.height
    return all(high[i] > -MARGIN_PX and low[i] < size[i] + MARGIN_PX for i in (0, 1))


def closed(viewport: Viewport, ring: NDArray[Any]) -> Iterator[Points]:
    """A ring in pixels (n, 2) wherever it may touch the map; points without an image left out."""
    points = densified(ring)
    for outline in viewport.outlines_of(points[:, 0], points[:, 1]):
        pixels = np.stack(outline, axis=-1)
        pixels = pixels[np.isfinite(pixels).all(axis=1)]
        if len(pixels) > 2 and _near(viewport, pixels):
            yield pixels
