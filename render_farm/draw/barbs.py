"""Wind barbs, each drawn once and then stamped: an atlas of 5-knot classes and directions.

The staff points to where the wind comes from. Seen from the foot of the staff, feathers lie on
its right (clockwise) side in the northern hemisphere and on its left in the southern, towards low
pressure. Half feather 5, feather 10, flag 50 kt, all rounded to the nearest 5; a circle is calm.
"""

import math
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from render_farm.draw.coordinates import SourceGrid
from render_farm.draw.linelabels import Occupied
from render_farm.draw.quincunx import quincunx
from render_farm.draw.sampling import sample_at
from render_farm.draw.text import blend
from render_farm.draw.viewport import Viewport

KNOTS = 1.9438444924406046  # per m/s: 3600 / 1852
CALM_KT = 2.5
DIRECTIONS = 72  # every 5 degrees
STAFF_PX, FEATHER_PX, STEP_PX = 29.0, 12.0, 4.6
WIDTH_PX = 1.35
CLEAR_PX = 4.0  # between a barb and what is written
SUPERSAMPLE = 4
SHIFT = 4
ATLAS = 4096

Float = NDArray[np.float64]
Coverage = NDArray[np.uint8]


@dataclass(frozen=True, slots=True, eq=False)
class Places:
    """Where barbs stand: columns and rows in px, longitudes, latitudes, and true north there.

    north  radians clockwise from the frame's up; all float64 (n,)
    """

    columns: Float
    rows: Float
    longitudes: Float
    latitudes: Float
    north: Float


@lru_cache(maxsize=32)
def places(viewport: Viewport, spacing_px: float) -> Places:
    """A staggered lattice, inside the map by the length of a barb, where the map is on earth."""
    rect = viewport.rect
    column, row = quincunx(rect.width, rect.height, spacing_px * viewport.scale).T
    longitude, latitude = viewport.lonlat_of_pixels(column, row)
    on_earth = np.isfinite(longitude) & np.isfinite(latitude)
    column, row = column[on_earth], row[on_earth]
    north = viewport.north(column, row)
    return Places(column, row, longitude[on_earth], latitude[on_earth], north)


def draw_barbs(
    ink: Coverage,
    wind: tuple[NDArray[np.float32], NDArray[np.float32]],
    grid: SourceGrid,
    viewport: Viewport,
    spacing_px: float,
    occupied: Occupied,
) -> int:
    """Stamp barbs on a coverage canvas (h, w) uint8, in place; returns how many.

    wind      eastward and northward component (ny, nx), m/s; none is drawn where one is missing
    occupied  where something is written already; a barb there is left out
    """
    where = places(viewport, spacing_px)
    at = grid.index(where.longitudes, where.latitudes)
    u, v = (sample_at(part, *at, cyclic=grid.cyclic) for part in wind)
    known = np.isfinite(u) & np.isfinite(v)
    speed_kt = np.hypot(u, v) * KNOTS
    # Angle on the frame, clockwise from its top, of where the wind comes from.
    origin = np.arctan2(-u, -v) + where.north
    for share in (0.0, 0.5, 1.0):  # its foot, its middle and its feathers
        reach = share * STAFF_PX * viewport.scale
        x, y = where.columns + reach * np.sin(origin), where.rows - reach * np.cos(origin)
        known &= occupied.free_points(x, y, CLEAR_PX * viewport.scale)
    fives = np.where(speed_kt < CALM_KT, 0, np.maximum(1, np.floor(speed_kt / 5 + 0.5)))
    turns = np.rint(origin / (2 * math.pi) * DIRECTIONS) % DIRECTIONS
    left, top = np.rint(where.columns).astype(int), np.rint(where.rows).astype(int)
    southern = where.latitudes < 0
    for k in np.flatnonzero(known).tolist():
        sprite = barb(int(fives[k]), int(turns[k]), bool(southern[k]), viewport.scale)
        half = sprite.shape[0] // 2
        stamp(ink, sprite, int(left[k]) - half, int(top[k]) - half)
    return int(known.sum())


