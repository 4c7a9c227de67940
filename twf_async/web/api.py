"""/api/v1: models, runs, manifests, legends, status. Read-only, JSON, documented in openapi.py."""

from typing import Any

from aiohttp import web

from render_farm.domain.models import Model
from render_farm.domain.products import Product
from render_farm.domain.scales import Display
from twf_async.settings.catalog import Catalog
from twf_async.web.answers import SHORT, document, error
from twf_async.web.context import WebContext, context_of
from twf_async.web.slices import SlicedManifests

routes = web.RouteTableDef()
SLICES = web.AppKey("slices", SlicedManifests)


@routes.get("/api/v1/models")
async def models(request: web.Request) -> web.Response:
    """Every enabled model with its products and regions, in the order of the menus."""
    context = context_of(request)
    catalog = context.settings().catalog
    return document(
        request,
        {
            "models": [_model(context, catalog, model) for model in catalog.enabled_models],
            "regions": {
                key: region.model_dump(exclude={"key"}) for key, region in catalog.regions.items()
            },
            "brand": catalog.style.brand,
            "units": catalog.style.units,
        },
    )


def _model(context: WebContext, catalog: Catalog, model: Model) -> dict[str, Any]:
    products = sorted(
        (catalog.products[key].for_model(model.key) for key in model.products),
        key=lambda product: (product.order, product.key),
    )
    return {
        "id": model.key,
        "title": model.title,
        "long_title": model.long_title,
        "cycles": model.cycles,
        "hours": model.hours,
        "long_cycles": model.long_cycles,
        "long_hours": model.long_hours,
        "regions": model.regions,
        "products": [_product(catalog, product) for product in products],
        "latest": context.tree.newest(model.key),
    }


def _product(catalog: Catalog, product: Product) -> dict[str, Any]:
    return {
        "id": product.key,
        "title": product.title,
        "group": product.group,
        "unit": _display(catalog, product.scales["fill"]).unit,
        "note": product.note,
    }


def _display(catalog: Catalog, scale: str) -> Display:
    return catalog.scales[scale].display(catalog.style)


@routes.get("/api/v1/runs")
async def runs(request: web.Request) -> web.Response:
    """Runs newest first, of one model (`?model=`) or of all; the frames are in the manifests."""
    context = context_of(request)
    wanted = request.query.get("model")
    known = context.settings().catalog.models
    if wanted is not None and wanted not in known:
        return error(404, f"there is no model {wanted!r}; there are: {', '.join(known)}")
    names = [wanted] if wanted else [model.key for model in known.values() if model.enabled]
    return document(
        request,
        {
            "runs": [
                context.tree.summary(model, cycle)
                for model in names
                for cycle in context.tree.runs(model)
            ]
        },
    )


@routes.get("/api/v1/runs/{model:[a-z0-9_]+}/{cycle:[0-9]{10}|latest}")
async def run(request: web.Request) -> web.Response:
    """The manifest: every frame's state, reason, hash and ETA; `?region=&product=` narrow it."""
    tree = context_of(request).tree
    model, cycle = request.match_info["model"], request.match_info["cycle"]
    if cycle == "latest":
        cycle = tree.newest(model) or ""
    text = tree.manifest_json(model, cycle)
    if text is None:
        return error(404, f"there is no run {cycle or 'yet'} of {model!r}")
    region, product = request.query.get("region"), request.query.get("product")
    if region or product:
        text = request.app[SLICES].part((model, cycle), text, region or None, product or None)
    return document(request, text)


@routes.get("/api/v1/legends/{product:[a-z0-9_]+}")
async def legend(request: web.Request) -> web.Response:
    """The very bins that are filled: levels, colours, unit; one entry per scale of the product."""
    context = context_of(request)
    catalog = context.settings().catalog
    colours = context.bin_colours()
    key = request.match_info["product"]
    product = catalog.products.get(key)
    if product is None:
        return error(404, f"there is no product {key!r}; there are: {', '.join(catalog.products)}")
    return document(
        request,
        {
            "product": key,
            "title": product.title,
            "scales": {
                role: _legend(catalog.scales[scale].title, _display(catalog, scale), colours[scale])
                for role, scale in product.scales.items()
            },
        },
        cache=SHORT,
    )


def _legend(title: str, display: Display, colours: tuple[str, ...]) -> dict[str, Any]:
    return {
        "title": title,
        "unit": display.unit,
        "from_si": {"factor": display.factor, "offset": display.offset},
        "levels": display.levels,
        "colours": colours,  # under, between the levels, over; "" is transparent
        "ticks": display.ticks,
    }


@routes.get("/api/v1/status")
async def status(request: web.Request) -> web.Response:
    """How the service is; docs/operations.md describes the document."""
    return document(request, context_of(request).status(), cache="no-cache")
