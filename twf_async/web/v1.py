"""The routes of the system this one replaces, for the pages that still use them.

Names and shapes are V1's: file names `{model}_{YYYYMMDD}_{HH}_{variable}_{hour}.png`, run times
`YYYYMMDD_HH` in maps and ISO in runs. Its variable names map to our products; ours work as well.
"""

import re
from datetime import UTC, datetime
from typing import Any

from aiohttp import web

from render_farm.domain.models import Model
from twf_async.publish.reading import PublishedRuns
from twf_async.web.answers import document, error
from twf_async.web.context import context_of
from twf_async.web.maps import picture

routes = web.RouteTableDef()
PRODUCT_OF = {
    "temp": "t2m",
    "wind_speed": "wind10m",
    "wind": "wind10m",
    "mslp_precip": "mslp_ptype",
    "precip": "precip_total",
    "temp_850_wind_mslp": "t850",
    "850": "t850",
    "radar": "refc",
    "snowfall": "snow_total",
}
_FILE = re.compile(r"([a-z0-9_]+)_([0-9]{8})_([0-9]{2})_([a-z0-9_]+)_([0-9]{1,3})\.png")


@routes.get("/health")
async def health(_: web.Request) -> web.Response:
    """V1's static health answer."""
    return web.json_response({"status": "healthy"})


@routes.get("/api/models")
async def models(request: web.Request) -> web.Response:
    """Every enabled model."""
    catalog = context_of(request).settings().catalog
    return document(request, {"models": [_model(model) for model in catalog.enabled_models]})


@routes.get("/api/models/{id}")
async def model(request: web.Request) -> web.Response:
    """One model; 404 unknown, 403 disabled."""
    wanted = request.match_info["id"].lower()
    found = context_of(request).settings().catalog.models.get(wanted)
    if found is None:
        return error(404, f"Unknown model: {wanted}")
    if not found.enabled:
        return error(403, f"Model is disabled: {wanted}")
    return document(request, _model(found))


def _model(model: Model) -> dict[str, Any]:
    return {
        "id": model.title,
        "name": model.title,
        "full_name": model.long_title,
        "description": model.long_title,
        "max_forecast_hour": max(*model.hours, *model.long_hours, 0),
        "forecast_increment": model.hours[1] - model.hours[0] if len(model.hours) > 1 else 0,
        "run_hours": model.cycles,
        "excluded_variables": [
            name for name, product in PRODUCT_OF.items() if product not in model.products
        ],
        "enabled": model.enabled,
        "provider": "NOMADS",
        "has_refc": "refc" in model.products,
        "has_upper_air": "t850" in model.products,
        "has_precip_type_masks": "snow_total" in model.products,
    }


@routes.get("/api/runs")
async def runs(request: web.Request) -> web.Response:
    """The runs of one model (default GFS), newest first."""
    context = context_of(request)
    name = request.query.get("model", "GFS").lower()
    if name not in context.settings().catalog.models:
        return error(400, f"Unknown model: {name}")
    now = context.clock.now()
    shown = [cycle for cycle in context.tree.runs(name) if context.tree.published(name, cycle)]
    listed = []
    for cycle in shown:
        moment = _moment(cycle)
        updated_at: datetime = context.tree.summary(name, cycle)["updated_at"]
        listed.append(
            {
                "run_time": moment.isoformat(),
                "run_time_formatted": f"{moment:%HZ %b %d}",
                "date": f"{moment:%Y-%m-%d}",
                "hour": f"{moment:%HZ}",
                "is_latest": cycle == shown[0],
                "maps_count": len(context.tree.published(name, cycle)),
                "generated_at": updated_at.isoformat(),
                "age_hours": round((now - moment).total_seconds() / 3600, 1),
            }
        )
    return document(request, {"runs": listed, "total_runs": len(listed)})


