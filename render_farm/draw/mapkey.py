"""The map's key: what its isolines, barbs and hatching are, in words and samples. Pure.

Built from the product's own layers, so a layer that an operator adds names itself: a black line,
"MSLP every 4 hPa"; a hatched box, "CIN below −50 J/kg"; "barbs kt".
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

from render_farm.domain.entries import Colour
from render_farm.domain.layers import HatchLayer, LineLayer
from render_farm.domain.products import Product
from render_farm.draw.numbers import shortest_text

MOST_LEVELS = 4  # more are not listed, only their range


@dataclass(frozen=True, slots=True)
class KeyItem:
    """One entry of the key.

    texts    longest form first, always `FORMS` of them
    sample   how it looks on the map; "none" has no sample beside its text
    colours  of the sample: one, or two where a line is parted at a level
    """

    texts: tuple[str, str, str]
    sample: Literal["line", "dashes", "hatching", "none"]
    colours: tuple[Colour, ...] = ()


FORMS = 3
BARBS = KeyItem(("barbs kt", "barbs kt", "kt"), "none")


def map_key(product: Product, drawn: Collection[str]) -> tuple[KeyItem, ...]:
    """The entries of a product's map; () where there is nothing to name.

    drawn  names of the grids that the recipe made: a layer without its grid is not on the map
    Lines from the main one (the last) down, then barbs, then hatching. Layers without a title are
    left out; streamlets need no unit.
    """
    lines = [_line(line) for line in reversed(product.lines) if line.title and line.field in drawn]
    areas = [_area(area) for area in product.hatching if area.title and area.field in drawn]
    barbs = product.wind is not None and product.wind.style == "barbs" and {"u", "v"} <= set(drawn)
    return (*lines, *([BARBS] if barbs else []), *areas)


def _line(layer: LineLayer) -> KeyItem:
    if layer.step is not None:
        step = shortest_text(layer.step)
        full = f"{layer.title} every {step} {layer.unit}"
        brief = f"{layer.title} {step} {layer.unit}"
    else:
        full = f"{layer.title} {_levels(layer)} {layer.unit}"
        brief = f"{layer.title} {layer.unit}"
    sample: Literal["line", "dashes"] = "dashes" if layer.dashed else "line"
    return KeyItem((full.rstrip(), brief.rstrip(), layer.title), sample, layer.colours)


def _levels(layer: LineLayer) -> str:
    texts = [shortest_text(level) for level in layer.levels]
    return ", ".join(texts) if len(texts) <= MOST_LEVELS else f"{texts[0]} to {texts[-1]}"


def _area(layer: HatchLayer) -> KeyItem:
    word, value = ("below", layer.below) if layer.below is not None else ("above", layer.above)
    full = f"{layer.title} {word} {shortest_text(value or 0.0)} {layer.unit}".rstrip()
    return KeyItem((full, full, layer.title), "hatching", (layer.colour,))
