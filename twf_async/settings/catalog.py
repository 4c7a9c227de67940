"""models, regions, products, scales and stations: what is made, for where, from what."""

from collections.abc import Collection, Iterator
from typing import Self

from pydantic import Field, model_validator

from render_farm.domain.catalog import Product, Scale, Style
from render_farm.domain.models import Model
from render_farm.domain.places import Frozen, Region, Station
from twf_async.errors import BadConfiguration


class Catalog(Frozen):
    """Everything an operator describes besides the service itself, cross-checked."""

    models: dict[str, Model]
    regions: dict[str, Region]
    products: dict[str, Product]
    scales: dict[str, Scale]
    stations: tuple[Station, ...] = ()
    style: Style = Field(default_factory=Style)

    @model_validator(mode="after")
    def _every_name_exists(self) -> Self:
        faults = [
            f"{where}: there is no {key!r}; there are: {', '.join(known)}"
            for where, key, known in self._references()
            if key not in known
        ]
        if faults:
            raise ValueError("\n".join(faults))
        return self

    def require_recipes(self, known: Collection[str]) -> None:
        """BadConfiguration for a product whose recipe is none of *known*.

        Apart from validation because only the renderer knows its recipes, and the service must
        not load it.
        """
        for product in self.products.values():
            variants = {key: variant.recipe for key, variant in product.models.items()}
            named = {"recipe": product.recipe} | {
                f"models.{key}.recipe": recipe for key, recipe in variants.items() if recipe
            }
            for key, recipe in named.items():
                if recipe not in known:
                    raise BadConfiguration(
                        f"products.toml: {product.key}.{key}: there is no recipe {recipe!r};"
                        f" there are: {', '.join(sorted(known))}"
                    )

    def _references(self) -> Iterator[tuple[str, str, Collection[str]]]:
        for model in self.models.values():
            for product in model.products:
                yield f"models.toml: {model.key}.products", product, self.products
            for region in model.regions:
                yield f"models.toml: {model.key}.regions", region, self.regions
        for described in self.products.values():
            for role, scale in described.scales.items():
                yield f"products.toml: {described.key}.scales.{role}", scale, self.scales
            for variant in described.models:
                yield f"products.toml: {described.key}.models", variant, self.models

    @property
    def enabled_models(self) -> tuple[Model, ...]:
        """The models that are on, in the order of the menus."""
        on = (model for model in self.models.values() if model.enabled)
        return tuple(sorted(on, key=lambda model: (model.order, model.key)))
