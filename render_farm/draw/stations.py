"""Values at places: where their labels go, what they say, how they look.

Labels are placed once for the widest text that a product can write, so they stand still through
a loop; `place` keeps its answers. Boxes are pixels of the map rectangle, (0, 0) the upper left one.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import ceil, isfinite

import numpy as np
from numpy.typing import NDArray

from render_farm.domain.layers import StationValues
from render_farm.domain.places import Station
from render_farm.domain.scales import Display
from render_farm.draw.glyphs import Coverage, Weight
from render_farm.draw.layout import Rect
from render_farm.draw.numbers import fixed_text
from render_farm.draw.text import draw_text, text_overhang, text_size

PixelsOf = Callable[
    [NDArray[np.float64], NDArray[np.float64]], tuple[NDArray[np.float64], NDArray[np.float64]]
]
BEYOND = 1.25  # values this much past the outermost level still have room


@dataclass(frozen=True, slots=True)
class LabelStyle:
    """How values are written: em in px, weight, width of the halo, space kept between labels."""

    size_px: float
    weight: Weight = "bold"
    halo_px: float = 1.5
    gap_px: float = 6.0


@dataclass(frozen=True, slots=True)
class Spot:
    """A label's place: the station, and the box in whose middle its text is written.

    The box is centred on the station, to half a pixel.
    """

    station: Station
    box: Rect


def label_style(scale: float) -> LabelStyle:
    """The label style of a frame with this `Layout.scale`."""
    return LabelStyle(
        size_px=max(10.0, 17.0 * scale),
        halo_px=1.5 * max(0.7, scale),
        gap_px=18 - 8 * min(scale, 1.0),
    )


def station_text(value: float, spec: StationValues) -> str:
    """*value* (display unit) as it is written at a station; "" if missing or below the least.

    Below `small_below` (either side of zero) it has `small_decimals`. Never "-0".
    """
    if not isfinite(value) or (spec.hide_below is not None and value < spec.hide_below):
        return ""
    return fixed_text(value, decimals_at(value, spec))


def decimals_at(value: float, spec: StationValues) -> int:
    """With how many decimals *value* (display unit) is written."""
    # Rounded first: 0.0996 is a tenth, to be written like other tenths, not as "0.10".
    small = round(abs(value), spec.small_decimals) < spec.small_below
    return spec.small_decimals if small else spec.decimals


def widest_text(display: Display, spec: StationValues, style: LabelStyle) -> str:
    """The widest text that a product writes: over its levels, and somewhat beyond them."""
    values = [*display.levels, display.levels[0] * BEYOND, display.levels[-1] * BEYOND]
    texts = [station_text(float(value), spec) for value in values]  # digits are equally wide
    if spec.small_below > 0:
        texts.append(station_text(spec.small_below * 0.99, spec))
    return max(texts, key=lambda text: text_size(text, style.size_px, style.weight)[0])


def box_size(text: str, style: LabelStyle) -> tuple[int, int]:
    """Columns and rows that *text* covers with its halo and one pixel of rounding."""
    width, height = text_size(text, style.size_px, style.weight)
    pad = ceil(style.halo_px) + 1
    overhang = text_overhang(f"{text}0", style.size_px, style.weight)
    return width + 2 * pad, height + 2 * (pad + overhang)


def place(
    stations: Sequence[Station],
    pixels_of: PixelsOf,
    map_rect: Rect,
    widest: str,
    style: LabelStyle,
) -> tuple[Spot, ...]:
    """Choose the stations whose labels fit: by rank, none over another, none over the edge.

    pixels_of  (lon, lat) degrees, 1-D float64 -> column and row within the map rectangle, (0, 0)
               the centre of the upper left pixel; not finite where the projection has no place
    map_rect   only its size counts
    widest     see `widest_text`
    returns    the chosen ones in order of rank (ties by name, then position)
    """
    longitudes = np.array([station.longitude for station in stations], np.float64)
    latitudes = np.array([station.latitude for station in stations], np.float64)
    x, y = pixels_of(longitudes, latitudes)
    return _placed(
        tuple(stations),
        tuple(float(v) for v in x),
        tuple(float(v) for v in y),
        (map_rect.width, map_rect.height),
        box_size(widest, style),
        style.gap_px,
    )


@lru_cache(maxsize=256)
def _placed(
    stations: tuple[Station, ...],
    xs: tuple[float, ...],
    ys: tuple[float, ...],
    canvas: tuple[int, int],
    box: tuple[int, int],
    gap_px: float,
) -> tuple[Spot, ...]:
    order = sorted(
        range(len(stations)),
        key=lambda i: (
            stations[i].rank,
            stations[i].name,
            stations[i].latitude,
            stations[i].longitude,
        ),
    )
    width, height = box
    inset = gap_px / 2
    lefts, tops = np.empty(len(stations)), np.empty(len(stations))
    spots: list[Spot] = []
    for i in order:
        if not (isfinite(xs[i]) and isfinite(ys[i])):
            continue
        left, top = round(xs[i] + 0.5 - width / 2), round(ys[i] + 0.5 - height / 2)
        right, bottom = left + width, top + height
        if left < inset or top < inset or right > canvas[0] - inset or bottom > canvas[1] - inset:
            continue
        count = len(spots)
        near = (np.abs(lefts[:count] - left) < width + gap_px) & (
            np.abs(tops[:count] - top) < height + gap_px
        )
        if near.any():
            continue
        lefts[count], tops[count] = left, top
        spots.append(Spot(stations[i], Rect(left, top, right, bottom)))
    return tuple(spots)


def draw_stations(
    ink: Coverage, halo: Coverage, spots: Sequence[Spot], texts: Sequence[str], style: LabelStyle
) -> None:
    """Write one text per spot, centred in its box, on two canvases of the map rectangle.

    A text wider than its box (an absurd value) is left out rather than laid over a neighbour.
    """
    for spot, text in zip(spots, texts, strict=True):
        if not text or box_size(text, style)[0] > spot.box.width:
            continue
        draw_text(
            ink,
            (spot.box.left + spot.box.right) / 2,
            (spot.box.top + spot.box.bottom) / 2,
            text,
            style.size_px,
            weight=style.weight,
            anchor="mm",
            halo_canvas=halo,
            halo_px=style.halo_px,
        )