def stamp(ink: Coverage, sprite: Coverage, left: int, top: int) -> None:
    """Lay a sprite on the canvas by maximum, cut at the canvas's borders."""
    size = sprite.shape[0]
    if left >= 0 and top >= 0:
        part = ink[top : top + size, left : left + size]
        if part.shape == sprite.shape:  # the usual case, without the cost of cutting
            np.maximum(part, sprite, out=part)
            return
    blend(ink, sprite, left, top)


@lru_cache(maxsize=ATLAS)
def barb(fives: int, direction: int, southern: bool, scale: float) -> Coverage:  # noqa: FBT001 - a cache key
    """Coverage (n, n) uint8 of one barb, n odd, its station in the middle.

    fives  speed in units of 5 kt, 0 for calm; direction in steps of 5 degrees clockwise from up
    """
    reach = math.ceil((STAFF_PX + FEATHER_PX * 0.6) * scale) + 3
    size = 2 * reach + 1
    fine = np.zeros((size * SUPERSAMPLE, size * SUPERSAMPLE), np.uint8)
    thick = max(1, round(WIDTH_PX * scale * SUPERSAMPLE))
    angle = 2 * math.pi * direction / DIRECTIONS
    side = -1.0 if southern else 1.0
    aa = cv2.LINE_AA

    def at(along: float, out: float) -> tuple[float, float]:
        """Place *along* the staff and *out* to the feathers' side, as fine canvas coordinates."""
        across = out * side
        x = along * math.sin(angle) + across * math.cos(angle)
        y = -along * math.cos(angle) + across * math.sin(angle)
        middle = size * SUPERSAMPLE / 2 - 0.5
        return middle + x * scale * SUPERSAMPLE, middle + y * scale * SUPERSAMPLE

    if fives == 0:
        centre = _fixed([at(0, 0)])[0]
        radius = round(3.6 * scale * SUPERSAMPLE * 2**SHIFT)
        cv2.circle(fine, centre.tolist(), radius, 255, thick, aa, SHIFT)
    else:
        strokes, flags = _parts(fives)
        for (a, b), (c, d) in [((0.0, 0.0), (STAFF_PX, 0.0)), *strokes]:
            line = [_fixed([at(a, b), at(c, d)])]
            cv2.polylines(
                fine, line, isClosed=False, color=255, thickness=thick, lineType=aa, shift=SHIFT
            )
        for corners in flags:
            cv2.fillPoly(fine, [_fixed([at(*corner) for corner in corners])], 255, aa, SHIFT)
        foot = round(thick * 0.8 * 2**SHIFT)
        cv2.circle(fine, _fixed([at(0, 0)])[0].tolist(), foot, 255, -1, aa, SHIFT)
    return np.asarray(cv2.resize(fine, (size, size), interpolation=cv2.INTER_AREA), np.uint8)


Place = tuple[float, float]


def _parts(fives: int) -> tuple[list[tuple[Place, Place]], list[tuple[Place, ...]]]:
    """Feathers and flags in (along the staff, outwards), from its tip towards the station."""
    flags, rest = divmod(fives, 10)
    feathers, half = divmod(rest, 2)
    lean = FEATHER_PX * 0.36  # feathers lean outwards
    along = STAFF_PX
    corners: list[tuple[Place, ...]] = []
    strokes: list[tuple[Place, Place]] = []
    for _ in range(flags):
        base = along - STEP_PX * 1.5
        corners.append(((along, 0.0), (along, FEATHER_PX), (base, 0.0)))
        along = base - STEP_PX * 0.25
    if flags:
        along -= STEP_PX * 0.4
    for _ in range(feathers):
        strokes.append(((along, 0.0), (along + lean, FEATHER_PX)))
        along -= STEP_PX
    if half:
        if not flags and not feathers:
            along -= STEP_PX * 1.3  # a half feather at the tip would read as a full one
        strokes.append(((along, 0.0), (along + lean / 2, FEATHER_PX / 2)))
    return strokes, corners


def _fixed(points: list[Place]) -> NDArray[np.int32]:
    return np.asarray(np.rint(np.asarray(points) * 2**SHIFT), np.int32)
