"""Puts a frame together as palette indices: fill, base lines, overlays, furniture."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from render_farm.draw.baselines import BaseLayer
from render_farm.draw.colours import RGB
from render_farm.draw.fill import NOTHING, Classes
from render_farm.draw.furniture import Furniture
from render_farm.draw.layout import Layout
from render_farm.draw.palette import FramePalette, Ground, Palettes, turned

Indices = NDArray[np.uint8]
COUNT_STEP = 4  # a colour that no such pixel has is too rare to deserve blends of its own


@dataclass(frozen=True, slots=True, eq=False)
class Overlay:
    """Ink laid on the map: coverage uint8 (h, w) of the map rectangle, in one colour.

    turning    whether a dark colour turns light over dark fills; a halo must stay what it is
    dark_only  whether it shows over dark fills alone
    """

    coverage: NDArray[np.uint8]
    colour: RGB
    turning: bool = True
    dark_only: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """A frame: indices uint8 (height, width) into colours uint8 (n, 3)."""

    indices: Indices
    colours: NDArray[np.uint8]


def compose(
    layout: Layout,
    classified: NDArray[np.uint8],
    classes: Classes,
    base: BaseLayer,
    overlays: Sequence[Overlay],
    furniture: Furniture,
    ground: Ground,
    palettes: Palettes,
) -> Picture:
    """Compose a frame.

    classified  uint8 (h, w) of the map rectangle: classes of `classes`, 0 where the ground shows
    overlays    from the bottom to the top
    """
    filled, used = _on_ground(classified, base.ground)
    samples = [_on_paper(colour, ground) for colour in furniture.tints]
    inks = tuple(dict.fromkeys([*(overlay.colour for overlay in overlays), *samples]))
    palette = palettes.plan(classes.colours, used, inks, ground)
    _lay_base(filled, base, palette)
    any_dark = bool(palette.dark[list(used)].any())
    for overlay in overlays:
        if overlay.dark_only and not any_dark:
            continue
        table = palette.over(overlay.colour, turning=overlay.turning, dark_only=overlay.dark_only)
        lay(filled, overlay.coverage, table)
    indices = np.empty((layout.height, layout.width), np.uint8)
    indices[layout.map.top : layout.map.bottom] = filled
    _lay_furniture(indices, layout, furniture, classes, palette, ground)
    return Picture(indices, palette.colours)


def _on_ground(
    classified: NDArray[np.uint8], ground: NDArray[np.uint8]
) -> tuple[Indices, tuple[int, ...]]:
    """Palette indices of the fill, and those that occur, the most frequent first."""
    few = np.ascontiguousarray(classified[::COUNT_STEP, ::COUNT_STEP])
    counts = np.bincount(few.ravel(), minlength=256)
    filled = classified + np.uint8(1)
    bare = cv2.countNonZero(classified) < classified.size
    if bare:
        cv2.copyTo(ground, (classified == NOTHING).view(np.uint8), filled)
    classes = [int(c) for c in np.argsort(-counts, kind="stable") if c != NOTHING and counts[c]]
    used = [c + 1 for c in classes]
    return filled, tuple([0, 1, *used] if bare else used)


def _lay_base(filled: Indices, base: BaseLayer, palette: FramePalette) -> None:
    flat = filled.reshape(-1)
    below = flat.take(base.positions)
    flat[base.positions] = palette.over(None).take(base.shifted | below)


def lay(below: Indices, coverage: NDArray[np.uint8], table: NDArray[np.uint8]) -> None:
    """Lay one overlay on an image in place: table[coverage * 256 + index below].

    Both uint8 of one shape and contiguous; see `FramePalette.over`. Looks only at the runs of
    eight pixels that hold ink: most of a map has none.
    """
    if below.size % 8:
        pairs = cv2.merge([below, coverage]).view(np.uint16)[..., 0]  # little endian
        cv2.LUT(pairs, table, dst=below)
        return
    target = below.reshape(-1).view(np.uint64)
    inked = coverage.reshape(-1).view(np.uint64)
    runs = np.flatnonzero(inked)
    pairs = inked.take(runs).view(np.uint8).astype(np.uint16) << np.uint16(8)
    pairs |= target.take(runs).view(np.uint8)
    target[runs] = table.take(pairs).view(np.uint64)


def _lay_furniture(
    indices: Indices,
    layout: Layout,
    furniture: Furniture,
    classes: Classes,
    palette: FramePalette,
    ground: Ground,
) -> None:
    for rect in (layout.header, layout.footer):
        indices[rect.top : rect.bottom] = palette.paper
    for swatch in furniture.swatches:
        value = classes.numbers[swatch.bar_index][swatch.bin_index]
        rect = swatch.rect
        indices[rect.top : rect.bottom, rect.left : rect.right] = value + 1
    for rect in (layout.header, layout.footer):
        rows = slice(rect.top, rect.bottom)
        lay(indices[rows], furniture.ink[rows], palette.over(ground.ink, turning=False))
    header = indices[layout.header.top : layout.header.bottom]
    for colour, coverage in furniture.tints.items():
        lay(header, coverage, palette.over(_on_paper(colour, ground)))


def _on_paper(colour: RGB, ground: Ground) -> RGB:
    """A line's colour as its sample has it around the map."""
    return turned(colour) if sum(ground.paper) < sum(ground.ink) else colour
