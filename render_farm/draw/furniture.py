"""Everything outside the map: title lines, legend, facts, credit, hairlines.

What does not change from hour to hour is drawn once per (layout, legend) and copied; the texts of
the hour are drawn anew. Colours are not known here: all is ink coverage, and the legend's bins are
rectangles for the caller to fill.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from math import ceil

import cv2
import numpy as np

from render_farm.draw.captions import Captions
from render_farm.draw.colours import RGB
from render_farm.draw.fitting import Line, fitted
from render_farm.draw.glyphs import Coverage, cap_height
from render_farm.draw.keyline import draw_key, keyed_line
from render_farm.draw.layout import Layout, Rect
from render_farm.draw.legend import LegendBar, Swatch, legend
from render_farm.draw.text import draw_text, text_width

TITLE_PX, SUBTITLE_PX, FACTS_PX = 25.0, 19.0, 16.0  # em at scale 1
TITLE_MIDDLE, SUBTITLE_MIDDLE, FACTS_MIDDLE = 26, 59, 93  # px from header's or footer's top
MARGIN_PX = 16
HAIRLINE = 140


@dataclass(frozen=True, slots=True)
class Furniture:
    """The frame without its map.

    ink       uint8 (height, width), 0 over the whole map rectangle
    swatches  the legend's bins in pixels of the frame
    tints     colour -> uint8 (rows of the header, width): samples of the map's lines
    """

    ink: Coverage
    swatches: tuple[Swatch, ...]
    tints: Mapping[RGB, Coverage] = field(default_factory=dict)


def furniture(layout: Layout, captions: Captions, legends: Sequence[LegendBar]) -> Furniture:
    """Draw titles and legend of one frame. The swatches are the same object for the same input."""
    header, footer, swatches = _static(layout, tuple(legends))
    ink = np.zeros((layout.height, layout.width), np.uint8)
    ink[layout.header.top : layout.header.bottom] = header
    ink[layout.footer.top : layout.footer.bottom] = footer
    tints: dict[RGB, Coverage] = {}
    _titles(ink[: layout.header.bottom], tints, layout, captions)
    _facts(ink, layout, captions)
    return Furniture(ink, swatches, tints)


@lru_cache(maxsize=64)
def _static(
    layout: Layout, legends: tuple[LegendBar, ...]
) -> tuple[Coverage, Coverage, tuple[Swatch, ...]]:
    header = np.zeros((layout.header.height, layout.width), np.uint8)
    drawn = legend(legends, (layout.width, layout.footer.height), layout.scale)
    thickness = max(1, round(layout.scale))
    header[-thickness:] = HAIRLINE
    drawn.ink[:thickness] = HAIRLINE
    down = layout.footer.top
    swatches = tuple(
        Swatch(
            Rect(s.rect.left, s.rect.top + down, s.rect.right, s.rect.bottom + down),
            s.bar_index,
            s.bin_index,
        )
        for s in drawn.swatches
    )
    return header, drawn.ink, swatches


def _titles(ink: Coverage, tints: dict[RGB, Coverage], layout: Layout, captions: Captions) -> None:
    scale, margin = layout.scale, _margin(layout)
    right = layout.width - margin
    title = fitted(
        captions.title,
        captions.valid,
        captions.valid_widest,
        room_px=right - margin,
        size_px=TITLE_PX * scale,
        left_weight="bold",
        right_weight="bold",
    )
    y = layout.header.top + TITLE_MIDDLE * scale
    draw_text(ink, margin, y, title.left, title.size_px, weight="bold")
    draw_text(ink, right, y, title.right, title.size_px, weight="bold", anchor="rm")

    y = layout.header.top + SUBTITLE_MIDDLE * scale
    size = max(8.5, SUBTITLE_PX * scale)
    room = right - margin - _badge_width(captions.notice, size)
    keyed = keyed_line(captions, room, size) if captions.key else None
    line = keyed.line if keyed is not None else _second_line(captions, room, size)
    draw_text(ink, margin, y, line.left, line.size_px, strength=0.85)
    draw_text(ink, right, y, line.right, line.size_px, anchor="rm")
    end = margin + text_width(line.left, line.size_px)
    if captions.notice:
        end += 0.7 * size if line.left else 0
        end = _badge(ink, ceil(end), y, captions.notice, size)
    if keyed is not None:
        draw_key(ink, tints, captions.key, keyed.form, (end, y), line.size_px)


def _second_line(captions: Captions, room_px: float, size_px: float) -> Line:
    return fitted(
        captions.subtitle,
        captions.lead,
        captions.lead_widest,
        room_px=room_px,
        size_px=size_px,
    )


def _facts(ink: Coverage, layout: Layout, captions: Captions) -> None:
    margin, size = _margin(layout), max(8.5, FACTS_PX * layout.scale)
    line = fitted(
        captions.facts,
        captions.credit,
        captions.credit,
        room_px=layout.width - 2 * margin,
        size_px=size,
    )
    y = layout.footer.top + FACTS_MIDDLE * layout.scale
    draw_text(ink, margin, y, line.left, line.size_px)
    draw_text(ink, layout.width - margin, y, line.right, line.size_px, anchor="rm", strength=0.75)


def _margin(layout: Layout) -> int:
    return max(6, round(MARGIN_PX * layout.scale))


def _badge_width(notice: str, size_px: float) -> int:
    """Columns that the notice needs beside the subtitle, its distance included."""
    return ceil(text_width(notice, size_px * 0.85, "bold") + 1.7 * size_px) if notice else 0


def _badge(ink: Coverage, left: int, middle: float, notice: str, size_px: float) -> float:
    """The notice in bare letters on a full plate: nobody reads past it. Returns where it ends."""
    size = size_px * 0.85
    width = ceil(text_width(notice, size, "bold") + size_px)
    height = cap_height(size) + 2 * round(0.42 * size_px)
    top = round(middle - height / 2)
    plate, radius = np.zeros((height, width), np.uint8), round(0.25 * size_px)
    low, high = (radius, radius), (width - 1 - radius, height - 1 - radius)
    cv2.rectangle(plate, low, high, 255, 2 * radius, cv2.LINE_AA)
    cv2.rectangle(plate, low, high, 255, -1)
    letters = np.zeros_like(plate)
    draw_text(letters, width / 2, height / 2, notice, size, weight="bold", anchor="mm")
    part = ink[max(0, top) : top + height, left : left + width]
    part[:] = (plate - np.minimum(plate, letters))[: part.shape[0], : part.shape[1]]
    return left + width
