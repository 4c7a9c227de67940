"""What an operator describes in TOML: scales, products and how they look. Data, never code.

Loaded once by the service's settings, sent to workers inside every job, never mutated. To know a
product, read its ten lines of TOML: nothing is inherited or merged from elsewhere, but for the
explicit `models` table of a product.
"""

from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from render_farm.domain.bin_edges import FINEST, Levels
from render_farm.domain.fields import FieldSpec
from render_farm.domain.places import KEY, Frozen, Line, Title

Key = Annotated[str, Field(pattern=KEY)]
Colour = Annotated[str, Field(pattern=r"^#[0-9a-fA-F]{6}$")]


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

    def in_palette(self, palette: "Palette") -> "Display":
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

    def display(self, style: "Style") -> Display:
        """The units and the palette that a site shows this quantity in."""
        chosen = self.imperial if style.units == "imperial" else self.metric
        return chosen.in_palette(style.palette)


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

    def in_units(self, units: "Units") -> "StationValues":
        """These of a site that shows such *units*."""
        return self.metric if units == "metric" and self.metric is not None else self


def _parse_fields(value: object) -> object:
    if not isinstance(value, dict):
        return value
    return {k: FieldSpec.parse(v) if isinstance(v, str) else v for k, v in value.items()}


Fields = Annotated[dict[str, FieldSpec], BeforeValidator(_parse_fields)]


def _with_fill(value: dict[str, str]) -> dict[str, str]:
    if "fill" not in value:
        raise ValueError('scales needs a "fill"')
    return value


Scales = Annotated[dict[str, Key], AfterValidator(_with_fill)]


class ModelVariant(Frozen):
    """How one model makes a product where it differs: each entry replaces the product's own."""

    title: Title | None = None
    recipe: str | None = None
    fields: Fields | None = None
    optional: tuple[str, ...] | None = None
    scales: Scales | None = None
    lines: tuple[LineLayer, ...] | None = None
    smooth_km: Smoothing | None = None
    note: Line = ""


class Product(Frozen):
    """A kind of map.

    recipe    a name in render_farm/derive/recipes.py
    fields    role -> field; the recipe takes its inputs by role
    optional  roles without which the map is still true
    scales    role -> scale key; "fill" colours the derived grid `fill`
    smooth_km standard deviation of a Gaussian over the fields before anything is derived; 0: none
    """

    key: Key
    title: Title
    group: Line = "surface"
    order: int = 100
    recipe: str
    fields: Fields
    optional: tuple[str, ...] = ()
    scales: Scales
    sampling: Literal["cubic", "linear", "nearest"] = "cubic"
    smooth_km: Smoothing = 0.0
    lines: tuple[LineLayer, ...] = ()
    hatching: tuple[HatchLayer, ...] = ()
    wind: WindLayer | None = None
    stations: StationValues | None = None
    models: dict[str, ModelVariant] = Field(default_factory=dict)
    note: Line = ""

    def for_model(self, model: str) -> "Product":
        """This product as *model* makes it; the variant replaces whole entries, never merges."""
        variant = self.models.get(model)
        if variant is None:
            return self
        changes: dict[str, object] = {"models": {}, "note": variant.note or self.note}
        for name in ("title", "recipe", "fields", "optional", "scales", "lines", "smooth_km"):
            value = getattr(variant, name)
            if value is not None:
                changes[name] = value
        return self.model_copy(update=changes)


Palette = Literal["traditional", "accessible"]
Units = Literal["imperial", "metric"]


class Style(Frozen):
    """What is the same on every map of a site."""

    base: Literal["light", "dark"] = "light"
    units: Units = "imperial"
    palette: Palette = "traditional"
    brand: Line = "twf_async"
    credit: Line = "data: NOAA/NCEP, not an official forecast"
