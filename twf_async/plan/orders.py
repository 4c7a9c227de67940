"""What every hour of a run is made of: products, their inputs, and the messages to fetch.

Pure. A product may need files of earlier hours (a total over all buckets); such hours are fetched
even when nobody asked to draw them. Knows nothing of files on disk, sources or time of day.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Self

from render_farm.domain.fields import MessageKey
from render_farm.domain.models import Model
from render_farm.domain.products import Product
from twf_async.plan.fields import Field, Fields, Need, Needs
from twf_async.settings.catalog import Catalog


@dataclass(frozen=True, slots=True)
class ProductOrder:
    """One product at one hour: as the model makes it, with its inputs by role.

    An empty tuple is an empty window and counts as zero. Optional roles that cannot exist at the
    hour are left out. files: the hours whose files it takes messages from.
    """

    product: Product
    inputs: Mapping[str, Needs]
    files: frozenset[int]

    @property
    def needs(self) -> frozenset[Need]:
        """Every message it takes, wherever it lies."""
        return frozenset(need for needs in self.inputs.values() for need in needs)

    def without(self, roles: Collection[str]) -> Self:
        """The same, drawn without some of its optional inputs."""
        inputs = {role: needs for role, needs in self.inputs.items() if role not in roles}
        files = frozenset(hour for needs in inputs.values() for hour, _ in needs)
        return replace(self, inputs=inputs, files=files)


@dataclass(frozen=True, slots=True)
class NotApplicable:
    """A product that cannot exist at an hour, and why. Never counted as missing."""

    product: Product
    reason: str


@dataclass(frozen=True, slots=True)
class HourOrder:
    """One hour to draw."""

    hour: int
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
    ((order,),) = (found.products for found in hour_orders(model, [product], [hour]))
    return order


def hour_orders(
    model: Model, products: Iterable[Product], hours: Iterable[int]
) -> tuple[HourOrder, ...]:
    """The orders of all hours to draw, rising."""
    fields = Fields(model)
    asked = [(product, fields.of(product)) for product in products]
    return tuple(
        HourOrder(hour, tuple(_order(product, roles, hour) for product, roles in asked))
        for hour in sorted(set(hours))
    )


def wanted_by_hour(
    model: Model, products: Iterable[Product], hours: Iterable[int]
) -> dict[int, frozenset[MessageKey]]:
    """Hour of the file -> messages to fetch from it, to draw *products* at *hours*.

    Rising. Holds hours beyond those asked where an hour asked needs their files.
    """
    found = hour_orders(model, products, hours)
    return messages_by_file(order for at in found for order in at.drawn)


def messages_by_file(orders: Iterable[ProductOrder]) -> dict[int, frozenset[MessageKey]]:
    """Hour of the file -> messages that *orders* take from it, rising."""
    # Products share what they take: looking at each object once is cheaper than at equal ones.
    taken = {id(needs): needs for order in orders for needs in order.inputs.values()}
    once = {id(need): need for needs in taken.values() for need in needs}
    wanted: dict[int, set[MessageKey]] = {}
    for hour, key in once.values():
        wanted.setdefault(hour, set()).add(key)
    return {hour: frozenset(wanted[hour]) for hour in sorted(wanted)}


def _order(product: Product, roles: Mapping[str, Field], hour: int) -> ProductOrder | NotApplicable:
    inputs: dict[str, Needs] = {}
    files: frozenset[int] = frozenset()
    for role, field in roles.items():
        taken = field.at(hour)
        if not taken.absent:
            inputs[role] = taken.needs
            files = taken.files if files <= taken.files else files | taken.files
        elif role not in product.optional:
            return NotApplicable(product, taken.absent)
    return ProductOrder(product, inputs, files)
