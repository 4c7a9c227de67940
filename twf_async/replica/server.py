"""The web applications of the loopback NOMADS and of its mirror, put together."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from twf_async.replica import pages
from twf_async.replica.answers import HEADERS, Streamed, page
from twf_async.replica.control import Control
from twf_async.replica.faults.director import Director
from twf_async.replica.faults.middleware import faults
from twf_async.replica.faults.script import Script, Source
from twf_async.replica.file_answers import StaticOptions
from twf_async.replica.filter import FilterOptions, GribFilter
from twf_async.replica.hits import HitLog
from twf_async.replica.limit import Burst, Limit
from twf_async.replica.limiter import RateLimiter
from twf_async.replica.mirror import Mirror, MirrorOptions
from twf_async.replica.static import StaticFiles
from twf_async.replica.tree import FileTree


@dataclass(frozen=True, slots=True)
class ServerOptions:
    """How the server answers beside serving its tree.

    limit   None: no rate limit
    burst   None: nobody is taken for a bot, and no cookie is set
    faults  aiohttp middlewares between the script's faults and the files. One may answer itself,
            spoil the answer, or wait; it enters what it did in `request[HIT].fault`
    """

    static: StaticOptions = field(default_factory=StaticOptions)
    filter: FilterOptions = field(default_factory=FilterOptions)
    limit: Limit | None = None
    burst: Burst | None = None
    faults: Sequence[Middleware] = ()


def create_app(
    tree: FileTree, hits: HitLog, options: ServerOptions, director: Director
) -> web.Application:
    """Build NOMADS: hit log outermost, then the rate limit, the faults, the files.

    *tree* is the one that the director's script has been put over (`ScriptedTree`).
    """
    limiter = RateLimiter(options.limit, options.burst)

    def played(script: Script) -> None:
        limiter.set(script.limit or options.limit, script.burst or options.burst)

    director.on_play(played)
    middlewares = [
        Control(hits, director).middleware(),
        hits.middleware(),
        _deliver,
        limiter.middleware(),
        faults(director, Source.NOMADS),
        *options.faults,
        _apache_errors,
    ]
    app = web.Application(middlewares=middlewares)
    app.on_response_prepare.append(hits.note_status)
    files = StaticFiles(tree, options.static)
    app.add_routes(
        [
            web.get("/cgi-bin/{script}", GribFilter(tree, options.filter).handle, allow_head=False),
            web.get("/", files.handle),
            web.get("/{path:.*}", files.handle),
        ]
    )
    return app


def create_mirror(
    tree: FileTree, hits: HitLog, options: MirrorOptions, director: Director
) -> web.Application:
    """Build the mirror. Its requests are in the same hit log, and meet the same script."""
    middlewares = [hits.middleware(), _deliver, faults(director, Source.MIRROR)]
    app = web.Application(middlewares=middlewares)
    app.on_response_prepare.append(hits.note_status)
    app.add_routes([web.get("/{key:.*}", Mirror(tree, hits.clock, options).handle)])
    return app


@web.middleware
async def _deliver(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Send what is still to be read, within the hit log's view."""
    response = await handler(request)
    if isinstance(response, Streamed):
        try:
            await response.delivery(request, response)
        except ConnectionResetError as gone:  # the client left: its right, and no fault of ours
            raise asyncio.CancelledError from gone
    return response


@web.middleware
async def _apache_errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Word aiohttp's own refusals (a POST, an unknown route) as Apache would."""
    try:
        return await handler(request)
    except web.HTTPNotFound:
        return page(pages.not_found(request.path), status=404)
    except web.HTTPMethodNotAllowed as refused:
        return web.Response(status=405, headers={**HEADERS, "Allow": refused.headers["Allow"]})
