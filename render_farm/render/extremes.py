"""The lowest and the highest value on a map, and where they are, as words."""

import math
from dataclasses import dataclass

import numpy as np

from render_farm.draw.captions import Extreme
from render_farm.draw.gazetteer import near_text
from render_farm.draw.numbers import decimals_of, fixed_text
from render_farm.draw.sampling import CODES, Sampled
from render_farm.draw.stations import decimals_at
from render_farm.render.scene import Scene

CELLS_AT_ONCE = 512  # that are looked for on the map, the furthest first


@dataclass(frozen=True, slots=True)
class _Spot:
    """A value in the unit of the field, and where it is, degrees."""

    value: float
    longitude: float
    latitude: float


def extremes(scene: Scene, sampled: Sampled) -> tuple[Extreme | None, Extreme | None]:
    """Lowest and highest value of the map in the display unit.

    Those of the source cells in the map: what a kernel makes between cells is not a forecast.
    Where less than the first level is not painted, only the highest is told; where nothing is
    painted at all, that it is below that level: an empty map has to say that nothing is there.
    """
    lowest, highest = _places(sampled)
    high = _beyond(scene, _spot(scene, sampled, highest), above=True)
    display = scene.display
    first = min(scale.levels[0] for scale in scene.classes.scales)
    bare = not display.under
    if bare and _shown(scene, high.value) < first:
        return None, Extreme(f"< {fixed_text(first, decimals_of(first))}")
    if bare:
        return None, _extreme(scene, high)
    low = _beyond(scene, _spot(scene, sampled, lowest), above=False)
    return _extreme(scene, low), _extreme(scene, high)


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


def _spot(scene: Scene, sampled: Sampled, place: tuple[int, int]) -> _Spot:
    """A pixel with the value of the source cell nearest to it.

    The pixel's own where that cell is missing: at a rim it is painted from its neighbours.
    """
    grid = scene.derived.grid
    longitude, latitude = scene.viewport.lonlat_of_pixels([place[0]], [place[1]])
    column, row = grid.index(longitude, latitude)
    c = round(float(column[0])) % grid.nx if grid.cyclic else round(float(column[0]))
    r = min(max(round(float(row[0])), 0), grid.ny - 1)
    value = float(scene.derived.arrays["fill"][r, min(max(c, 0), grid.nx - 1)])
    if not math.isfinite(value):
        value = sampled.first + float(sampled.codes[place[1], place[0]]) * sampled.step
    return _Spot(value, float(longitude[0]), float(latitude[0]))


def _shown(scene: Scene, value: float) -> float:
    return value * scene.display.factor + scene.display.offset


def _beyond(scene: Scene, spot: _Spot, *, above: bool) -> _Spot:
    """The highest (*above*) or lowest cell in the map, if it goes beyond *spot*; else *spot*.

    The extreme pixel alone does not tell it: a bicubic kernel overshoots most beside the
    steepest slope, and where cells are smaller than pixels it steps over some.
    """
    grid, viewport = scene.derived.grid, scene.viewport
    pixels = scene.caches.maps.get(grid, viewport, refined=True)
    window = pixels.window(scene.derived.arrays["fill"])
    with np.errstate(invalid="ignore"):
        further = np.flatnonzero(window > spot.value if above else window < spot.value)
    values = window.ravel()[further]
    order = np.argsort(-values if above else values, kind="stable")
    for start in range(0, order.size, CELLS_AT_ONCE):
        part = order[start : start + CELLS_AT_ONCE]
        rows, columns = np.divmod(further[part], window.shape[1])
        longitude, latitude = grid.lonlat_of(columns + pixels.left, rows + pixels.top)
        x, y = viewport.pixels_of(longitude, latitude)
        inside = (np.abs(x - (viewport.rect.width - 1) / 2) <= viewport.rect.width / 2) & (
            np.abs(y - (viewport.rect.height - 1) / 2) <= viewport.rect.height / 2
        )
        if inside.any():
            k = int(inside.argmax())
            return _Spot(float(values[part[k]]), float(longitude[k]), float(latitude[k]))
    return spot


def _extreme(scene: Scene, spot: _Spot) -> Extreme | None:
    value = _shown(scene, spot.value)
    if not math.isfinite(value):
        return None
    spec = scene.product.stations
    decimals = decimals_at(value, spec) if spec else scene.display.decimals
    if abs(value) < 10.0**-decimals:  # drizzle of 0.02 mm/h is painted, and not "0.0"
        decimals = max(decimals, decimals_of(scene.display.levels[0]))
    return Extreme(fixed_text(value, decimals), near_text(spot.latitude, spot.longitude))
