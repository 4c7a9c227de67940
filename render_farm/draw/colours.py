"""The colours of a scale's bins, and where these begin. Fill and legend ask here, so they agree."""

from functools import lru_cache
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from render_farm.domain.scales import Display

Float = NDArray[np.float64]
RGB = tuple[int, int, int]

# B. Ottosson, "A perceptual color space for image processing" (2020), linear sRGB <-> OKLab
_TO_LMS = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
)
_TO_LAB = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
)
_FROM_LMS = np.linalg.inv(_TO_LMS)
_FROM_LAB = np.linalg.inv(_TO_LAB)


def rgb(colour: str) -> RGB:
    """Three integers of a colour written "#rrggbb"."""
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def oklab(srgb: NDArray[np.integer] | Float) -> Float:
    """(..., 3) sRGB 0..255 -> OKLab, L 0..1."""
    unit = np.asarray(srgb, np.float64) / 255
    linear = np.where(unit <= 0.04045, unit / 12.92, ((unit + 0.055) / 1.055) ** 2.4)
    return np.asarray(np.cbrt(linear @ _TO_LMS.T) @ _TO_LAB.T)


def from_oklab(lab: Float) -> NDArray[np.uint8]:
    """(..., 3) OKLab -> sRGB uint8, clipped into the gamut."""
    linear = np.clip((lab @ _FROM_LAB.T) ** 3 @ _FROM_LMS.T, 0, 1)
    unit = np.where(linear <= 0.0031308, linear * 12.92, 1.055 * linear ** (1 / 2.4) - 0.055)
    return np.asarray(np.rint(unit * 255), np.uint8)


def levels_si(display: Display) -> Float:
    """The bin edges of *display* in the SI unit of its scale, rising, float64."""
    edges = (np.asarray(display.levels, np.float64) - display.offset) / display.factor
    return np.sort(edges)


@lru_cache(maxsize=256)
def bin_colours(display: Display) -> tuple[RGB | None, ...]:
    """The colour of each of the n + 1 bins of n levels; None is transparent.

    A bin between two levels takes the anchors' colour at its middle, interpolated in OKLab. `over`
    that is not given continues with the last colour; of a closed scale it is the last bin again.
    """
    if display.colours:
        middle = [rgb(colour) for colour in display.colours]
        last = middle[-1]
    else:
        at = np.array([value for value, _ in display.anchors])
        lab = oklab(np.array([rgb(colour) for _, colour in display.anchors]))
        centres = [(low + high) / 2 for low, high in pairwise(display.levels)]
        mixed = np.stack([np.interp(centres, at, lab[:, i]) for i in range(3)], axis=-1)
        middle = [_triple(row) for row in from_oklab(mixed)]
        last = _triple(from_oklab(lab[-1]))
    under = rgb(display.under) if display.under else None
    if display.closed:
        over: RGB | None = middle[-1]
    else:
        over = last if display.over is None else rgb(display.over) if display.over else None
    return (under, *middle, over)


def _triple(row: NDArray[np.uint8]) -> RGB:
    return int(row[0]), int(row[1]), int(row[2])
