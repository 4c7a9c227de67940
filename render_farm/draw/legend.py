"""The discrete legend: the very bins that are filled, ticks on round values, the unit named.

Gives rectangles for the bins, to be filled by whoever knows the colours, and ink for all else.
Coordinates are pixels of the footer, (0, 0) its top left corner.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import ceil

import cv2
import numpy as np

from render_farm.domain.scales import Display
from render_farm.draw.fitting import shortened
from render_farm.draw.glyphs import Coverage
from render_farm.draw.layout import Rect
from render_farm.draw.numbers import shortest_text
from render_farm.draw.text import draw_text, text_width
from render_farm.draw.ticks import chosen_ticks

LARGEST_BOX_PX = 56  # at scale 1: few bins do not stretch over the whole frame
OUTLINE = 150  # coverage of the line around a bar
SQUEEZED = 0.6  # part of its even width that a box keeps when another bar widens for its name


@dataclass(frozen=True, slots=True)
class LegendBar:
    """One scale of a map: its name ("rain"; "" for the only one), unit and bins."""

    label: str
    unit: str
    display: Display


@dataclass(frozen=True, slots=True)
class Swatch:
    """A rectangle to fill with bin `bin_index` of bar `bar_index`.

    A bin between two levels has one; an open end is pointed and has one for each row.
    """

    rect: Rect
    bar_index: int
    bin_index: int


@dataclass(frozen=True, slots=True)
class Legend:
    """Where the bins are, and everything that is ink: outlines, ticks, names, units."""

    ink: Coverage
    swatches: tuple[Swatch, ...]


@dataclass(frozen=True, slots=True)
class _Metrics:
    """Sizes in px that follow from the frame's scale and the number of bars."""

    top: int
    height: int
    point: int
    tick: int
    text: float
    name: float
    gap: int
    margin: int


