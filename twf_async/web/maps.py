"""Pictures and the values behind them: /maps/{model}/{cycle}/{region}/{product}/f006.png, .vgrid.

Both are served when the manifest says they are published, under their content's hash: with
`?v={hash}` they never change, without it they are asked for again after a minute. `latest` in the
place of the cycle leads to the newest run that has the frame. Maps are linked from elsewhere: one
of a run that was taken off is 410 Gone, with a picture that says so in its place.
"""

from collections.abc import Callable
from functools import cache
from pathlib import Path

from aiohttp import web

from twf_async.publish.manifest import hour_name
from twf_async.web.answers import IMMUTABLE, SHORT, error, has, tagged
from twf_async.web.context import context_of
from twf_async.web.readers import READERS

routes = web.RouteTableDef()
GONE = Path(__file__).parent / "pictures" / "gone.png"  # by render_farm/render/notices.py
HOUR = "public, max-age=3600"  # a run that is gone may be drawn again, but seldom is
FRAME = "/{region:[a-z0-9_]+}/{product:[a-z0-9_]+}/f{hour:[0-9]{3}}"

Place = tuple[str, str, str, str, int]  # model, cycle, region, product, hour


@routes.get("/maps/{model:[a-z0-9_]+}/{cycle:[0-9]{10}}" + FRAME + ".png")
async def frame(request: web.Request) -> web.StreamResponse:
    """One published picture."""
    return await picture(request, *_place(request))


@routes.get("/maps/{model:[a-z0-9_]+}/{cycle:[0-9]{10}}" + FRAME + ".vgrid")
async def values(request: web.Request) -> web.StreamResponse:
    """The value grid of a published picture; compressed in itself, so never by HTTP."""
    tree, place = context_of(request).tree, _place(request)
    digest = tree.values_hash(*place)
    if digest is None and tree.is_published(*place):
        return error(404, "there is no value grid beside this frame", state="published")
    if digest is not None:
        path = tree.values_path(*place)
        answer = await _file(request, path, digest, "application/octet-stream")
        if answer is not None or tree.values_hash(*place) == digest:
            return answer or _unreadable(request)
    if _is_gone(request, *place):
        gone = error(410, "the run of this frame has been taken offline", state="gone")
        gone.headers["Cache-Control"] = HOUR
        return gone
    return _absent(request, *place)


async def picture(
    request: web.Request, model: str, cycle: str, region: str, product: str, hour: int
) -> web.StreamResponse:
    """The PNG of a frame with its strong ETag.

    404 with the reason why it is not there; 410 with a picture when it was there once.
    """
    tree, place = context_of(request).tree, (model, cycle, region, product, hour)
    digest = tree.frame_hash(*place)
    if digest is not None:
        answer = await _file(request, tree.frame_path(*place), digest, "image/png")
        if answer is not None or tree.frame_hash(*place) == digest:
            return answer or _unreadable(request)
    if _is_gone(request, *place):
        return web.Response(
            status=410,
            body=_gone_picture(),
            content_type="image/png",
            headers={"Cache-Control": HOUR},
        )
    return _absent(request, *place)


async def _file(
    request: web.Request, path: Path, digest: str, kind: str
) -> web.StreamResponse | None:
    """What is in a file, or 304; None where it cannot be read: its run may just have gone.

    It goes out under the hash of what it holds: while a frame is replaced, the new picture lies in
    its place a moment before the manifest says so, and must not be kept for a year as the old one.
    """
    body = b""
    if not has(request, digest):
        try:
            body, digest = await request.app[READERS].read(path)
        except OSError:
            return None
    return tagged(
        request,
        digest,
        lambda: web.Response(body=body, content_type=kind),
        cache=IMMUTABLE if request.query.get("v") == digest else SHORT,
    )


def _unreadable(request: web.Request) -> web.Response:
    """The manifest says that it is there, and the disk does not give it."""
    answer = error(503, f"{request.path} cannot be read from the disk just now")
    answer.headers["Retry-After"] = "60"
    return answer


@routes.get("/maps/{model:[a-z0-9_]+}/latest" + FRAME + ".png")
async def latest(request: web.Request) -> web.StreamResponse:
    """Send the client to the newest run that has **this** frame, so hot links never break."""
    tree = context_of(request).tree
    return _newest(request, tree.newest_with, tree.frame_hash)


@routes.get("/maps/{model:[a-z0-9_]+}/latest" + FRAME + ".vgrid")
async def latest_values(request: web.Request) -> web.StreamResponse:
    """Send the client to the newest run that has this frame's value grid."""
    tree = context_of(request).tree
    return _newest(request, tree.newest_with_values, tree.values_hash)


def _newest(
    request: web.Request,
    newest: Callable[[str, str, str, int], str | None],
    digest: Callable[[str, str, str, str, int], str | None],
) -> web.Response:
    model, _, region, product, hour = _place(request)
    cycle = newest(model, region, product, hour)
    if cycle is None:
        return error(404, f"no run of {model} has {region}/{product}/{hour_name(hour)} yet")
    version = digest(model, cycle, region, product, hour)
    file = request.path.rpartition("/")[2]
    return web.Response(
        status=302,
        headers={
            "Location": f"/maps/{model}/{cycle}/{region}/{product}/{file}?v={version}",
            "Cache-Control": "public, max-age=30",
        },
    )


def _place(request: web.Request) -> Place:
    match = request.match_info
    return (
        match["model"],
        match.get("cycle", ""),
        match["region"],
        match["product"],
        int(match["hour"]),
    )


@cache
def _gone_picture() -> bytes:
    return GONE.read_bytes()


def _is_gone(
    request: web.Request, model: str, cycle: str, region: str, product: str, hour: int
) -> bool:
    """Whether the frame was online once, and its run is not being drawn anew."""
    tree = context_of(request).tree
    place = model, cycle, region, product, hour
    return tree.was_published(*place) and tree.frame_record(*place) is None


def _absent(
    request: web.Request, model: str, cycle: str, region: str, product: str, hour: int
) -> web.Response:
    tree = context_of(request).tree
    record = tree.frame_record(model, cycle, region, product, hour)
    if record is None and tree.was_evicted(model, cycle):
        said = "its run has been taken offline, and of it this frame was never online"
        return error(404, f"there is no frame {request.path}: {said}", state="never_published")
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
