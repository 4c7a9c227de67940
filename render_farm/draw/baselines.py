"""The base map of a viewport: land and water, coast, borders, counties, as coverage.

Drawn once per (viewport, counties, base data) at three times the size, reduced and kept on disk;
a frame then only looks a few thousand pixels up. Colours are not in it: they are the palette's.
"""

import hashlib
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from render_farm.basedata import loader
from render_farm.domain.places import Box
from render_farm.draw import mapfile
from render_farm.draw.outlines import Points, closed, projected
from render_farm.draw.viewbox import shown_box
from render_farm.draw.viewport import Viewport

VERSION = 7
SUPERSAMPLE = 3
SHIFT = 4  # fractional bits of cv2's coordinates
# cv2 counts in 32 bits; what lies that far outside does not change what is inside.
FARTHEST_PX = 2.0**24
LAND, WATER = 0, 1
OPEN_LAYERS = 12

# (layer, width in px at the reference size, opacity)
COUNTIES = ("counties", 0.9, 0.34)
LINES = (
    ("lakes", 1.0, 0.62),
    ("states", 1.8, 0.86),
    ("coast", 1.6, 0.88),
    ("countries", 2.2, 0.94),
)

SMALLEST_PX = {"lakes": 16.0, "coast": 4.0}  # extent below which a shore is left out


@dataclass(frozen=True, slots=True, eq=False)
class BaseLayer:
    """What lies below and above the fill.

    ground     uint8 (h, w): LAND or WATER
    positions  int32 (n,): flat indices of the pixels that lines touch, rising
    shifted    uint16 (n,): opacity of the lines there, 1..255, times 256: ready for a table
    """

    ground: NDArray[np.uint8]
    positions: NDArray[np.int32]
    shifted: NDArray[np.uint16]


class BaseLayers:
    """Base layers of one cache directory; the last few used stay open."""

    def __init__(self, directory: str | Path) -> None:
        self._directory = Path(directory)
        self._open: OrderedDict[str, BaseLayer] = OrderedDict()

    def get(self, viewport: Viewport, *, counties: bool) -> BaseLayer:
        """The base layer of *viewport*: from memory, else disk, else drawn."""
        key = mapfile.file_key(
            "base", VERSION, cv2.__version__, _data_digest(), viewport.key, viewport.scale, counties
        )
        found = self._open.get(key)
        if found is None:
            found = self._load_or_draw(key, viewport, counties=counties)
            self._open[key] = found
            if len(self._open) > OPEN_LAYERS:
                self._open.popitem(last=False)
        self._open.move_to_end(key)
        for other in self._open.values():
            if other is not found:
                mapfile.rest(other.ground)  # and what lies in the file with it
        return found

    def _load_or_draw(self, key: str, viewport: Viewport, *, counties: bool) -> BaseLayer:
        path = self._directory / f"{key}.base"
        stored = mapfile.load(path)
        if stored is None:
            layer = draw_base(viewport, counties=counties)
            loader.forget()
            arrays: dict[str, NDArray[Any]] = {
                "ground": layer.ground,
                "positions": layer.positions,
                "shifted": layer.shifted,
            }
            try:
                mapfile.save(path, {}, arrays)
            except OSError:  # a full disk costs time, not the frame
                return layer
            mapfile.drop_unused(self._directory, "*.base")
            stored = mapfile.load(path)
            if stored is None:
                return layer
        return BaseLayer(**stored[1])


@cache
def _data_digest() -> str:
    digest = hashlib.sha256()
    for path in sorted(loader.DATA.iterdir()):
        if path.is_file():
            digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()


def draw_base(viewport: Viewport, *, counties: bool) -> BaseLayer:
    """Draw coverage and ground of *viewport* from the embedded outlines."""
    box = shown_box(viewport, 0.3)
    height, width = viewport.rect.height, viewport.rect.width
    total = np.zeros((height, width), np.uint8)
    for name, line_width, opacity in (*((COUNTIES,) if counties else ()), *LINES):
        lines = _visible(viewport, loader.outlines(name, box), SMALLEST_PX.get(name, 0.0))
        drawn = cv2.convertScaleAbs(_coverage(viewport, lines, line_width), alpha=opacity)
        np.maximum(total, drawn, out=total)
    flat = total.ravel()
    positions = np.flatnonzero(flat).astype(np.int32)
    shifted = flat[positions].astype(np.uint16) << np.uint16(8)
    return BaseLayer(_ground(viewport, box), positions, shifted)


def _coverage(viewport: Viewport, pieces: Iterable[Points], width_px: float) -> NDArray[np.uint8]:
    height, width = viewport.rect.height, viewport.rect.width
    canvas = np.zeros((height * SUPERSAMPLE, width * SUPERSAMPLE), np.uint8)
    wide = width_px * viewport.scale * float(np.clip(viewport.km_per_px() ** -0.25, 0.62, 1.0))
    thickness = max(1, round(wide * SUPERSAMPLE))
    fixed = [_fixed(piece) for piece in pieces]
    cv2.polylines(canvas, fixed, isClosed=False, color=255, thickness=thickness, shift=SHIFT)
    small = cv2.resize(canvas, (width, height), interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.uint8)


def _visible(viewport: Viewport, lines: Iterable[NDArray[Any]], smallest_px: float) -> list[Points]:
    """The lines in pixels, without those that would only be a blot at this scale."""
    pieces = (piece for line in lines for piece in projected(viewport, line))
    return [piece for piece in pieces if np.ptp(piece, axis=0).max() >= smallest_px]


def _ground(viewport: Viewport, box: Box) -> NDArray[np.uint8]:
    ground = np.full((viewport.rect.height, viewport.rect.width), WATER, np.uint8)
    for area, inside, hole in (("land", LAND, WATER), ("lakes", WATER, LAND)):
        for polygon in loader.polygons(area, box):  # type: ignore[arg-type]
            for ring, value in ((polygon.outer, inside), *((h, hole) for h in polygon.holes)):
                for outline in closed(viewport, ring):
                    corners = np.clip(outline, -FARTHEST_PX, FARTHEST_PX) * 2**SHIFT
                    fixed = np.rint(corners).astype(np.int32)
                    cv2.fillPoly(ground, [fixed], value, cv2.LINE_8, SHIFT)
    return ground


def _fixed(pixels: Points) -> NDArray[np.int32]:
    """Pixel coordinates as cv2's fixed point on the supersampled canvas."""
    fine = (np.clip(pixels, -FARTHEST_PX, FARTHEST_PX) + 0.5) * SUPERSAMPLE - 0.5
    return np.asarray(np.rint(fine * 2**SHIFT), np.int32)
