"""Products: which fields and recipe make a kind of map, and how it looks. Data, never code.

Loaded once by the service's settings, sent to workers inside every job, never mutated. To know a
product, read its ten lines of TOML: nothing is inherited or merged from elsewhere, but for the
explicit `models` table of a product.
"""

from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from render_farm.domain.entries import Frozen, Key, Line, Title
from render_farm.domain.fields import FieldSpec
from render_farm.domain.layers import HatchLayer, LineLayer, Smoothing, StationValues, WindLayer


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
