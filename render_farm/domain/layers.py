"""What a product lays over its colours: isolines, hatching, wind, values at stations."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from render_farm.domain.bin_edges import FINEST, Levels
from render_farm.domain.entries import Colour, Frozen, Line
from render_farm.domain.style import Units


def _not_zero(value: float) -> float:
    if value == 0:
        raise ValueError("nothing is counted in a unit of 0")
    return value


Factor = Annotated[float, AfterValidator(_not_zero)]
Step = Annotated[float, Field(ge=FINEST, le=1e6)]
Smoothing = Annotated[float, Field(ge=0, le=1000)]  # km; the margin of a cut-out grows with it


class _Layer(Frozen):
    """Something drawn of one derived field.

    field    name of a grid that the recipe returns
    title    what the map's key calls it ("MSLP"); "" leaves it out of it
    optional the map is drawn without it where the recipe made no such grid
    factor, offset   from SI to the unit in which its numbers are counted
    """

    field: str
    title: Line = ""
    optional: bool = False
    unit: Line
    factor: Factor = 1.0
    offset: float = 0.0


class LineLayer(_Layer):
    """Isolines, every `step` or at `levels`.

    split    lines at or below it take colours[0], above it colours[1]
    """

    step: Step | None = None
    levels: Levels = ()
    colours: tuple[Colour, ...] = ("#000000",)
    split: float | None = None
    width_px: float = Field(default=1.6, gt=0, le=10)
    dashed: bool = False
    labels: bool = True
    smooth_km: Smoothing = 0.0
    extrema: bool = False  # mark centres H and L with their value

    @model_validator(mode="after")
    def _consistent(self) -> "LineLayer":
        if (self.step is None) == (not self.levels):
            raise ValueError("give either step or levels")
        if len(self.colours) != (1 if self.split is None else 2):
            raise ValueError("one colour, or two with split")
        return self


class HatchLayer(_Layer):
    """Strokes over the area where the field lies below or above a threshold.

    below, above   the threshold in the layer's unit: exactly one of them
    """

    below: float | None = None
    above: float | None = None
    colour: Colour = "#1f2f6f"
    spacing_px: int = Field(default=12, ge=4, le=100)
    width_px: float = Field(default=1.2, gt=0, le=10)

    @model_validator(mode="after")
    def _one_threshold(self) -> "HatchLayer":
        if (self.below is None) == (self.above is None):
            raise ValueError("give either below or above")
        return self


class WindLayer(Frozen):
    """Wind symbols from the derived grids `u` and `v` (earth-relative, m/s).

    barbs       speed in knots by feathers
    streamlets  short pieces of streamlines with a head: direction only, longer where it blows
    """

    style: Literal["barbs", "streamlets"] = "barbs"
    spacing_px: int = Field(default=58, ge=16, le=400)
    colour: Colour = "#000000"


class StationValues(Frozen):
    """How a product writes its values at stations: in the display unit of its fill scale.

    decimals  -2 rounds to whole hundreds
    metric    what holds instead where the site shows metric units
    """

    decimals: int = Field(default=0, ge=-3, le=3)
    small_below: float = 0.0  # below it, `small_decimals` are written
    small_decimals: int = Field(default=0, ge=0, le=3)
    hide_below: float | None = None  # nothing is written below it (0.00 in. everywhere is noise)
    metric: "StationValues | None" = None

    def in_units(self, units: Units) -> "StationValues":
        """These of a site that shows such *units*."""
        return self.metric if units == "metric" and self.metric is not None else self
