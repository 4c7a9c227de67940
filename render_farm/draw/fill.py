"""Turns a sampled field into class numbers: which scale, and which bin of it.

The levels are moved to the field (SI, then its 16-bit steps), not the field to the levels, so the
work per pixel is one table look-up. Classes are what the picture, the legend and read-outs share.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from render_farm.domain.bin_edges import MOST_COLOURS, MOST_LEVELS
from render_farm.domain.scales import Display
from render_farm.draw.colours import RGB, bin_colours, levels_si
from render_farm.draw.sampling import CODES, Sampled

NOTHING = 0  # class of pixels where the map stays bare


@dataclass(frozen=True, slots=True)
class Classes:
    """The classes of one product: class 0 is bare ground, the others are bins with a colour.

    scales   the roles' displays; scales[0] is "fill"
    numbers  numbers[scale][bin] is the class
    colours  colours[class - 1]
    """

    scales: tuple[Display, ...]
    numbers: tuple[tuple[int, ...], ...]
    colours: tuple[RGB, ...]


def classes_of(scales: Sequence[Display]) -> Classes:
    """Number the bins of all *scales* of a product; equal colours share a class.

    ValueError: more different colours than a palette can hold.
    """
    colours: dict[RGB, int] = {}
    numbers = []
    for display in scales:
        row = []
        for colour in bin_colours(display):
            if colour is None:
                row.append(NOTHING)
            else:
                row.append(colours.setdefault(colour, len(colours) + 1))
        numbers.append(tuple(row))
    if len(colours) > MOST_COLOURS:
        raise ValueError(
            f"{len(colours)} colours are too many for one map ({MOST_COLOURS} are possible)"
        )
    return Classes(tuple(scales), tuple(numbers), tuple(colours))


def classify(
    field: Sampled, classes: Classes, category: NDArray[np.uint8] | None = None
) -> NDArray[np.uint8]:
    """Class (uint8) of every pixel.

    category  uint8 (h, w): which of `classes.scales` a pixel is coloured by; None: the first
    """
    if category is None or len(classes.scales) == 1:
        table = _table(field, classes.scales[0], classes.numbers[0])
        out = np.asarray(cv2.LUT(field.codes, table), np.uint8)
    else:
        out = _by_category(field, classes, category)
    if field.missing is not None:
        out[field.missing] = NOTHING
    return out


def _thresholds(field: Sampled, levels: NDArray[np.float64]) -> NDArray[np.int64]:
    """First code whose value is not below each level.

    Codes were rounded to the nearest, so a code stands for values half a step around it.
    """
    with np.errstate(over="ignore"):
        code = np.rint((levels - field.first) / field.step)
    return np.clip(code, 0, CODES + 1).astype(np.int64)


def _bin_table(field: Sampled, levels: NDArray[np.float64]) -> NDArray[np.int64]:
    counts = np.diff(np.concatenate(([0], _thresholds(field, levels), [CODES + 1])))
    return np.repeat(np.arange(levels.size + 1), counts)


def _table(field: Sampled, display: Display, numbers: Sequence[int]) -> NDArray[np.uint8]:
    return np.asarray(numbers, np.uint8)[_bin_table(field, levels_si(display))]


def _by_category(
    field: Sampled, classes: Classes, category: NDArray[np.uint8]
) -> NDArray[np.uint8]:
    """Two look-ups: into the bins of all scales' levels together, then by (category, bin)."""
    together = np.unique(np.concatenate([levels_si(display) for display in classes.scales]))
    if together.size > MOST_LEVELS:
        raise ValueError(
            f"{together.size} levels on the scales of one map are too many ({MOST_LEVELS} can be)"
        )
    bins = cv2.LUT(field.codes, _bin_table(field, together).astype(np.uint8))
    table = np.zeros((256, 256), np.uint8)
    for number, (display, row) in enumerate(zip(classes.scales, classes.numbers, strict=True)):
        own = np.searchsorted(levels_si(display), together, side="right")
        table[number, : together.size + 1] = np.asarray(row, np.uint8)[np.concatenate(([0], own))]
    pairs = cv2.merge([bins, category]).view(np.uint16)[
        ..., 0
    ]  # little endian: category << 8 | bin
    return np.asarray(cv2.LUT(pairs, table.ravel()), np.uint8)


def spread(category: NDArray[np.uint8], dry: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Give dry cells the category of a neighbour, so the interpolated rim of an area has its type.

    Both (ny, nx). A cell has a type only where something falls; between it and a dry neighbour
    the interpolated amount is above zero, and would otherwise be painted as of unknown type.
    """
    if not dry.any() or not category.any():
        return category
    near = np.asarray(cv2.dilate(category, np.ones((3, 3), np.uint8)), np.uint8)
    return np.where(dry & (category == 0), near, category)
