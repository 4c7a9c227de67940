"""/api/v1/events: what happens, as server-sent events."""

from contextlib import suppress

import orjson
from aiohttp import web

from twf_async.publish.events import Event
from twf_async.web.answers import common_headers, error
from twf_async.web.context import context_of
from twf_async.web.door import most_connections

routes = web.RouteTableDef()
KEEPALIVE_S = 20.0  # proxies close a stream that is silent for a minute
MAX_LISTENERS = 500


@routes.get("/api/v1/events")
async def events(request: web.Request) -> web.StreamResponse:
    """Every event from now on; `events.lost` says when a client was too slow."""
    bus = context_of(request).events
    if bus.subscribers >= min(MAX_LISTENERS, most_connections() // 2):
        full = error(503, "too many listen just now; the run's manifest has all that is told here")
        full.headers["Retry-After"] = "30"
        return full
    answer = web.StreamResponse(
        headers=common_headers(request)
        | {
            "Content-Type": "text/event-stream",
            "Cache-Control": "no-cache",
            "X-Accel-Buffering": "no",
        }
    )
    if request.method == "HEAD":  # nothing is to follow
        return answer
    with suppress(ConnectionResetError):  # readers leave without a word
        async with bus.subscribe() as subscription:
            await answer.prepare(request)
            await answer.write(b"retry: 3000\n\n")
            while not subscription.ended:
                event = await subscription.get(KEEPALIVE_S)
                await answer.write(b": still here\n\n" if event is None else _lines(event))
    return answer


def _lines(event: Event) -> bytes:
    data = orjson.dumps(event.data, default=str)
    return b"id: %d\nevent: %s\ndata: %s\n\n" % (event.id, event.name.encode(), data)
