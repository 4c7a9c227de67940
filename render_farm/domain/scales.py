"""Scales: the levels and colours of a quantity, in the units and the palette of a site."""

from typing import Literal

from pydantic import Field, model_validator

from render_farm.domain.bin_edges import Levels
from render_farm.domain.entries import Colour, Frozen, Key, Line, Title
from render_farm.domain.style import Palette, Style


class Display(Frozen):
    """How one scale shows its quantity to people: display = SI * factor + offset.

    levels   rising bin edges in the display unit; bin k holds levels[k-1] <= v < levels[k]
    anchors  (value, colour) pairs, rising; a bin has the colour interpolated at its middle
    colours  instead of anchors: one colour per bin between two levels
    under, over  colour below the first and from the last level on; "" is transparent
    closed   there is nothing beyond the last level (100 %): it belongs to the bin below it
    accessible   anchors of the alternative palette, for eyes that cannot tell the usual one's
                 colours apart; none where the usual one already serves them
    """

    unit: Line
    factor: float = Field(default=1.0, gt=0)
    offset: float = 0.0
    levels: Levels
    anchors: tuple[tuple[float, Colour], ...] = ()
    colours: tuple[Colour, ...] = ()
    under: Colour | Literal[""] = ""
    over: Colour | Literal[""] | None = None
    ticks: Levels = ()
    decimals: int = Field(default=0, ge=0, le=6)
    closed: bool = False
    accessible: tuple[tuple[float, Colour], ...] = ()

    @model_validator(mode="after")
    def _consistent(self) -> "Display":
        if len(self.levels) < 2 or list(self.levels) != sorted(set(self.levels)):
            raise ValueError("levels must be at least two, rising, each once")
        if bool(self.anchors) == bool(self.colours):
            raise ValueError("give either anchors or colours")
        if self.closed and self.over is not None:
            raise ValueError("a closed scale has nothing over its last level")
        if self.colours and len(self.colours) != len(self.levels) - 1:
            raise ValueError(
                f"{len(self.levels)} levels need {len(self.levels) - 1} colours,"
                f" not {len(self.colours)}"
            )
        for name in ("anchors", "accessible"):
            values = [value for value, _ in getattr(self, name)]
            if values != sorted(set(values)):
                raise ValueError(f"{name} must rise")
        return self

    def in_palette(self, palette: Palette) -> "Display":
        """This display in the colours of *palette*; itself where it has no others."""
        if palette == "traditional" or not self.accessible:
            return self
        ends = {"under": self.under and self.accessible[0][1], "over": self.over and None}
        return self.model_copy(update={"anchors": self.accessible, "colours": (), **ends})


class Scale(Frozen):
    """Levels and colours of one quantity, the same on every map, run, region and model."""

    key: Key
    title: Title
    si_unit: Line
    imperial: Display
    metric: Display

    def display(self, style: Style) -> Display:
        """The units and the palette that a site shows this quantity in."""
        chosen = self.imperial if style.units == "imperial" else self.metric
        return chosen.in_palette(style.palette)
