"""Hatched areas: diagonal strokes over the pixels where a field lies beyond a threshold."""

from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from render_farm.domain.layers import HatchLayer
from render_farm.draw.sampling import Sampled

MAJORITY_PX = 7  # at scale 1: rags and holes narrower than half of this are smoothed away
SMALLEST = 3.0  # spacings squared: an area below it would show a stroke or two, like a scratch
COARSE_PX = 4  # areas are measured on every so many pixels
EDGE_PX = 3  # over which strokes fade out at the area's edge

Coverage = NDArray[np.uint8]


def hatch_coverage(field: Sampled, layer: HatchLayer, scale: float) -> Coverage | None:
    """The strokes of *layer* over a sampled field (SI), uint8 (h, w); None where there are none.

    Below is less than the threshold, above is not less; missing values are neither.
    """
    area = _area(field, layer)
    if not area.any():
        return None
    height, width = area.shape
    mask = area.view(np.uint8) * np.uint8(255)
    size = 2 * round(MAJORITY_PX * scale / 2) + 1
    _, mask = cv2.threshold(cv2.blur(mask, (size, size)), 127, 255, cv2.THRESH_BINARY)  # type: ignore[assignment]
    spacing = layer.spacing_px * scale
    soft = cv2.blur(_without_specks(mask, SMALLEST * spacing**2), (EDGE_PX, EDGE_PX))
    pattern = strokes(height, width, spacing, layer.width_px * scale)
    return np.asarray(cv2.min(pattern, soft), np.uint8)


def _area(field: Sampled, layer: HatchLayer) -> NDArray[np.bool_]:
    threshold = layer.above if layer.above is not None else layer.below
    if threshold is None:  # the layer's own check forbids it
        raise ValueError(f"the hatching of {layer.field!r} has no threshold")
    at_least = field.at_least((threshold - layer.offset) / layer.factor)
    if (layer.above is not None) == (layer.factor > 0):
        return at_least
    return ~at_least if field.missing is None else ~at_least & ~field.missing


def _without_specks(mask: Coverage, smallest_px: float) -> Coverage:
    """A mask (0 or 255) without its areas below a size; those on the frame may go on beyond it."""
    coarse = mask[::COARSE_PX, ::COARSE_PX]
    _, labels, stats, _ = cv2.connectedComponentsWithStats(coarse)
    large = stats[:, cv2.CC_STAT_AREA] * COARSE_PX**2 >= smallest_px
    border = np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]])
    large[np.unique(border)] = True
    if large.all():
        return mask
    large[0] = False  # what is no area
    kept = (large[labels] * np.uint8(255)).astype(np.uint8)
    # Grown by a coarse pixel, so that the edges stay those of the mask.
    kept = np.asarray(cv2.dilate(kept, np.ones((3, 3), np.uint8)), np.uint8)
    size = (mask.shape[1], mask.shape[0])
    return np.asarray(cv2.min(mask, cv2.resize(kept, size, interpolation=cv2.INTER_NEAREST)))


@lru_cache(maxsize=4)
def strokes(height: int, width: int, spacing_px: float, width_px: float) -> Coverage:
    """Anti-aliased strokes over a whole map, uint8 (h, w), read-only; rising to the right.

    spacing_px, width_px  across the strokes: between their middles, and of one
    """
    across = np.arange(height + width - 1) / 2**0.5  # row + column: what a stroke has in common
    away = np.abs((across + spacing_px / 2) % spacing_px - spacing_px / 2)
    # A pixel that the stroke's border parts in halves is half covered.
    drawn = np.clip((width_px + 1) / 2 - away, 0, min(width_px, 1.0))
    profile = np.rint(drawn * 255).astype(np.uint8)
    out = np.lib.stride_tricks.sliding_window_view(profile, width).copy()
    out.flags.writeable = False
    return out
