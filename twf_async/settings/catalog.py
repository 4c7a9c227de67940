"""models, regions, products, scales and stations: what is made, for where, from what."""

from typing import Self

from pydantic import Field, model_validator

from render_farm.domain.entries import Frozen
from render_farm.domain.models import Model
from render_farm.domain.places import Region, Station
from render_farm.domain.products import Product
from render_farm.domain.scales import Scale
from render_farm.domain.style import Style
from twf_async.settings.references import Described, faults


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
        described = Described(self.models, self.regions, self.products, self.scales)
        found = list(faults(described))
        if found:
            raise ValueError("\n".join(found))
        return self

    @property
    def enabled_models(self) -> tuple[Model, ...]:
        """The models that are on, in the order of the menus."""
        on = (model for model in self.models.values() if model.enabled)
        return tuple(sorted(on, key=lambda model: (model.order, model.key)))
