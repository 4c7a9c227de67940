"""The web application of the loopback NOMADS, put together."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from twf_async.replica import pages
from twf_async.replica.answers import HEADERS, page
from twf_async.replica.filter import FilterOptions, GribFilter
from twf_async.replica.hits import HitLog
from twf_async.replica.limiter import Limit, RateLimiter
from twf_async.replica.static import StaticFiles, StaticOptions
from twf_async.replica.tree import FileTree


@dataclass(frozen=True, slots=True)
class ServerOptions:
    """How the server answers beside serving its tree.

    limit   None: no rate limit
    faults  aiohttp middlewares between the rate limit and the files. One may answer itself, spoil
            the answer, or wait; it enters what it did in `request[HIT].fault`
    """

    static: StaticOptions = field(default_factory=StaticOptions)
    filter: FilterOptions = field(default_factory=FilterOptions)
    limit: Limit | None = None
    faults: Sequence[Middleware] = ()


def create_app(tree: FileTree, hits: HitLog, options: ServerOptions) -> web.Application:
    """Build the application: hit log outermost, then the rate limit, the faults, the files."""
    middlewares: list[Middleware] = [hits.middleware()]
    if options.limit is not None:
        middlewares.append(RateLimiter(options.limit).middleware())
    middlewares += [*options.faults, _apache_errors]
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


@web.middleware
async def _apache_errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Word aiohttp's own refusals (a POST, an unknown route) as Apache would."""
    try:
        return await handler(request)
    except ConnectionResetError as gone:  # the client left: its right, and no fault of ours
        raise asyncio.CancelledError from gone
    except web.HTTPNotFound:
        return page(pages.not_found(request.path), status=404)
    except web.HTTPMethodNotAllowed as refused:
        return web.Response(status=405, headers={**HEADERS, "Allow": refused.headers["Allow"]})