def _metrics(scale: float, width: int, *, named: bool) -> _Metrics:
    height = max(6, round((18 if named else 26) * scale))
    return _Metrics(
        top=round((29 if named else 14) * scale),
        height=height,
        point=max(4, round(0.7 * height)),
        tick=max(2, round(5 * scale)),
        text=max(8.5, 16 * scale),
        name=max(8.5, 15.5 * scale),
        gap=min(max(14, round(34 * scale)), width // 30),  # five bars on 200 px still fit
        margin=max(8, round(20 * scale)),
    )


def _ends(display: Display) -> tuple[bool, bool]:
    """Whether the legend shows what lies below the first and from the last level on."""
    return display.under != "", display.over != "" and not display.closed


def legend(bars: Sequence[LegendBar], size: tuple[int, int], scale: float) -> Legend:
    """Lay out and draw the legend of *bars*, side by side, on a footer of (width, height) px.

    A single bar without a label is drawn larger. A bar takes room by its number of bins, and where
    that is too little for its name, as much as the name needs.
    """
    ink = np.zeros((size[1], size[0]), np.uint8)
    if not bars:
        return Legend(ink, ())
    metrics = _metrics(scale, size[0], named=any(bar.label for bar in bars))
    units = {bar.unit for bar in bars}
    unit = units.pop() if len(units) == 1 else ""
    unit_px = ceil(text_width(unit, metrics.text)) + metrics.gap // 3 if unit else 0
    names = [
        bar.label if unit or not bar.unit else f"{bar.label} ({bar.unit})".lstrip() for bar in bars
    ]
    room = size[0] - 2 * metrics.margin - unit_px - metrics.gap * (len(bars) - 1)
    widths = _widths(bars, names, room, LARGEST_BOX_PX * scale, metrics)
    whole = sum(widths) + metrics.gap * (len(bars) - 1) + unit_px
    left = max(metrics.margin, (size[0] - whole) // 2)
    swatches: list[Swatch] = []
    for index, (bar, width) in enumerate(zip(bars, widths, strict=True)):
        reach = metrics.gap / 2 - 2  # labels may use half the gap, the outermost all there is
        bounds = (
            left - reach if index else 2.0,
            left + width + reach if index < len(bars) - 1 else size[0] - 2.0,
        )
        swatches += _bar(ink, bar, index, (left, left + width), bounds, metrics)
        if names[index]:
            text = shortened(names[index], width + metrics.gap // 2, metrics.name)
            draw_text(
                ink, left, metrics.top - 4.5 * scale, text, metrics.name, anchor="ls", strength=0.85
            )
        left += width + metrics.gap
    if unit:
        middle = metrics.top + metrics.height / 2
        draw_text(ink, left - metrics.gap + metrics.gap // 3, middle, unit, metrics.text)
    return Legend(ink, tuple(swatches))


def _widths(
    bars: Sequence[LegendBar],
    names: Sequence[str],
    room: int,
    largest_box_px: float,
    metrics: _Metrics,
) -> list[int]:
    """Width of each bar, ends included; together *room* px at most.

    All boxes have one width, but a bar is at least as wide as its name, half the gap beside it
    included, unless that squeezes the others.
    """
    boxes = [len(bar.display.levels) - 1 for bar in bars]
    points = [metrics.point * sum(_ends(bar.display)) for bar in bars]
    needs = [
        ceil(text_width(name, metrics.name)) - metrics.gap // 2 if name else 0 for name in names
    ]
    even, even_px = _shared(boxes, points, [0] * len(bars), room, largest_box_px)
    named, named_px = _shared(boxes, points, needs, room, largest_box_px)
    return named if named_px >= SQUEEZED * even_px else even


def _shared(
    boxes: Sequence[int], points: Sequence[int], needs: Sequence[int], room: int, largest_px: float
) -> tuple[list[int], float]:
    """Widths of bars that share *room* by their boxes, none below its need; and a box's width."""
    fixed: set[int] = set()
    while True:
        free = set(range(len(boxes))) - fixed
        left = room - sum(needs[k] for k in fixed) - sum(points[k] for k in free)
        box_px = min(left / max(1, sum(boxes[k] for k in free)), largest_px)
        if box_px >= 3:
            box_px = float(int(box_px))
        widths = [round(box_px * n) + point for n, point in zip(boxes, points, strict=True)]
        short = {k for k in free if widths[k] < needs[k]}
        if not short:
            return [needs[k] if k in fixed else widths[k] for k in range(len(boxes))], box_px
        fixed |= short


def _bar(
    ink: Coverage,
    bar: LegendBar,
    index: int,
    span: tuple[int, int],
    bounds: tuple[float, float],
    metrics: _Metrics,
) -> list[Swatch]:
    under, over = _ends(bar.display)
    levels = bar.display.levels
    first = span[0] + (metrics.point if under else 0)
    last = span[1] - (metrics.point if over else 0)
    edges = [round(edge) for edge in np.linspace(first, last, len(levels))]
    top, bottom = metrics.top, metrics.top + metrics.height
    swatches = _point(first, -1, index, 0, metrics) if under else []
    for k, (a, b) in enumerate(pairwise(edges), start=1):
        swatches.append(Swatch(Rect(a, top, b, bottom), index, k))
    swatches += _point(last, 1, index, len(levels), metrics) if over else []

    middle = (top + bottom - 1) / 2
    outline: list[tuple[int, float]] = [(first, top), (last - 1, top)]
    outline += [(last - 1 + metrics.point, middle)] if over else []
    outline += [(last - 1, bottom - 1), (first, bottom - 1)]
    outline += [(first - metrics.point, middle)] if under else []
    points = (np.array(outline) * 16).round().astype(np.int32).reshape(-1, 1, 2)
    cv2.polylines(ink, [points], isClosed=True, color=OUTLINE, lineType=cv2.LINE_AA, shift=4)

    for tick, x in chosen_ticks(bar.display, edges, bounds, metrics.text):
        column = min(round(x), last - 1)
        ink[bottom : bottom + metrics.tick, column] = 200
        label_top = bottom + 1.7 * metrics.tick
        draw_text(ink, column + 0.5, label_top, shortest_text(tick), metrics.text, anchor="mt")
    return swatches


def _point(edge: int, side: int, bar_index: int, bin_index: int, metrics: _Metrics) -> list[Swatch]:
    """The pointed end beside column *edge*, one rectangle a row; side -1 left, 1 right."""
    swatches = []
    for row in range(metrics.height):
        share = 1 - abs(2 * (row + 0.5) / metrics.height - 1)
        reach = max(1, round(metrics.point * share))
        a, b = (edge - reach, edge) if side < 0 else (edge, edge + reach)
        rect = Rect(a, metrics.top + row, b, metrics.top + row + 1)
        swatches.append(Swatch(rect, bar_index, bin_index))
    return swatches
