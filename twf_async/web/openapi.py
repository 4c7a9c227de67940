"""/api/openapi.json and /api/docs: the API described by hand, checked against the routes by a test.

By hand because aiohttp generates none and the generators for it are unmaintained.
"""

import html
from typing import Any

from aiohttp import web

from twf_async import __version__
from twf_async.web.answers import SHORT, document

routes = web.RouteTableDef()


def _path(name: str, text: str, example: str, pattern: str = r"^[a-z0-9_]+$") -> dict[str, Any]:
    return {
        "name": name,
        "in": "path",
        "required": True,
        "description": text,
        "schema": {"type": "string", "pattern": pattern},
        "example": example,
    }


MODEL = _path("model", "Model key", "gfs")
CYCLE = _path("cycle", "Cycle, YYYYMMDDHH", "2026012912", r"^\d{10}$")
REGION = _path("region", "Region key", "pnw")
PRODUCT = _path("product", "Product key", "t2m")
HOUR = _path("hour", "Forecast hour, three digits", "006", r"^\d{3}$")


def _query(name: str, text: str, example: str) -> dict[str, Any]:
    return {
        "name": name,
        "in": "query",
        "description": text,
        "schema": {"type": "string"},
        "example": example,
    }


def _get(
    summary: str,
    kind: str,
    *parameters: dict[str, Any],
    missing: bool = False,
    gone: bool = False,
) -> dict[str, Any]:
    answers: dict[str, Any] = {"200": {"description": "OK", "content": {kind: {}}}}
    if missing:
        answers["404"] = {"description": "Not there; `error` says why in one sentence"}
    if gone:
        answers["410"] = {"description": "Its run was taken off; a picture says so in its place"}
    return {"get": {"summary": summary, "parameters": list(parameters), "responses": answers}}


JSON = "application/json"
PATHS: dict[str, Any] = {
    "/maps/{model}/{cycle}/{region}/{product}/f{hour}.png": _get(
        "One map. Strong ETag; with ?v={hash} immutable for a year",
        "image/png",
        *(MODEL, CYCLE, REGION, PRODUCT, HOUR),
        missing=True,
        gone=True,
    ),
    "/maps/{model}/latest/{region}/{product}/f{hour}.png": _get(
        "302 to the newest run that has this map",
        "image/png",
        MODEL,
        REGION,
        PRODUCT,
        HOUR,
        missing=True,
    ),
    "/maps/{model}/{cycle}/{region}/{product}/f{hour}.vgrid": _get(
        "The values behind a map: docs/value-grids.md has the format. Headers as for the map",
        "application/octet-stream",
        *(MODEL, CYCLE, REGION, PRODUCT, HOUR),
        missing=True,
        gone=True,
    ),
    "/maps/{model}/latest/{region}/{product}/f{hour}.vgrid": _get(
        "302 to the newest run that has these values",
        "application/octet-stream",
        *(MODEL, REGION, PRODUCT, HOUR),
        missing=True,
    ),
    "/api/v1/models": _get("Models with their products, regions and newest run", JSON),
    "/api/v1/runs": _get(
        "Runs, newest first",
        JSON,
        _query("model", "Only runs of this model", "gfs"),
    ),
    "/api/v1/runs/{model}/{cycle}": _get(
        "The manifest: every frame's state, reason, hashes and ETA, and `old_style` where it was "
        "drawn by an earlier configuration; cycle may be `latest`",
        JSON,
        MODEL,
        CYCLE | {"schema": {"type": "string", "pattern": r"^(\d{10}|latest)$"}},
        _query("region", "Only frames of this region", "pnw"),
        _query("product", "Only frames of this product", "t2m"),
        missing=True,
    ),
    "/api/v1/legends/{product}": _get(
        "Levels and colours of the bins that are filled", JSON, PRODUCT, missing=True
    ),
    "/api/v1/status": _get(
        "How the service is: runs and traffic by model, sources, slots, watchdog, cache", JSON
    ),
    "/api/v1/events": _get(
        "Server-sent events: frame.published, run.started, run.complete, status.changed",
        "text/event-stream",
    ),
    "/healthz": _get("The process answers and gets on; 503 when not", JSON),
    "/readyz": _get("200 when there is something to show, else 503 with reasons", JSON),
    "/metrics": _get("Prometheus metrics", "text/plain"),
}
DOCUMENT: dict[str, Any] = {
    "openapi": "3.1.0",
    "info": {
        "title": "twf_async",
        "version": __version__,
        "description": "Forecast maps from NOMADS. Read-only; CORS is open; errors are JSON with"
        " one sentence under `error`.",
    },
    "paths": PATHS,
}


@routes.get("/api/openapi.json")
async def openapi(request: web.Request) -> web.Response:
    """The description for machines."""
    return document(request, DOCUMENT, cache=SHORT)


@routes.get("/api/docs")
async def docs(_: web.Request) -> web.Response:
    """The description for people."""
    rows = "".join(
        f"<tr><td><code>GET {html.escape(path)}</code></td>"
        f"<td>{html.escape(item['get']['summary'])}</td></tr>"
        for path, item in PATHS.items()
    )
    page = (
        "<!doctype html><html lang=en><meta charset=utf-8><title>twf_async API</title>"
        '<meta name=viewport content="width=device-width,initial-scale=1">'
        "<link rel=stylesheet href=/viewer/docs.css><link rel=icon href=/viewer/favicon.svg>"
        f"<h1>twf_async API {__version__}</h1>"
        "<p>Read-only. Machine-readable: <a href=/api/openapi.json>/api/openapi.json</a>.</p>"
        f"<table><thead><tr><th>Route<th>What it gives</thead><tbody>{rows}</tbody></table></html>"
    )
    return web.Response(text=page, content_type="text/html", headers={"Cache-Control": SHORT})
