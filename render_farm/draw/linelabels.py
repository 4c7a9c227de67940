"""Writes the values of isolines into them: along the line, upright, never on each other.

A label stands in a gap of its line, turned with it. Places are chosen on straight stretches, away
from the frame, from other labels and from what else is already written.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from render_farm.draw.contours import Isoline
from render_farm.draw.numbers import shortest_text
from render_farm.draw.strokes import Points, distance_along
from render_farm.draw.text import blend, draw_text, text_size

SIZE_PX = 15.0
WEIGHT: Literal["bold"] = "bold"
PAD_PX = 3.0  # of the gap around the text
BETWEEN_PX = 430.0  # along one line
BARE_PX = 520.0  # without a label, where the line is too steep for a good one
CANDIDATE_PX = 24.0  # step in which places are tried
MIN_LINE_PX = 150.0
EASY, STEEPEST = 50.0, 65.0  # degrees of lean: taken first; and up to which a label leans at all
MAX_BEND = 0.24  # how far the line may leave the straight below a label, of the label's length
HALO_PX = 2

Coverage = NDArray[np.uint8]


class Occupied:
    """Circles in which nothing more may be written, in px."""

    def __init__(self) -> None:
        self._circles = np.empty((0, 3))

    def free(self, x: float, y: float, radius: float) -> bool:
        """Whether a circle touches none that is there."""
        a, b, r = self._circles.T
        return bool((np.hypot(x - a, y - b) > radius + r).all())

    def free_points(
        self, x: NDArray[np.float64], y: NDArray[np.float64], radius: float
    ) -> NDArray[np.bool_]:
        """`free` for many centres (n,) at once."""
        a, b, r = self._circles.T[:, :, None]
        return np.asarray((np.hypot(x - a, y - b) > radius + r).all(axis=0))

    def take(self, x: float, y: float, radius: float) -> None:
        """Claim a circle."""
        self._circles = np.concatenate([self._circles, [[x, y, radius]]])

    def take_box(self, left: float, top: float, right: float, bottom: float) -> None:
        """Claim an upright box, by the circles side by side that cover it."""
        width, height = right - left, bottom - top
        count = max(1, math.ceil(width / height))
        part = width / count
        for k in range(count):
            radius = math.hypot(part, height) / 2
            self.take(left + part * (k + 0.5), top + height / 2, radius)


@dataclass(frozen=True, slots=True)
class Label:
    """One placed label: its text, middle (px), and angle in degrees, clockwise from level.

    easy  whether its line is level enough there for a label that leans with it
    """

    text: str
    x: float
    y: float
    angle: float
    easy: bool = True


def place_labels(
    lines: list[Isoline], rect: tuple[int, int], occupied: Occupied, scale: float
) -> list[tuple[Isoline, Label]]:
    """Choose places; *rect* is (width, height) of the map. Claims them in *occupied*.

    Long lines choose first. Deterministic.
    """
    placed = []
    for line in sorted(lines, key=lambda item: -len(item.points)):
        text = shortest_text(line.level)
        width = text_size(text, SIZE_PX * scale, WEIGHT)[0] + 2 * PAD_PX * scale
        places = [
            (at, label)
            for at, label in _candidates(line.points, width, text, scale)
            if _inside(label, rect, width * 0.8)
        ]
        # The stretches between easy places that are long without a label get one as they are.
        taken: list[tuple[float, Label]] = []
        for wanted, apart in ((True, BETWEEN_PX), (False, BARE_PX)):
            for at, label in places:
                far = all(abs(at - other) >= apart * scale for other, _ in taken)
                if label.easy is wanted and far and occupied.free(label.x, label.y, width * 0.62):
                    occupied.take(label.x, label.y, width * 0.62)
                    taken.append((at, label))
        placed += [(line, label) for _, label in taken]
    return placed


def _candidates(
    points: Points, width: float, text: str, scale: float
) -> Iterator[tuple[float, Label]]:
    """Straight stretches of a line as labels, each with its place along the line."""
    along = distance_along(points)
    length = along[-1]
    if length < MIN_LINE_PX * scale:
        return
    # From a third of a spacing in, so that the labels of neighbouring lines do not align.
    middle = np.arange(min(0.3 * length, 140.0 * scale), length, CANDIDATE_PX * scale)
    middle = middle[(middle >= width / 2) & (middle <= length - width / 2)]
    stops = middle + np.array([[-width / 2], [0.0], [width / 2]])
    x, y = (np.interp(stops, along, points[:, i]) for i in (0, 1))
    dx, dy = x[2] - x[0], y[2] - y[0]
    chord = np.hypot(dx, dy)
    bend = np.abs(dx * (y[0] - y[1]) - (x[0] - x[1]) * dy) / np.maximum(chord, 1e-9)
    straight = (chord >= width * 0.9) & (bend <= MAX_BEND * width / 2)
    lean = (np.degrees(np.arctan2(dy, dx)) + 90) % 180 - 90
    places = np.stack([middle, x.mean(axis=0), y.mean(axis=0), lean])[:, straight]
    for at, centre_x, centre_y, angle in places.T.tolist():
        # On its side 996 would be read as 966: on a steep line a label stands level.
        shown = angle if abs(angle) <= STEEPEST else 0.0
        yield at, Label(text, centre_x, centre_y, shown, abs(angle) <= EASY)


def _inside(label: Label, rect: tuple[int, int], border: float) -> bool:
    return border < label.x < rect[0] - border and border < label.y < rect[1] - border


def draw_label(ink: Coverage, halo: Coverage, label: Label, scale: float) -> None:
    """Write a label on a coverage canvas and its surroundings on the halo's, in place."""
    width, height = text_size(label.text, SIZE_PX * scale, WEIGHT)
    half = math.ceil(math.hypot(width, height * 2) / 2) + HALO_PX + 2
    flat = np.zeros((2 * half + 1, 2 * half + 1), np.uint8)
    draw_text(flat, half + 0.5, half + 0.5, label.text, SIZE_PX * scale, anchor="mm", weight=WEIGHT)
    x0, y0 = math.floor(label.x) - half, math.floor(label.y) - half
    turn = cv2.getRotationMatrix2D((half, half), -label.angle, 1.0)
    turn[0, 2] += label.x - math.floor(label.x)
    turn[1, 2] += label.y - math.floor(label.y)
    size = flat.shape
    turned = np.asarray(cv2.warpAffine(flat, turn, size, flags=cv2.INTER_CUBIC), np.uint8)
    ring = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * HALO_PX + 1, 2 * HALO_PX + 1))
    around = np.asarray(cv2.dilate(turned, ring), np.uint8)
    blend(ink, turned, x0, y0)
    blend(halo, around, x0, y0)


def cut_gap(canvas: Coverage, label: Label, scale: float) -> None:
    """Erase what a coverage canvas holds below a label."""
    width, height = text_size(label.text, SIZE_PX * scale, WEIGHT)
    box = ((label.x, label.y), (width + PAD_PX * scale, height + PAD_PX * scale), label.angle)
    cv2.fillConvexPoly(canvas, np.rint(cv2.boxPoints(box)).astype(np.int32), 0)
