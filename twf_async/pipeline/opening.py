"""What a run is to have, from the configuration and what was asked. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar

from render_farm.domain.fields import MessageKey
from render_farm.domain.models import Model
from render_farm.domain.places import Region
from render_farm.domain.products import Product
from twf_async.errors import BadInput
from twf_async.pipeline.report import RunRequest
from twf_async.plan.orders import (
    HourOrder,
    ProductOrder,
    hour_orders,
    messages_by_file,
    products_of,
)
from twf_async.plan.progress import Policy
from twf_async.plan.runs import cycle_time, deadline, hours_of_cycle
from twf_async.plan.styles import Styles, styles_of
from twf_async.settings.catalog import Catalog
from twf_async.settings.load import Settings

Name = TypeVar("Name", int, str)


@dataclass(frozen=True, slots=True)
class RunPlan:
    """Everything a run is to have, and how it is worked through.

    styles  (region, product) -> config hash
    notice  what stands in every title
    """

    model: Model
    hours: tuple[int, ...]
    products: tuple[str, ...]
    regions: tuple[Region, ...]
    orders: tuple[HourOrder, ...]
    policy: Policy
    styles: Styles
    notice: str = ""


@dataclass(frozen=True, slots=True)
class Extent:
    """What a run is made of, without what has to be fetched for it."""

    model: Model
    hours: tuple[int, ...]
    products: tuple[Product, ...]
    regions: tuple[Region, ...]


def extent_of(settings: Settings, request: RunRequest) -> Extent:
    """Check a request against the configuration; BadInput says what the model does not have."""
    catalog = settings.catalog
    if request.model not in catalog.models:
        known = ", ".join(sorted(catalog.models))
        raise BadInput(f"there is no model {request.model!r}; config/models.toml has {known}")
    model = catalog.models[request.model]
    hours = _hours(model, request)
    _require(f"{model.key} has no product", request.products, model.products)
    _require("config/regions.toml has no region", request.regions, catalog.regions)
    products = products_of(catalog, model, request.products)
    return Extent(model, hours, tuple(products), _regions(catalog, model, request.regions))


def plan_run(settings: Settings, request: RunRequest, *, fetches_at_once: int) -> RunPlan:
    """Everything that a run is to have; BadInput as `extent_of`."""
    extent, catalog = extent_of(settings, request), settings.catalog
    model, hours, products, regions = extent.model, extent.hours, extent.products, extent.regions
    fetch = settings.service.fetch
    return RunPlan(
        model,
        hours,
        tuple(product.key for product in products),
        regions,
        hour_orders(_at(model, request.cycle), products, hours),
        Policy(
            ahead_hours=fetch.ahead_hours,
            fetches_at_once=fetches_at_once,
            attempts=fetch.attempts,
            poll_s=model.poll_s,
            batch=fetch.mode == "batch",
            wait=request.wait,
            deadline=deadline(model, request.cycle),
            requests_per_hour=model.requests_per_hour,
            stalls=timedelta(minutes=model.stalls_min),
        ),
        styles_of(catalog, model, products, regions, notice=settings.service.notice),
        settings.service.notice,
    )


def styles_now(settings: Settings, model: Model) -> Styles:
    """How everything of a model is drawn by this configuration."""
    catalog = settings.catalog
    products, regions = products_of(catalog, model), _regions(catalog, model)
    return styles_of(catalog, model, products, regions, notice=settings.service.notice)


def files_wanted(
    waiting: Mapping[int, tuple[ProductOrder, ...]],
) -> dict[int, frozenset[MessageKey]]:
    """Hour of the file -> messages that products still to be drawn take from it, rising."""
    return messages_by_file(order for orders in waiting.values() for order in orders)


def _regions(
    catalog: Catalog, model: Model, asked: Iterable[str] | None = None
) -> tuple[Region, ...]:
    return tuple(catalog.regions[key] for key in dict.fromkeys(asked or model.regions))


def _at(model: Model, cycle: str) -> Model:
    """The model with the hours of this cycle only: files of others must not be asked for."""
    own = {"hours": hours_of_cycle(model, cycle), "long_hours": (), "long_cycles": ()}
    return model.model_copy(update=own)


def _hours(model: Model, request: RunRequest) -> tuple[int, ...]:
    try:
        moment = cycle_time(request.cycle)
    except ValueError as error:
        raise BadInput(str(error)) from None
    if moment.hour not in model.cycles:
        runs = ", ".join(f"{hour:02d}" for hour in model.cycles)
        raise BadInput(f"{model.key} has no run at {moment:%H} UTC; it runs at {runs}")
    own = hours_of_cycle(model, request.cycle)
    _require(f"{model.key} {request.cycle} has no hour", request.hours, own)
    return tuple(sorted(set(request.hours))) if request.hours is not None else own


def _require(fault: str, asked: Iterable[Name] | None, known: Iterable[Name]) -> None:
    lacking = set(asked or ()) - set(known)
    if lacking:
        raise BadInput(f"{fault} {', '.join(str(item) for item in sorted(lacking))}")
