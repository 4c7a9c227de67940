"""What every hour of a run is made of: products, their inputs, and the messages to fetch.

Pure. A product may need files of earlier hours (a total over all buckets); such hours are fetched
even when nobody asked to draw them. Knows nothing of files on disk, sources or time of day.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from render_farm.domain.catalog import Product
from render_farm.domain.fields import FieldSpec, MessageKey, Statistic
from render_farm.domain.models import Model
from twf_async.settings.catalog import Catalog

Need = tuple[int, MessageKey]  # the hour of the file, and the message in it
_WORDS = {
    Statistic.ACCUMULATION: "accumulation",
    Statistic.AVERAGE: "average",
    Statistic.MAXIMUM: "maximum",
    Statistic.MINIMUM: "minimum",
}


@dataclass(frozen=True, slots=True)
class ProductOrder:
    """One product at one hour: as the model makes it, with its inputs by role.

    An empty tuple is an empty window and counts as zero. Optional roles that cannot exist at the
    hour are left out. files: the hours whose files it takes messages from.
    """

    product: Product
    inputs: Mapping[str, tuple[Need, ...]]
    files: frozenset[int] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "files", frozenset(hour for hour, _ in self.needs))

    @property
    def needs(self) -> frozenset[Need]:
        """Every message it takes, wherever it lies."""
        return frozenset(need for needs in self.inputs.values() for need in needs)


@dataclass(frozen=True, slots=True)
class NotApplicable:
    """A product that cannot exist at an hour, and why. Never counted as missing."""

    product: Product
    reason: str


@dataclass(frozen=True, slots=True)
class HourOrder:
    """One hour to draw. `wanted` is what to fetch from this hour's file, for later hours too."""

    hour: int
    wanted: frozenset[MessageKey]
    products: tuple[ProductOrder | NotApplicable, ...]

    @property
    def drawn(self) -> tuple[ProductOrder, ...]:
        """The products that can exist at this hour."""
        return tuple(order for order in self.products if isinstance(order, ProductOrder))


def products_of(
    catalog: Catalog, model: Model, only: Iterable[str] | None = None
) -> tuple[Product, ...]:
    """The products of a model as it makes them, in the order of its list; *only* narrows them."""
    keys = model.products if only is None else [key for key in model.products if key in set(only)]
    return tuple(catalog.products[key].for_model(model.key) for key in keys)


def product_order(product: Product, model: Model, hour: int) -> ProductOrder | NotApplicable:
    """What *product* (already as the model makes it) takes at *hour*."""
    have = {*model.hours, *model.long_hours}
    inputs: dict[str, tuple[Need, ...]] = {}
    for role, asked in product.fields.items():
        spec = _aliased(asked, model.aliases)
        needs = spec.messages(hour, model.bucket_h)
        absent = _absent(spec, needs, hour, have)
        if not absent:
            inputs[role] = needs or ()
        elif role not in product.optional:
            return NotApplicable(product, absent)
    return ProductOrder(product, inputs)


def wanted_by_hour(
    model: Model, products: Iterable[Product], hours: Iterable[int]
) -> dict[int, frozenset[MessageKey]]:
    """Hour of the file -> messages to fetch from it, to draw *products* at *hours*.

    Rising. Holds hours beyond those asked where an hour asked needs their files.
    """
    products = tuple(products)
    wanted: dict[int, set[MessageKey]] = {}
    for hour in hours:
        for product in products:
            order = product_order(product, model, hour)
            if isinstance(order, ProductOrder):
                for file_hour, key in order.needs:
                    wanted.setdefault(file_hour, set()).add(key)
    return {hour: frozenset(wanted[hour]) for hour in sorted(wanted)}


def hour_orders(
    model: Model, products: Iterable[Product], hours: Iterable[int]
) -> tuple[HourOrder, ...]:
    """The orders of all hours to draw, rising."""
    products, hours = tuple(products), tuple(sorted(set(hours)))
    wanted = wanted_by_hour(model, products, hours)
    return tuple(
        HourOrder(
            hour,
            wanted.get(hour, frozenset()),
            tuple(product_order(product, model, hour) for product in products),
        )
        for hour in hours
    )


def _aliased(spec: FieldSpec, aliases: Mapping[str, str]) -> FieldSpec:
    own = aliases.get(f"{spec.parameter}:{spec.level}")
    if own is None:
        return spec
    parameter, _, level = own.partition(":")
    return replace(spec, parameter=parameter, level=level)


def _absent(spec: FieldSpec, needs: tuple[Need, ...] | None, hour: int, have: set[int]) -> str:
    """Why the field cannot exist at this hour; empty if it can."""
    if needs is None:
        if hour == 0:
            return f"no {_WORDS.get(spec.statistic, 'value')} at hour 0"
        return f"needs an hour {spec.back_h} h before hour {hour}"
    lacking = sorted({file_hour for file_hour, _ in needs} - have)
    return f"the model has no hour {lacking[0]}" if lacking else ""
