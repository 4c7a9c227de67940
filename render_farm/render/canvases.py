"""The canvases that a map's overlays are drawn on, and how they lie on each other."""

from collections.abc import Iterable, Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

from render_farm.draw.colours import RGB
from render_farm.draw.compose import Overlay
from render_farm.draw.palette import turned

Coverage = NDArray[np.uint8]
HALO: RGB = (255, 255, 255)
DARK_HALO: RGB = (20, 22, 26)  # on a dark base, where what is written is light
FINE_SHARE = 2  # dashed lines have half a halo on every fill


class Canvases:
    """One canvas (h, w) uint8 for each colour of lines and of what is written, made when asked for.

    on_dark  the base is dark: what is written has the lighter twin of its colour
    """

    def __init__(self, width: int, height: int, *, on_dark: bool) -> None:
        self._shape, self._on_dark = (height, width), on_dark
        self._lines: dict[RGB, Coverage] = {}
        self._fine: set[RGB] = set()  # colours of dashed lines, which a busy fill would swallow
        self._inks: dict[RGB, Coverage] = {}
        self._halo: Coverage | None = None

    def lines(self, colour: RGB, *, dashed: bool = False) -> Coverage:
        """For the lines of a colour."""
        if dashed:
            self._fine.add(colour)
        return self._canvas(self._lines, colour)

    def ink(self, colour: RGB) -> Coverage:
        """For what is written in a colour."""
        return self._canvas(self._inks, turned(colour) if self._on_dark else colour)

    def halo(self) -> Coverage:
        """For what parts the writing from all below it."""
        if self._halo is None:
            self._halo = np.zeros(self._shape, np.uint8)
        return self._halo

    def of_lines(self) -> Iterator[Coverage]:
        """Of every colour that has lines."""
        yield from self._lines.values()

    def overlays(self, areas: Iterable[Overlay]) -> list[Overlay]:
        """From the bottom: *areas*, lines by colour, one halo for all writing, the writing."""
        ground = DARK_HALO if self._on_dark else HALO
        halo = [] if self._halo is None else [Overlay(self._halo, ground, turning=False)]
        inks = [Overlay(canvas, colour) for colour, canvas in self._inks.items()]
        return [*areas, *self._line_overlays(), *halo, *inks]

    def _line_overlays(self) -> list[Overlay]:
        """Lines keep their colour over dark fills, in a light casing; on a dark base they turn.

        A black line that turned light wherever it crosses a dark bin would look broken there.
        """
        canvases = list(reversed(self._lines.items()))
        if self._on_dark or not canvases:
            return [Overlay(canvas, colour) for colour, canvas in canvases]
        lines = [Overlay(canvas, colour, turning=False) for colour, canvas in canvases]
        casing = _grown([canvas for _, canvas in canvases])
        below = [Overlay(casing, HALO, turning=False, dark_only=True)]
        fine = [canvas for colour, canvas in canvases if colour in self._fine]
        if fine:
            below.append(Overlay(_grown(fine) // FINE_SHARE, HALO, turning=False))
        return [*below, *lines]

    def _canvas(self, canvases: dict[RGB, Coverage], colour: RGB) -> Coverage:
        if colour not in canvases:
            canvases[colour] = np.zeros(self._shape, np.uint8)
        return canvases[colour]


def _grown(canvases: list[Coverage]) -> Coverage:
    """All canvases in one, a pixel wider on every side."""
    together = canvases[0]
    for canvas in canvases[1:]:
        together = np.maximum(together, canvas)
    return np.asarray(cv2.dilate(together, np.ones((3, 3), np.uint8)), np.uint8)
