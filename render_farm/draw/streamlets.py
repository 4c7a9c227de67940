"""Wind as streamlets: short pieces of streamlines with a head, longer where it blows harder.

Each is integrated both ways from a fixed seed (fourth-order Runge-Kutta, in pixels), so that in a
loop they turn and stretch where they stand instead of jumping. They follow the air's path on the
map (`flow.py`).
"""

from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from render_farm.draw.coordinates import SourceGrid
from render_farm.draw.flow import Float, Image, Wind, advanced, flow_at, flow_of
from render_farm.draw.linelabels import Occupied
from render_farm.draw.quincunx import quincunx
from render_farm.draw.viewport import Viewport

CALM_MS = 2.5 * 1852 / 3600  # 2.5 kt, the calm of barbs
STEPS = 5  # of integration, each way
LONGEST = 0.95  # of the spacing: what the length approaches in a storm
HALF_SPEED = 6.0  # m/s with half of that length
SHORTEST_PX = 11.0
JITTER = 0.1  # of the spacing: in rank and file, seeds would show as stripes in straight flow
PLASTIC = (0.7548776662466927, 0.5698402909980532)  # the evenest sequence in two dimensions
TAIL_PX, NECK_PX = 0.6, 1.7  # width at the tail and below the head
HEAD_PX, HEAD_WIDTH_PX = 8.0, 5.6
CLEAR_PX = 4.0  # between a streamlet and what is written
SHIFT = 4

Coverage = NDArray[np.uint8]


@lru_cache(maxsize=32)
def seeds(viewport: Viewport, spacing_px: float) -> Image:
    """Middles of the streamlets, float32 (n, 2): a staggered lattice, each a little out of line."""
    spacing = spacing_px * viewport.scale
    even = quincunx(viewport.rect.width, viewport.rect.height, spacing)
    turns = np.arange(len(even))[:, None] * np.array(PLASTIC) % 1.0 - 0.5
    return np.asarray(even + 2 * JITTER * spacing * turns, np.float32)


def draw_streamlets(
    ink: Coverage,
    wind: Wind,
    grid: SourceGrid,
    viewport: Viewport,
    spacing_px: float,
    occupied: Occupied,
) -> int:
    """Draw streamlets on a coverage canvas (h, w) uint8, in place; returns how many.

    wind      eastward and northward component (ny, nx), m/s; none is drawn where it is missing
              anywhere along one, nor where it is calm
    occupied  where something is written already; a streamlet that would touch it is left out
    """
    paths = streamlets(wind, grid, viewport, spacing_px)
    clear = _clear(paths, occupied, viewport.scale)
    for outline in _outlines(paths[clear], viewport.scale):
        cv2.fillPoly(ink, [outline], 255, cv2.LINE_AA, SHIFT)
    return int(clear.sum())


def streamlets(wind: Wind, grid: SourceGrid, viewport: Viewport, spacing_px: float) -> Float:
    """Their paths, (n, 2 STEPS + 1, 2) float64: column and row in px, from tail to head."""
    flow = flow_of(wind, grid, viewport)
    seed = seeds(viewport, spacing_px)
    speed = flow_at(flow, seed, viewport)[:, 2]
    blows = np.flatnonzero(speed >= CALM_MS)  # False where it is NaN
    share = speed[blows] / (speed[blows] + HALF_SPEED)
    length = np.maximum(LONGEST * spacing_px * share, SHORTEST_PX) * viewport.scale
    step = (length / (2 * STEPS))[:, None]
    ways = []
    for sign in (-1.0, 1.0):
        at, way = seed[blows], [seed[blows]]
        for _ in range(STEPS):
            at = advanced(flow, at, (sign * step).astype(np.float32), viewport)
            way.append(at)
        ways.append(way)
    paths = np.stack([*ways[0][:0:-1], *ways[1]], axis=1).astype(np.float64)
    inside = paths[np.isfinite(paths).all(axis=(1, 2))]
    margin = HEAD_WIDTH_PX / 2 * viewport.scale + 1
    limit = np.array([viewport.rect.width - 1, viewport.rect.height - 1]) - margin
    return inside[((inside > margin) & (inside < limit)).all(axis=(1, 2))]


def _clear(paths: Float, occupied: Occupied, scale: float) -> NDArray[np.bool_]:
    """Which paths stay clear of what is written, bool (n,)."""
    clear = np.ones(len(paths), np.bool_)
    middle = paths[:, STEPS]
    reach = float(np.linalg.norm(paths - middle[:, None], axis=-1).max(initial=0.0))
    margin = CLEAR_PX * scale
    near = np.flatnonzero(~occupied.free_points(middle[:, 0], middle[:, 1], reach + margin))
    points = paths[near].reshape(-1, 2)
    free = occupied.free_points(points[:, 0], points[:, 1], margin)
    clear[near] = free.reshape(near.size, 2 * STEPS + 1).all(axis=1)
    return clear


def _outlines(paths: Float, scale: float) -> NDArray[np.int32]:
    """Tapered outlines with a head, for cv2: (n, points, 2), fixed point."""
    ahead = np.diff(paths, axis=1)
    lengths = np.hypot(ahead[..., 0], ahead[..., 1])
    tangent = np.concatenate([ahead[:, :1], ahead[:, 1:] + ahead[:, :-1], ahead[:, -1:]], axis=1)
    tangent /= np.hypot(tangent[..., 0], tangent[..., 1])[..., None]
    normal = np.stack([-tangent[..., 1], tangent[..., 0]], axis=-1)
    half = np.linspace(TAIL_PX, NECK_PX, paths.shape[1])[None, :, None] * scale / 2
    tip = paths[:, -1] + tangent[:, -1] * HEAD_PX * scale / 2
    base = paths[:, -1] - tangent[:, -1] * HEAD_PX * scale / 2
    # The shaft ends at the head's base: the points beyond it would stick out of the head's sides.
    beyond = (np.cumsum(lengths[:, ::-1], axis=1)[:, ::-1] < HEAD_PX * scale / 2)[..., None]
    shaft = np.concatenate([np.where(beyond, base[:, None], paths[:, :-1]), base[:, None]], axis=1)
    wide = normal[:, -1] * HEAD_WIDTH_PX * scale / 2
    head = np.stack([base + wide, tip, base - wide], axis=1)
    left, right = shaft + normal * half, (shaft - normal * half)[:, ::-1]
    outline = np.concatenate([left, head, right], axis=1)
    return np.asarray(np.rint(outline * 2**SHIFT), np.int32)
