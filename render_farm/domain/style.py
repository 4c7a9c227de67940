"""What is the same on every map of a site: units, palette, what is written beside it."""

from typing import Literal

from render_farm.domain.entries import Frozen, Line

Palette = Literal["traditional", "accessible"]
Units = Literal["imperial", "metric"]


class Style(Frozen):
    """What is the same on every map of a site."""

    base: Literal["light", "dark"] = "light"
    units: Units = "imperial"
    palette: Palette = "traditional"
    brand: Line = "twf_async"
    credit: Line = "data: NOAA/NCEP, not an official forecast"
