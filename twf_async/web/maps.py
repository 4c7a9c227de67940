"""The pictures: /maps/{model}/{cycle}/{region}/{product}/f006.png and its `latest` alias.

A frame is served when the manifest says it is published, under its content's hash: with
`?v={hash}` it never changes, without it is asked for again after a minute.
"""

import asyncio
import re

from aiohttp import web

from twf_async.publish.manifest import hour_name
from twf_async.web.answers import IMMUTABLE, SHORT, error, tagged
from twf_async.web.context import context_of

routes = web.RouteTableDef()
FRAME = r"/{region:[a-z0-9_]+}/{product:[a-z0-9_]+}/f{hour:\d{3}}.png"
CYCLE = re.compile(r"\d{10}")


@routes.get("/maps/{model:[a-z0-9_]+}/{cycle:\\d{10}}" + FRAME)
async def frame(request: web.Request) -> web.StreamResponse:
    """One published picture."""
    model, cycle, region, product, hour = _place(request)
    return await picture(request, model, cycle, region, product, hour)


async def picture(
    request: web.Request, model: str, cycle: str, region: str, product: str, hour: int
) -> web.StreamResponse:
    """The PNG of a frame with its strong ETag, or 404 with the reason why it is not there."""
    tree = context_of(request).tree
    digest = tree.frame_hash(model, cycle, region, product, hour)
    if digest is None:
        return _absent(request, model, cycle, region, product, hour)
    path = tree.frame_path(model, cycle, region, product, hour)
    try:
        body = await asyncio.to_thread(path.read_bytes)
    except OSError:
        return error(404, f"{request.path} has just been removed")
    known = request.query.get("v")
    return tagged(
        request,
        digest,
        lambda: web.Response(body=body, content_type="image/png"),
        cache=IMMUTABLE if known == digest else SHORT,
    )


@routes.get("/maps/{model:[a-z0-9_]+}/latest" + FRAME)
async def latest(request: web.Request) -> web.StreamResponse:
    """Send the client to the newest run that has **this** frame, so hot links never break."""
    model, _, region, product, hour = _place(request)
    tree = context_of(request).tree
    cycle = tree.newest_with(model, region, product, hour)
    if cycle is None:
        return error(404, f"no run of {model} has {region}/{product}/{hour_name(hour)} yet")
    digest = tree.frame_hash(model, cycle, region, product, hour)
    target = f"/maps/{model}/{cycle}/{region}/{product}/{hour_name(hour)}.png?v={digest}"
    return web.Response(
        status=302, headers={"Location": target, "Cache-Control": "public, max-age=30"}
    )


def _place(request: web.Request) -> tuple[str, str, str, str, int]:
    match = request.match_info
    return (
        match["model"],
        match.get("cycle", ""),
        match["region"],
        match["product"],
        int(match["hour"]),
    )


def _absent(
    request: web.Request, model: str, cycle: str, region: str, product: str, hour: int
) -> web.Response:
    record = context_of(request).tree.frame_record(model, cycle, region, product, hour)
    if record is None:
        return error(404, f"there is no frame {request.path}")
    reason = record.get("reason", "")
    state = record["state"]
    return error(
        404,
        f"the frame is not published: {state}" + (f" ({reason})" if reason else ""),
        state=state,
        reason=reason,
    )
