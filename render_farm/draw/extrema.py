"""Centres of high and low pressure (or of any field): where they are and what to write there."""

import math
from dataclasses import dataclass
from typing import TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from render_farm.domain.layers import LineLayer
from render_farm.draw.contours import LatticeField
from render_farm.draw.linelabels import Occupied
from render_farm.draw.text import draw_text

RADIUS_PX = 130  # a centre is the extreme value within this distance, at the reference size
PROMINENCE = 0.025  # of the line spacing: above the mean around it; a broad low stands out little
EDGE_PX = 46  # closer to the frame it may be a slope cut off, and its letter would be
LETTER_PX, VALUE_PX = 34.0, 17.0
HIGH_COLOUR, LOW_COLOUR = "#1430d2", "#d21420"
HALO_PX = 2.2

Coverage = NDArray[np.uint8]
T = TypeVar("T", np.float32, np.bool_)


@dataclass(frozen=True, slots=True)
class Centre:
    """One extremum: "H" or "L", its place in px of the map and its value in the layer's unit."""

    kind: str
    x: float
    y: float
    value: float

    @property
    def colour(self) -> str:
        """Blue for highs, red for lows."""
        return HIGH_COLOUR if self.kind == "H" else LOW_COLOUR


def centres(
    field: LatticeField, layer: LineLayer, rect: tuple[int, int], scale: float
) -> list[Centre]:
    """Local extrema of the smoothed field, their value taken from the unsmoothed one nearby.

    rect  (width, height) of the map. None at its edge nor at the edge of what is known, none twice:
    of two within the radius the more extreme one counts. One that hardly stands out of its
    surroundings is none.
    """
    radius = max(2, round(RADIUS_PX * scale / field.step))
    offsets = np.arange(-radius, radius + 1)
    disc = np.hypot(*np.meshgrid(offsets, offsets)) <= radius
    stands_out = PROMINENCE * (layer.step or 0.0) / abs(layer.factor)
    near = max(1, radius // 3)
    possible = _possible(field, rect, EDGE_PX * scale, near)
    found: list[Centre] = []
    for kind, sign in (("H", 1.0), ("L", -1.0)):
        values = field.values * np.float32(sign)
        # Where a grid does not fill the map, half of it can be a plateau of what was filled in.
        peak = possible & (values == cv2.dilate(values, np.ones((3, 3), np.uint8)))
        taken: list[tuple[int, int]] = []
        for row, column in np.argwhere(peak).tolist():
            around = _around(values, row, column, radius)[_around_disc(disc, values, row, column)]
            top = values[row, column]
            if around.max() > top or top - around.mean() < max(stands_out, 1e-6 * abs(top)):
                continue
            if any(math.hypot(row - r, column - c) <= radius for r, c in taken):
                continue  # a plateau has several equal tops
            taken.append((row, column))
            extreme = float((_around(field.raw, row, column, near) * sign).max()) * sign
            x, y = (field.origin + field.step * i for i in (column, row))
            found.append(Centre(kind, x, y, extreme * layer.factor + layer.offset))
    return found


def _possible(
    field: LatticeField, rect: tuple[int, int], edge_px: float, near: int
) -> NDArray[np.bool_]:
    """Where a centre can be, bool (rows, columns).

    edge_px  to be kept from the map's edge and from missing ground
    near     to be kept from missing ground, in points of the lattice
    """
    rows, columns = (field.origin + field.step * np.arange(size) for size in field.values.shape)
    inside = (
        (edge_px <= at) & (at <= size - 1 - edge_px)
        for at, size in ((rows, rect[1]), (columns, rect[0]))
    )
    possible = np.logical_and.outer(*inside)
    unknown = _near_unknown(field, edge_px)
    if field.missing is not None and unknown is not None:
        square = np.ones((2 * near + 1, 2 * near + 1), np.uint8)
        possible &= ~unknown & (cv2.dilate(field.missing.view(np.uint8), square) == 0)
    return np.asarray(possible)


def _near_unknown(field: LatticeField, reach_px: float) -> NDArray[np.bool_] | None:
    """Where missing ground is nearer than *reach_px*, bool (rows, columns); None for nowhere."""
    if field.missing is None or not field.missing.any():
        return None
    known = (~field.missing).astype(np.uint8)
    return np.asarray(cv2.distanceTransform(known, cv2.DIST_L2, 3) * field.step < reach_px)


def _around(values: NDArray[T], row: int, column: int, reach: int) -> NDArray[T]:
    return values[
        max(row - reach, 0) : row + reach + 1, max(column - reach, 0) : column + reach + 1
    ]


def _around_disc(
    disc: NDArray[np.bool_], values: NDArray[np.float32], row: int, column: int
) -> NDArray[np.bool_]:
    """The part of a disc mask (2r + 1 square) that lies on the lattice, as `_around` cuts it."""
    reach = disc.shape[0] // 2
    top, left = max(reach - row, 0), max(reach - column, 0)
    bottom = min(2 * reach + 1, values.shape[0] - row + reach)
    right = min(2 * reach + 1, values.shape[1] - column + reach)
    return disc[top:bottom, left:right]


def claim(found: list[Centre], occupied: Occupied, scale: float) -> None:
    """Keep the ground of the marks free of labels."""
    for centre in found:
        occupied.take(centre.x, centre.y + 8 * scale, 34 * scale)


def draw_centre(ink: Coverage, halo: Coverage, centre: Centre, scale: float) -> None:
    """Write the letter and, below it, the value, on coverage canvases, in place."""
    marks = ((centre.kind, LETTER_PX, 0.0), (f"{centre.value:.0f}", VALUE_PX, 26.0))
    for text, size, below in marks:
        draw_text(
            ink,
            centre.x + 0.5,
            centre.y + 0.5 + below * scale,
            text,
            size * scale,
            weight="bold",
            anchor="mm",
            halo_canvas=halo,
            halo_px=HALO_PX * scale,
        )
