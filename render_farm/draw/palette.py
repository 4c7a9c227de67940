"""Plans the 256 colours of a frame, and the tables that lay overlays on it in index space.

The palette holds every colour of the scales (legends show them all), the ground, paper and inks,
and then as many blends of the colours *in this frame* with the inks as fit, the most useful
first. An overlay is one look-up: (coverage, index below) -> index of the nearest colour there is.
So lines and text are anti-aliased, over any fill, without a single RGB pixel.
"""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from render_farm.draw.colours import RGB, oklab

SIZE = 256
LEVELS = (
    5  # steps of coverage: no more can be told apart at the edge of a line, and files stay small
)
GREYS = 6  # between paper and ink, for furniture and for text on its halo
BLENDS = (0.5, 0.25, 0.75, 0.375, 0.62, 0.875, 0.14)  # of ink over fill, in order of usefulness
NEAR = 48.0  # weighted RGB distance (squared) below which a blend is not worth a place
DARK = 0.44  # OKLab lightness below which lines turn light
LIGHT_ENOUGH = 0.62  # OKLab lightness that what is written on dark ground has at least
STRANGER = 4000.0  # what a colour of the other lineage, dark or not, counts as further away
KEPT = 32  # palettes with their tables; an animation's neighbours often share one

WEIGHTS = np.array([2.0, 4.0, 3.0], np.float32) ** 0.5  # the eye's, roughly

LEVEL_OF = np.rint(np.arange(SIZE) * (LEVELS - 1) / 255).astype(np.intp)  # of a coverage

Table = NDArray[np.uint8]
LIGHT_LINE: RGB = (232, 232, 232)
DARK_LINE: RGB = (16, 18, 22)


@dataclass(frozen=True, slots=True)
class Ground:
    """Colours that do not come from a scale."""

    land: RGB
    water: RGB
    paper: RGB
    ink: RGB


GROUNDS = {
    "light": Ground((245, 243, 238), (221, 231, 240), (255, 255, 255), (17, 19, 23)),
    "dark": Ground((44, 48, 54), (27, 33, 42), (20, 22, 26), (236, 238, 241)),
}


@dataclass(slots=True, eq=False)
class FramePalette:
    """The colours of one frame. Index 0 is land, 1 water, 1 + c the fill of class c.

    colours  (n, 3) uint8, n <= 256
    dark     (n,) bool: a dark ground or fill, or a blend of one with ink
    paper    index of the colour around the map
    """

    colours: NDArray[np.uint8]
    dark: NDArray[np.bool_]
    paper: int
    _rows: dict[tuple[RGB | None, bool, bool], Table] = field(default_factory=dict)

    def over(self, ink: RGB | None, *, turning: bool = True, dark_only: bool = False) -> Table:
        """Index of *ink* laid over index i with coverage a, at a * 256 + i; uint8 (65536,).

        None: the ink of base lines. A dark ink turns light over dark fills unless not *turning*.
        *dark_only*: nothing changes but dark ground and fills.
        """
        key = (ink, turning, dark_only)
        rows = self._rows.get(key)
        if rows is None:
            rows = self._rows[key] = self._made(ink, turning=turning, dark_only=dark_only)
        return rows[LEVEL_OF].ravel()  # 10 us; kept whole, the tables of a day took 12 MB

    def _made(self, ink: RGB | None, *, turning: bool, dark_only: bool) -> Table:
        count = len(self.colours)
        below = self.colours.astype(np.float32)
        above = _inked(self.dark & turning, ink)
        rows = np.empty((LEVELS, SIZE), np.uint8)
        rows[:] = np.arange(SIZE)
        for level in range(1, LEVELS):
            blend = below + np.float32(level / (LEVELS - 1)) * (above - below)
            nearest = _nearest(blend, self.dark, self)
            kept = np.arange(count)
            rows[level, :count] = np.where(self.dark, nearest, kept) if dark_only else nearest
        return rows


