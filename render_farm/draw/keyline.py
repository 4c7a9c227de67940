"""Sets the map's key on one line beside the region and the run, and draws it.

Like `fitting`, decisions depend on what is the same in every hour of a run, never on the hour.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

import cv2
import numpy as np

from render_farm.draw.captions import Captions
from render_farm.draw.colours import RGB, rgb
from render_farm.draw.fitting import SHRINK, SMALLEST_PX, Line
from render_farm.draw.glyphs import Coverage, cap_height
from render_farm.draw.hatching import strokes
from render_farm.draw.mapkey import FORMS, KeyItem
from render_farm.draw.text import draw_text, text_width

# In em: a sample, its distance from the words, between entries, and before the first
SAMPLE, WORDS, BETWEEN, BEFORE = 1.9, 0.4, 1.1, 1.6
LINE, DASH, GAP = 0.14, 0.48, 0.23
BOX = 0.9


@dataclass(frozen=True, slots=True)
class KeyedLine:
    """The header's second line: texts of both ends, and the form of the key between them."""

    line: Line
    form: int


def keyed_line(captions: Captions, room_px: float, size_px: float) -> KeyedLine | None:
    """The longest forms of region, run and key that stand on one line; None where none does."""
    forms = [(0, 0), *((min(1, len(captions.subtitle) - 1), form) for form in range(FORMS))]
    for at, widest in enumerate(captions.lead_widest):
        for subtitle, form in forms:
            for factor in SHRINK:
                size = max(SMALLEST_PX, size_px * factor)
                left = text_width(captions.subtitle[subtitle], size)
                left += key_width(captions.key, form, size) + text_width(widest, size) + size
                if left <= room_px:
                    line = Line(captions.subtitle[subtitle], captions.lead[at], size)
                    return KeyedLine(line, form)
    return None


def key_width(items: Sequence[KeyItem], form: int, size_px: float) -> float:
    """Columns that the key needs, its distance from what is before it included."""
    if not items:
        return 0.0
    samples = sum(item.sample != "none" for item in items) * (SAMPLE + WORDS)
    words = sum(text_width(item.texts[form], size_px) for item in items)
    return words + (BEFORE + samples + BETWEEN * (len(items) - 1)) * size_px


def draw_key(
    ink: Coverage,
    tints: dict[RGB, Coverage],
    items: Sequence[KeyItem],
    form: int,
    at: tuple[float, float],
    size_px: float,
) -> None:
    """Draw the key, its middle line at *at* (px), behind what ends there.

    ink    (h, w) uint8, changed in place: the words
    tints  colour -> canvas of the same shape: the samples; canvases are added as needed
    """
    x, y = at[0] + BEFORE * size_px, at[1]
    for item in items:
        if item.sample != "none":
            _draw_sample(tints, ink.shape, item, (x, y), size_px)
            x += (SAMPLE + WORDS) * size_px
        draw_text(ink, x, y, item.texts[form], size_px, strength=0.85)
        x += text_width(item.texts[form], size_px) + BETWEEN * size_px


def _draw_sample(
    tints: dict[RGB, Coverage],
    shape: tuple[int, ...],
    item: KeyItem,
    at: tuple[float, float],
    size_px: float,
) -> None:
    left, width = round(at[0]), ceil(SAMPLE * size_px)
    if item.sample == "hatching":
        half = ceil(BOX * cap_height(size_px) / 2) + 1
        patch = strokes(2 * half, width, max(4.0, 0.34 * size_px), 0.07 * size_px)
    else:
        half = max(1, round(LINE * size_px / 2))
        patch = np.full((2 * half, width), 255, np.uint8)
        if item.sample == "dashes":
            period = round((DASH + GAP) * size_px)
            patch[:, np.arange(width) % period >= round(DASH * size_px)] = 0
    top, share = round(at[1]) - half, width / len(item.colours)
    for k, colour in enumerate(item.colours):
        canvas = tints.setdefault(rgb(colour), np.zeros(shape, np.uint8))
        first, last = round(k * share), round((k + 1) * share)
        part = canvas[top : top + 2 * half, left + first : left + last]
        np.maximum(part, patch[:, first:last], out=part)
    if item.sample == "hatching":
        frame = tints[rgb(item.colours[0])]
        cv2.rectangle(frame, (left, top), (left + width - 1, top + 2 * half - 1), 160)
