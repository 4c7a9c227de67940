"""Isolines of a field as polylines in pixels.

contourpy finds them on a coarse lattice of pixels, which reaches beyond the map where the field
is smoothed, so that a line does not bend at the frame.
"""

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
from render_farm.draw.strokes import Points
from render_farm.draw.viewport import Viewport

SMOOTH_STEP_PX = (3, 8)  # lattice of a smoothed field: far below its smallest feature
SHARP_STEP_PX = (3, 6)  # lattice of a field drawn as it is: finer where its cells are small
CELL_STEPS = 4  # lattice steps to the cell that follow a bicubic surface closely enough
MARGIN_SIGMAS = 3.0
MAX_LINES = 120  # levels of one layer; a field that asks for more is not what the layer is for
SHORTEST_PX = 40.0  # smaller rings are specks that hide more than they tell


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
