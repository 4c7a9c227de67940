"""The lowest and the highest value on a map, and where they are, as words."""

import math

import numpy as np

from render_farm.draw.captions import Extreme
from render_farm.draw.gazetteer import near_text
from render_farm.draw.numbers import decimals_of, fixed_text
from render_farm.draw.sampling import CODES, Sampled
from render_farm.draw.stations import decimals_at
from render_farm.render.scene import Scene


def extremes(scene: Scene, sampled: Sampled) -> tuple[Extreme | None, Extreme | None]:
    """Lowest and highest value of the map in the display unit.

    The place is that of the extreme pixel, the value that of the source cell there: what a kernel
    makes between cells is not a forecast. Where less than the first level is not painted, only
    the highest is told; None where nothing is painted at all.
    """
    lowest, highest = _places(sampled)
    low, high = _value(scene, sampled, lowest), _value(scene, sampled, highest)
    display = scene.display
    first = min(scale.levels[0] for scale in scene.classes.scales)
    bare = not display.under
    if bare and not high >= first:
        return None, None
    shown_low = None if bare else _extreme(scene, low, lowest)
    return shown_low, _extreme(scene, high, highest)


def _places(sampled: Sampled) -> tuple[tuple[int, int], tuple[int, int]]:
    """(column, row) of the lowest and of the highest pixel, the first of equal ones."""
    low = high = sampled.codes
    if sampled.missing is not None:
        low = np.where(sampled.missing, np.uint16(CODES), low)
        high = np.where(sampled.missing, np.uint16(0), high)
    return _known(sampled, int(low.argmin())), _known(sampled, int(high.argmax()))


def _known(sampled: Sampled, at: int) -> tuple[int, int]:
    """(column, row) of a pixel by its number; of the first known one where it is missing itself.

    So it is where all that are known have the code that missing ones were given.
    """
    if sampled.missing is not None and sampled.missing.flat[at]:
        at = int(sampled.missing.argmin())
    row, column = divmod(at, sampled.codes.shape[1])
    return column, row


def _value(scene: Scene, sampled: Sampled, place: tuple[int, int]) -> float:
    """Value of the source cell nearest to a pixel, in the display unit.

    The pixel's own where that cell is missing: at a rim it is painted from its neighbours.
    """
    grid = scene.derived.grid
    column, row = grid.index(*scene.viewport.lonlat_of_pixels([place[0]], [place[1]]))
    c = round(float(column[0])) % grid.nx if grid.cyclic else round(float(column[0]))
    r = min(max(round(float(row[0])), 0), grid.ny - 1)
    value = float(scene.derived.arrays["fill"][r, min(max(c, 0), grid.nx - 1)])
    if not math.isfinite(value):
        value = sampled.first + float(sampled.codes[place[1], place[0]]) * sampled.step
    return value * scene.display.factor + scene.display.offset


def _extreme(scene: Scene, value: float, place: tuple[int, int]) -> Extreme | None:
    if not math.isfinite(value):
        return None
    spec = scene.product.stations
    decimals = decimals_at(value, spec) if spec else scene.display.decimals
    if abs(value) < 10.0**-decimals:  # drizzle of 0.02 mm/h is painted, and not "0.0"
        decimals = max(decimals, decimals_of(scene.display.levels[0]))
    longitude, latitude = scene.viewport.lonlat_of_pixels([place[0]], [place[1]])
    return Extreme(fixed_text(value, decimals), near_text(float(latitude[0]), float(longitude[0])))