@routes.get("/api/maps")
async def maps(request: web.Request) -> web.Response:
    """Published maps, filtered; without run_time the latest run of each model."""
    context = context_of(request)
    query = request.query
    catalog = context.settings().catalog
    name = query.get("model", "").lower()
    if name and (name not in catalog.models or not catalog.models[name].enabled):
        return error(400, f"Unknown or disabled model: {name}")
    names = [name] if name else [model.key for model in catalog.enabled_models]
    try:
        cycle = _cycle(query["run_time"]) if "run_time" in query else None
        hour = int(query["forecast_hour"]) if "forecast_hour" in query else None
    except (ValueError, OverflowError):  # a time zone may lead out of the calendar
        return error(400, "run_time must be an ISO time, forecast_hour a number")
    variable = query.get("variable", "")
    product = PRODUCT_OF.get(variable, variable)
    found: list[dict[str, Any]] = []
    for key in names:
        shown = cycle or context.tree.newest(key)
        if shown is not None:
            found += _infos(context.tree, catalog.models[key], shown, product, hour)
    return document(request, {"maps": found})


@routes.get("/api/maps/{id}")
async def one_map(request: web.Request) -> web.Response:
    """One map by its id (the file name without `.png`)."""
    place = file_parts(f"{request.match_info['id']}.png")
    context = context_of(request)
    if place is not None and place[0] in context.settings().catalog.models:
        name, cycle, product, hour = place
        model = context.settings().catalog.models[name]
        found = _infos(context.tree, model, cycle, product, hour)
        if found:
            return document(request, found[0])
    return error(404, "Map not found")


@routes.get("/api/images/{file}")
@routes.get("/images/{file}")
async def image(request: web.Request) -> web.StreamResponse:
    """The picture itself, from the model's first region."""
    place = file_parts(request.match_info["file"])
    models = context_of(request).settings().catalog.models
    if place is None or place[0] not in models:
        return error(404, "Image not found")
    name, cycle, product, hour = place
    return await picture(request, name, cycle, _region(models[name]), product, hour)


def _infos(
    tree: PublishedRuns, model: Model, cycle: str, product: str, hour: int | None
) -> list[dict[str, Any]]:
    """What is online of a run's first region; product "" and hour None: of all."""
    listed = []
    for key, forecast_hour, record in tree.online(model.key, cycle, _region(model)):
        if product not in {"", key} or hour not in {None, forecast_hour}:
            continue
        moment = _moment(cycle)
        stem = f"{model.key}_{moment:%Y%m%d_%H}_{key}_{forecast_hour}"
        listed.append(
            {
                "id": stem,
                "model": model.key.upper(),
                "run_time": f"{moment:%Y%m%d_%H}",
                "forecast_hour": forecast_hour,
                "variable": key,
                "image_url": f"/images/{stem}.png",
                "created_at": _time(record["published_at"]),
                "file_size": record["bytes"],
            }
        )
    return listed


def _time(written: datetime | str) -> datetime:
    """Records of an earlier process have their times as they stand in the manifest."""
    return datetime.fromisoformat(written) if isinstance(written, str) else written


def file_parts(file: str) -> tuple[str, str, str, int] | None:
    """Model, cycle, product and hour of a file of V1's naming; None for any other name."""
    match = _FILE.fullmatch(file)
    if match is None:
        return None
    return match[1], match[2] + match[3], PRODUCT_OF.get(match[4], match[4]), int(match[5])


def _region(model: Model) -> str:
    return model.regions[0] if model.regions else ""


def _moment(cycle: str) -> datetime:
    return datetime.strptime(cycle, "%Y%m%d%H").replace(tzinfo=UTC)


def _cycle(run_time: str) -> str:
    if re.fullmatch(r"\d{8}_\d{2}", run_time):
        return run_time.replace("_", "")
    # A "+00:00" that a page did not escape arrives as " 00:00".
    moment = datetime.fromisoformat(re.sub(r"(T.*) (\d\d:\d\d)\Z", r"\1+\2", run_time))
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return moment.astimezone(UTC).strftime("%Y%m%d%H")
