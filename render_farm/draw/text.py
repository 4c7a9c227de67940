"""Text on 8-bit coverage canvases: draw, measure, with or without a halo.

A canvas is (rows, columns) uint8, 0 = bare, 255 = full ink. Pixel i covers i..i+1, so the middle
of a canvas of 10 columns is x = 5. Drawing takes the maximum of what is there and what comes, and
is cut at the canvas's borders.
"""

from math import ceil
from typing import Literal

import numpy as np

from render_farm.draw.glyphs import (
    Coverage,
    Weight,
    Word,
    cap_height,
    half_pixels,
    halo,
    space,
    word,
)

Anchor = Literal["lt", "lm", "ls", "mt", "mm", "ms", "rt", "rm", "rs"]
Placed = tuple[float, str, Word]  # pen position in px, the word, its picture
_SHARE = {"l": 0.0, "m": 0.5, "r": 1.0}


def _words(text: str, size_px: float, weight: Weight) -> tuple[list[Placed], float]:
    """Each word with its pen position, and the whole advance, in px."""
    halves = half_pixels(size_px)
    if " " not in text:
        only = word(text, weight, halves)
        return [(0.0, text, only)], only.advance
    pen, gap, out = 0.0, space(weight, halves), []
    for index, part in enumerate(text.split(" ")):
        pen += gap if index else 0.0
        if part:
            rendered = word(part, weight, halves)
            out.append((pen, part, rendered))
            pen += rendered.advance
    return out, pen


def text_width(text: str, size_px: float, weight: Weight = "regular") -> float:
    """Advance of *text* in px (fractional): what the next text would have to move right."""
    return _words(text, size_px, weight)[1]


def text_size(text: str, size_px: float, weight: Weight = "regular") -> tuple[int, int]:
    """Columns and rows of the box that `draw_text` anchors: advance and height of capitals.

    Descenders and accents reach out of it, by at most 0.24 em below and 0.25 em above.
    """
    return ceil(text_width(text, size_px, weight)), cap_height(size_px)


def text_overhang(text: str, size_px: float, weight: Weight = "regular") -> int:
    """Rows that the ink of *text* reaches above the capitals or below the baseline, the larger."""
    placed, _ = _words(text, size_px, weight)
    inked = [rendered for _, _, rendered in placed if rendered.ink.size]
    below = [rendered.top + rendered.ink.shape[0] for rendered in inked]
    above = [-rendered.top - cap_height(size_px) for rendered in inked]
    return max(0, *below, *above) if inked else 0


def blend(canvas: Coverage, patch: Coverage, left: int, top: int) -> None:
    """Lay *patch* on *canvas* at (left, top) by maximum; what lies outside is cut off."""
    height, width = patch.shape
    rows, columns = canvas.shape
    x0, y0 = max(0, left), max(0, top)
    x1, y1 = min(columns, left + width), min(rows, top + height)
    if x0 >= x1 or y0 >= y1:
        return
    part = canvas[y0:y1, x0:x1]
    np.maximum(part, patch[y0 - top : y1 - top, x0 - left : x1 - left], out=part)


def draw_text(
    ink: Coverage,
    x: float,
    y: float,
    text: str,
    size_px: float,
    *,
    weight: Weight = "regular",
    anchor: Anchor = "lm",
    strength: float = 1.0,
    halo_canvas: Coverage | None = None,
    halo_px: float = 1.5,
) -> None:
    """Write one line of text.

    ink          (rows, columns) uint8, changed in place
    x, y         where the anchor comes to lie, px
    size_px      em of the font; kept in steps of half a pixel
    anchor       l, m, r: left, middle, right of the advance; then t, m, s: top of the capitals,
                 their middle, the baseline
    strength     0..1, multiplies the coverage: grey text
    halo_canvas  same shape as *ink*; gets the text grown by *halo_px* (never faded)
    """
    placed, advance = _words(text, size_px, weight)
    capitals = cap_height(size_px)
    baseline = round(y + {"t": float(capitals), "m": capitals / 2, "s": 0.0}[anchor[1]])
    start = x - _SHARE[anchor[0]] * advance
    for pen, string, rendered in placed:
        if rendered.ink.size == 0:
            continue
        left, top = round(start + pen + rendered.left), baseline + rendered.top
        if strength < 1:
            blend(ink, (rendered.ink * strength).astype(np.uint8), left, top)
        else:
            blend(ink, rendered.ink, left, top)
        if halo_canvas is not None:
            pad = ceil(halo_px)
            grown = halo(string, weight, half_pixels(size_px), halo_px)
            blend(halo_canvas, grown, left - pad, top - pad)
