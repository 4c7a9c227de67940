"""/healthz, /readyz and /metrics, for whoever watches over the service."""

import prometheus_client
from aiohttp import web

from twf_async.web.context import context_of

routes = web.RouteTableDef()


@routes.get("/healthz")
async def healthz(request: web.Request) -> web.Response:
    """The process answers, and its parts get on; else 503 with those that are stuck."""
    stuck = context_of(request).stuck()
    return web.json_response(
        {"status": "stuck", "parts": stuck} if stuck else {"status": "ok"},
        status=503 if stuck else 200,
        headers={"Cache-Control": "no-store"},
    )


@routes.get("/readyz")
async def readyz(request: web.Request) -> web.Response:
    """Configuration loaded, disk fine, at least one run to show; else 503 with the reasons."""
    reasons = context_of(request).not_ready()
    return web.json_response(
        {"status": "not ready" if reasons else "ready", "reasons": reasons},
        status=503 if reasons else 200,
        headers={"Cache-Control": "no-store"},
    )


@routes.get("/metrics")
async def metrics(_: web.Request) -> web.Response:
    """Prometheus text format."""
    return web.Response(
        body=prometheus_client.generate_latest(),
        headers={
            "Content-Type": prometheus_client.CONTENT_TYPE_LATEST,
            "Cache-Control": "no-store",
        },
    )
