"""Words as 8-bit coverage, each rendered once by FreeType through matplotlib and then kept.

The unit is the word, not the letter: FreeType then places the letters inside a word to a fraction
of a pixel, with the font's own kerning, and a frame's labels are a few dozen blends. Uses
`matplotlib.ft2font` alone: `matplotlib.font_manager` would scan the machine's fonts and write a
cache file at import. Called by `text`; knows nothing of canvases.
"""

import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from math import ceil
from pathlib import Path
from typing import Any, Literal

import matplotlib as mpl
import numpy as np
from matplotlib.ft2font import FT2Font, LoadFlags
from numpy.typing import NDArray

Coverage = NDArray[np.uint8]
Weight = Literal["regular", "bold"]

FONTS: dict[str, str] = {"regular": "DejaVuSans.ttf", "bold": "DejaVuSans-Bold.ttf"}
CAP_HEIGHT_EM = 0.729  # of DejaVu Sans, both weights; digits are as tall
REPLACEMENT = "\ufffd"  # drawn for what the font does not have
HINTING = LoadFlags.TARGET_LIGHT  # stems sharp from top to bottom, widths left alone
WORDS_KEPT = 4096  # some kB each; a site's labels repeat, its minima and maxima do not


@dataclass(frozen=True, slots=True)
class Word:
    """One rendered word without its surrounding blanks.

    ink      (h, w) uint8 coverage 0..255, read-only; (0, 0) if nothing is to be seen
    left     px from the pen to the first column, fraction included (negative for "J")
    top      px from the baseline to the first row, negative upwards
    advance  px that the pen moves
    """

    ink: Coverage
    left: float
    top: int
    advance: float


@lru_cache(maxsize=64)
def _font(weight: Weight, half_pixels: int) -> Any:  # noqa: ANN401 - matplotlib is untyped
    path = Path(mpl.get_data_path(), "fonts", "ttf", FONTS[weight])
    font = FT2Font(str(path))
    font.set_size(half_pixels / 2, 72)  # at 72 dpi a point is a pixel
    return font


@lru_cache(maxsize=2)
def _characters(weight: Weight) -> frozenset[int]:
    return frozenset(_font(weight, 24).get_charmap())


def half_pixels(size_px: float) -> int:
    """*size_px* in the steps in which fonts are kept: halves of a pixel, at least 4 px."""
    return max(8, round(2 * size_px))


def cap_height(size_px: float) -> int:
    """Height in px of capitals and digits at an em of *size_px*, as hinted (whole rows)."""
    return max(1, round(CAP_HEIGHT_EM * half_pixels(size_px) / 2))


def _drawable(text: str, weight: Weight) -> str:
    known = _characters(weight)
    composed = unicodedata.normalize("NFC", text)
    return "".join(c if ord(c) in known else REPLACEMENT for c in composed)


@lru_cache(maxsize=64)
def space(weight: Weight, halves: int) -> float:
    """Advance in px of the blank between words."""
    positions = _font(weight, halves).set_text("  ", 0.0, flags=HINTING)
    return float(positions[1][0]) / 64


@lru_cache(maxsize=WORDS_KEPT)
def word(text: str, weight: Weight, halves: int) -> Word:
    """Render *text*, which holds no blanks, at an em of *halves* half pixels."""
    font = _font(weight, halves)
    # A blank on both sides: the first pins the bitmap's left edge to the pen's start (FT2Font
    # otherwise truncates each letter's column separately), the second tells the advance.
    positions = font.set_text(
        f" {_drawable(text, weight)} ", 0.0, flags=HINTING, features=("-liga",)
    )
    font.draw_glyphs_to_bitmap(antialiased=True)
    image = np.asarray(font.get_image())
    baseline = (font.get_width_height()[1] - font.get_descent()) // 64 + 1
    start, end = float(positions[1][0]) / 64, float(positions[-1][0]) / 64
    rows, columns = np.flatnonzero(image.any(axis=1)), np.flatnonzero(image.any(axis=0))
    if rows.size == 0:
        return Word(np.zeros((0, 0), np.uint8), 0.0, 0, end - start)
    ink = np.ascontiguousarray(image[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1])
    ink.flags.writeable = False
    return Word(ink, float(columns[0]) - start, int(rows[0]) - baseline, end - start)


def grown(ink: Coverage, radius_px: float) -> Coverage:
    """*ink* thickened on all sides by *radius_px*, anti-aliased.

    ink      (h, w) uint8 coverage
    returns  (h + 2p, w + 2p) uint8 with p = ceil(radius_px): the same picture, p pixels further in

    A grey dilation with a disc whose rim is soft by half a pixel. Growing commutes with the
    maximum, so the halos of words may be laid one over the other.
    """
    pad = ceil(radius_px)
    height, width = ink.shape
    out = np.zeros((height + 2 * pad, width + 2 * pad), np.uint8)
    for dy in range(-pad, pad + 1):
        for dx in range(-pad, pad + 1):
            weight = min(1.0, radius_px + 1 - (dx * dx + dy * dy) ** 0.5)
            if weight <= 0:
                continue
            part = out[pad + dy : pad + dy + height, pad + dx : pad + dx + width]
            np.maximum(part, ink if weight == 1.0 else (ink * weight).astype(np.uint8), out=part)
    return out


@lru_cache(maxsize=WORDS_KEPT)
def halo(text: str, weight: Weight, halves: int, radius_px: float) -> Coverage:
    """The word's ink grown by *radius_px* (see `grown`), kept like the word itself."""
    out = grown(word(text, weight, halves).ink, radius_px)
    out.flags.writeable = False
    return out