class Palettes:
    """Makes palettes and keeps the last ones."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[object, ...], FramePalette] = OrderedDict()

    def plan(
        self,
        fills: tuple[RGB, ...],
        used: Sequence[int],
        inks: tuple[RGB, ...],
        ground: Ground,
    ) -> FramePalette:
        """A palette for a frame.

        fills  colours of the classes 1, 2, ...
        used   indices (0 land, 1 water, 1 + class) that occur in the frame, most frequent first
        inks   colours of its overlays, the most visible first
        Deterministic: the same arguments give the same palette.
        """
        key = (fills, tuple(used), inks, ground)
        found = self._kept.get(key)
        if found is None:
            found = self._kept[key] = _planned(fills, used, inks, ground)
            if len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        self._kept.move_to_end(key)
        return found


def _planned(
    fills: tuple[RGB, ...], used: Sequence[int], inks: tuple[RGB, ...], ground: Ground
) -> FramePalette:
    paper, ink = np.array(ground.paper, np.float32), np.array(ground.ink, np.float32)
    ramp = [paper + (ink - paper) * (k / (GREYS + 1)) for k in range(GREYS + 2)]
    fixed = [ground.land, ground.water, *fills]
    colours = np.rint(np.array([*fixed, *[tuple(c) for c in ramp], *inks], np.float32))[:SIZE]
    dark = np.zeros(len(colours), np.bool_)
    dark[: len(fixed)] = _is_dark(colours[: len(fixed)])
    at = np.array(used, np.intp)
    below, below_dark = colours[at], dark[at]
    inked = [_inked(below_dark, above) for above in (None, *inks)]
    for alpha in BLENDS:
        for above in inked:
            more = np.rint(below + np.float32(alpha) * (above - below))
            new = _unlike(more, below_dark, colours, dark)[: SIZE - len(colours)]
            colours = np.concatenate([colours, more[new]])
            dark = np.concatenate([dark, below_dark[new]])
    return FramePalette(colours.astype(np.uint8), dark, len(fixed))


def _unlike(
    more: NDArray[np.float32],
    more_dark: NDArray[np.bool_],
    colours: NDArray[np.float32],
    dark: NDArray[np.bool_],
) -> NDArray[np.intp]:
    """Which of *more* no colour of the same lineage resembles."""
    if not len(more):
        return np.empty(0, np.intp)
    distance = (((more[:, None, :] - colours[None, :, :]) * WEIGHTS) ** 2).sum(axis=2)
    distance += np.float32(NEAR) * (more_dark[:, None] != dark[None, :])
    return np.flatnonzero(distance.min(axis=1) > NEAR)


def _nearest(
    wanted: NDArray[np.float32], wanted_dark: NDArray[np.bool_], palette: FramePalette
) -> NDArray[np.intp]:
    """Index of the nearest colour; of two as near, the one of the same lineage."""
    have = palette.colours.astype(np.float32) * WEIGHTS
    score = (wanted * WEIGHTS) @ have.T * np.float32(-2) + (have**2).sum(axis=1)
    score += np.float32(STRANGER) * (wanted_dark[:, None] != palette.dark[None, :])
    return np.asarray(score.argmin(axis=1))


def _inked(below_dark: NDArray[np.bool_], ink: RGB | None) -> NDArray[np.float32]:
    """The colour (n, 3) that an ink has over each of n colours: dark inks turn light on dark.

    None: the ink of base lines. Black becomes nearly white, blue and red become paler.
    """
    colour = np.array(DARK_LINE if ink is None else ink, np.float32)
    if not _is_dark(colour[None])[0]:
        return np.broadcast_to(colour, (below_dark.size, 3))
    kept = np.float32(0.45) * (colour.max() - colour.min()) / np.float32(255)
    light = np.array(LIGHT_LINE, np.float32) * (1 - kept) + colour * kept
    return np.where(below_dark[:, None], light, colour)


def turned(ink: RGB) -> RGB:
    """The colour of what is written in *ink* on dark ground: pale where the ink is not light."""
    pale = _inked(np.array([True]), ink)[0]
    if oklab(np.asarray(pale, np.float64))[0] < LIGHT_ENOUGH:  # red: not dark, and not legible
        pale = np.float32(0.6) * pale + np.float32(0.4) * np.array(LIGHT_LINE, np.float32)
    red, green, blue = np.rint(pale).astype(int).tolist()
    return red, green, blue


def _is_dark(colours: NDArray[np.float32]) -> NDArray[np.bool_]:
    return np.asarray(oklab(np.asarray(colours, np.float64))[..., 0] < DARK)
