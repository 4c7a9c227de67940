"""Isolines of a field as polylines in pixels, drawn as anti-aliased coverage.

contourpy finds them on a coarse lattice of pixels, which reaches beyond the map where the field
is smoothed, so that a line does not bend at the frame.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import contourpy
import cv2
import numpy as np
from numpy.typing import NDArray

from render_farm.domain.layers import LineLayer
from render_farm.draw.coordinates import SourceGrid
from render_farm.draw.mapstore import PixelMaps
from render_farm.draw.pixelmap import Lattice
from render_farm.draw.sampling import missing_at, sample_float
from render_farm.draw.viewport import Viewport

SMOOTH_STEP_PX = (3, 8)  # lattice of a smoothed field: far below its smallest feature
SHARP_STEP_PX = (3, 6)  # lattice of a field drawn as it is: finer where its cells are small
CELL_STEPS = 4  # lattice steps to the cell that follow a bicubic surface closely enough
MARGIN_SIGMAS = 3.0
MAX_LINES = 120  # levels of one layer; a field that asks for more is not what the layer is for
SHIFT = 4  # fractional bits of cv2's coordinates
DASH_PX, GAP_PX = 9.0, 5.0
SHORTEST_PX = 40.0  # smaller rings are specks that hide more than they tell
FAINTEST = 0.15  # px of a line's width that would not be seen
SIMPLE_PX = 0.2  # points closer than this to the line between their neighbours are left out

Points = NDArray[np.float64]
Coverage = NDArray[np.uint8]


@dataclass(frozen=True, slots=True, eq=False)
class LatticeField:
    """A field on a coarse lattice of pixels: column = origin + step * index, likewise rows.

    values   float32 (rows, columns), smoothed; raw: the same before smoothing
    missing  bool, where the field has no value and *values* only go on as around; None: nowhere
    """

    values: NDArray[np.float32]
    raw: NDArray[np.float32]
    origin: int
    step: int
    missing: NDArray[np.bool_] | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Isoline:
    """One connected line: points (n, 2) column, row of the map rectangle, at one level."""

    level: float  # in the unit of the layer
    points: Points


def lattice_field(
    values: NDArray[np.float32],
    grid: SourceGrid,
    viewport: Viewport,
    maps: PixelMaps,
    smooth_km: float,
) -> LatticeField | None:
    """*values* (ny, nx) on a lattice, smoothed by a Gaussian of sigma *smooth_km*, 0 for none.

    None where the field holds nothing in the map.
    """
    if smooth_km <= 0:
        step, sigma, margin = SHARP_STEP_PX[0], 0.0, SHARP_STEP_PX[0]
    else:
        sigma_px = smooth_km / viewport.km_per_px()
        step = int(np.clip(sigma_px / 2.5, *SMOOTH_STEP_PX))
        sigma = sigma_px / step
        margin = step * int(np.ceil(MARGIN_SIGMAS * sigma))
    pixels = maps.get(grid, viewport, Lattice(step, margin))
    raw = sample_float(values, pixels, "cubic")
    if raw is None:
        return None
    missing = missing_at(values, pixels)
    smooth = _smoothed(raw, missing, sigma) if sigma > 0 else raw
    return LatticeField(smooth, raw, -margin, step, missing)


def _smoothed(
    raw: NDArray[np.float32], missing: NDArray[np.bool_] | None, sigma: float
) -> NDArray[np.float32]:
    """A Gaussian mean of what is known: beyond the rim and off the earth *raw* means nothing."""
    if missing is None:
        return np.asarray(cv2.GaussianBlur(raw, (0, 0), sigma), np.float32)
    known = (~missing).astype(np.float32)
    middle = np.float32(raw[~missing].mean()) if known.any() else np.float32(0)
    total = cv2.GaussianBlur((raw - middle) * known, (0, 0), sigma)
    weight = cv2.GaussianBlur(known, (0, 0), sigma)
    return np.asarray(total / np.maximum(weight, np.float32(1e-6)) + middle, np.float32)


def sharp_step(cells_per_px: float) -> int:
    """Lattice step in px at which a field with such cells is drawn as it is."""
    return int(np.clip(1 / (cells_per_px * CELL_STEPS), *SHARP_STEP_PX))


def levels_between(layer: LineLayer, low: float, high: float) -> tuple[float, ...]:
    """The levels of *layer* (its own unit) that lie between two values of the field (SI)."""
    first, last = sorted(value * layer.factor + layer.offset for value in (low, high))
    if layer.levels:
        return tuple(level for level in layer.levels if first <= level <= last)
    step = layer.step or 1.0
    numbers = range(int(np.ceil(first / step)), int(np.floor(last / step)) + 1)
    if len(numbers) > MAX_LINES:
        raise ValueError(
            f"{len(numbers)} lines of {layer.field!r} every {step:g} {layer.unit} are too many"
        )
    return tuple(number * step for number in numbers)


def isolines(field: LatticeField, layer: LineLayer) -> list[Isoline]:
    """All lines of *layer* in the field, specks left out; ValueError for too many levels."""
    values = field.values
    if field.missing is not None:  # no line goes on where nothing is known
        values = np.where(field.missing, np.float32(np.nan), values)
    with np.errstate(invalid="ignore"):
        low, high = (float(end.reduce(values, axis=None)) for end in (np.fmin, np.fmax))
    levels = levels_between(layer, low, high) if low <= high else ()
    if not levels:
        return []
    generator = contourpy.contour_generator(
        z=values, name="serial", line_type=contourpy.LineType.ChunkCombinedOffset
    )
    out: list[Isoline] = []
    for level in levels:
        found: Any = generator.lines((level - layer.offset) / layer.factor)
        points, offsets = found[0][0], found[1][0]  # one chunk
        if points is None:
            continue
        pixels = points * field.step + field.origin
        along = np.concatenate(([0.0], np.cumsum(np.hypot(*np.diff(pixels, axis=0).T))))
        first, last = offsets[:-1], offsets[1:]
        long = np.flatnonzero(along[last - 1] - along[first] >= SHORTEST_PX)
        out.extend(Isoline(level, pixels[first[k] : last[k]]) for k in long)
    return out


def colour_of(layer: LineLayer, level: float) -> str:
    """The colour of a level: one for all, or two parted by `split`."""
    return layer.colours[0] if layer.split is None or level <= layer.split else layer.colours[1]


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
