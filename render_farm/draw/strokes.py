"""Lines drawn as anti-aliased coverage: whole, dashed, or along a border."""

from collections.abc import Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

SHIFT = 4  # fractional bits of cv2's coordinates
DASH_PX, GAP_PX = 9.0, 5.0
FAINTEST = 0.15  # px of a line's width that would not be seen
SIMPLE_PX = 0.2  # points closer than this to the line between their neighbours are left out

Points = NDArray[np.float64]
Coverage = NDArray[np.uint8]


def draw_lines(
    canvas: Coverage, lines: list[Points], width_px: float, *, dashed: bool, scale: float
) -> None:
    """Draw polylines (n, 2) on a coverage canvas (h, w) uint8, in place, anti-aliased."""
    pieces = lines
    if dashed:
        pieces = [d for line in lines for d in dashes(line, DASH_PX * scale, GAP_PX * scale)]
    simple = [
        cv2.approxPolyDP(part.astype(np.float32), SIMPLE_PX, closed=False)
        for piece in pieces
        for part in _halves(piece)
    ]
    fixed = [np.rint(piece * 2**SHIFT).astype(np.int32) for piece in simple]
    whole = max(1, int(width_px * scale + 0.05))
    rest = width_px * scale - whole
    if rest > FAINTEST:  # a line of 1.5 px is one of 2 px, half of it, below one of 1
        wider = np.zeros_like(canvas)
        cv2.polylines(wider, fixed, False, round(255 * rest), whole + 1, cv2.LINE_AA, SHIFT)  # noqa: FBT003
        np.maximum(canvas, wider, out=canvas)
    cv2.polylines(canvas, fixed, False, 255, whole, cv2.LINE_AA, SHIFT)  # noqa: FBT003


def _halves(line: Points) -> tuple[Points, ...]:
    """A ring in two halves, another line as it is.

    Simplified as one open line, a ring loses the stretch beside the point where it begins.
    """
    if len(line) < 4 or (line[0] != line[-1]).any():
        return (line,)
    middle = len(line) // 2
    return line[: middle + 1], line[middle:]


def edge_coverage(above: NDArray[np.bool_]) -> Coverage:
    """The border of an area as a thin soft line, uint8 (h, w), specks left out.

    above  bool (h, w) at every pixel. For a field so rugged that its isoline has tens of
    thousands of corners this costs a third of finding and drawing them.
    """
    mask = above.view(np.uint8) * np.uint8(255)
    # The majority of 5 x 5 pixels: the median of a mask, at a third of its cost.
    _, area = cv2.threshold(cv2.blur(mask, (5, 5)), 127, 255, cv2.THRESH_BINARY)
    # 255 - |2 a - 255| of its mean over 3 x 3: full where half is in, none where all or nothing.
    away = cv2.convertScaleAbs(cv2.blur(area, (3, 3)), alpha=2.0, beta=-255.0)
    return np.asarray(cv2.bitwise_not(away), np.uint8)


def dashes(line: Points, on_px: float, off_px: float) -> Iterator[Points]:
    """Cut a polyline (n, 2) into dashes by length along it; corners inside a dash are kept."""
    along = distance_along(line)
    period = on_px + off_px
    starts = np.arange(0.0, along[-1], period)
    ends = np.minimum(starts + on_px, along[-1])
    cuts = np.stack([starts, ends], axis=-1).ravel()
    at = np.stack([np.interp(cuts, along, line[:, i]) for i in (0, 1)], axis=-1)
    between = np.searchsorted(along, cuts)
    for k in range(0, len(cuts), 2):
        inner = line[between[k] : between[k + 1]]
        yield np.concatenate([at[k : k + 1], inner, at[k + 1 : k + 2]])


def distance_along(line: Points) -> NDArray[np.float64]:
    """Length from the first point to each, (n,)."""
    return np.concatenate(([0.0], np.cumsum(np.hypot(*np.diff(line, axis=0).T))))
