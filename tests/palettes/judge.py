"""The checks that a palette must pass, and what they find.

Classes of a legend are told apart by their distance in OKLab. A scale with many bins cannot have
wide steps: its bins share the way from light to dark, so the demand falls with their number.
"""

from collections.abc import Iterator
from itertools import pairwise
from typing import Literal

import numpy as np

from render_farm.domain.scales import Display
from render_farm.draw.colours import RGB, bin_colours
from render_farm.draw.palette import GROUNDS
from tests.palettes.vision import DEFICIENCIES, distances, lightness

Kind = Literal["sequential", "diverging", "broken"]
VISIONS = (None, *DEFICIENCIES)

NEIGHBOURS = 0.02  # between bins side by side ...
SHARE = 0.4  # ... or this part of the way from black to white, divided by the number of bins
FAR = 5  # bins so far apart in the legend ...
FAR_APART = 0.04  # ... are plainly different
GROUND = 0.02  # between any bin and the land or water that shows where the map stays bare
FAMILIES = 0.03  # between any bins of two types of precipitation
FLAT = 0.004  # lightness that may be lost to rounding in a step of the wrong direction


def classes(display: Display) -> list[RGB]:
    """The colours of a legend's classes, in its order, without the bare one."""
    colours = [colour for colour in bin_colours(display) if colour is not None]
    return colours[:-1] if display.closed else colours  # the last bin again


def findings(display: Display, kind: Kind, *, bare: bool) -> list[str]:
    """What is wrong with the palette of *display*; [] when it passes.

    bare  whether the map's ground shows beside the fill
    """
    colours = classes(display)
    return [
        *_lightness(colours, kind),
        *(text for vision in VISIONS for text in alike(colours, vision)),
        *(text for vision in VISIONS if bare for text in _ground(colours, vision)),
    ]


def _lightness(colours: list[RGB], kind: Kind) -> Iterator[str]:
    steps = np.diff(lightness(colours))
    falling, rising = steps < FLAT, steps > -FLAT
    if kind == "sequential" and not (falling.all() or rising.all()):
        yield "lightness neither rises nor falls all the way"
    if kind == "diverging":
        top = int(lightness(colours).argmax())
        if not (rising[:top].all() and falling[top:].all()):
            yield "lightness does not rise to the middle and fall from there"


def alike(colours: list[RGB], vision: str | None) -> Iterator[str]:
    """Classes that *vision* cannot tell apart: side by side, or far apart in the legend."""
    apart = distances(colours, colours, vision)
    least = min(NEIGHBOURS, SHARE / len(colours))
    for a, b in pairwise(range(len(colours))):
        if apart[a, b] < least:
            yield f"{vision or 'usual vision'}: classes {a} and {b} are {apart[a, b]:.4f} apart"
    for a, b in zip(*np.triu_indices(len(colours), FAR), strict=True):
        if apart[a, b] < FAR_APART:
            yield f"{vision or 'usual vision'}: {a} could be taken for {b} ({apart[a, b]:.3f})"


def _ground(colours: list[RGB], vision: str | None) -> Iterator[str]:
    for base, ground in GROUNDS.items():
        apart = distances(colours, [ground.land, ground.water], vision).min(axis=1)
        for number in np.flatnonzero(apart < GROUND):
            yield f"{vision or 'usual vision'}: class {number} drowns in the {base} base map"
