"""Puts the routes together into one aiohttp application."""

from aiohttp import web

from twf_async.web import api, health, maps, openapi, stream, v1
from twf_async.web.answers import manners
from twf_async.web.context import CONTEXT, WebContext
from twf_async.web.readers import READERS, ReaderThreads
from twf_async.web.slices import SlicedManifests
from twf_async.web.viewer_files import viewer_routes


def create_app(context: WebContext) -> web.Application:
    """The HTTP side of the service over *context*; read-only, keeps but parts of manifests."""
    app = web.Application(middlewares=[manners], client_max_size=64 * 1024)
    app[CONTEXT] = context
    app[api.SLICES] = SlicedManifests()
    app[READERS] = ReaderThreads()
    for room in (health, maps, api, stream, openapi, v1):
        app.add_routes(room.routes)
    app.add_routes(viewer_routes())
    app.on_shutdown.append(_end_streams)
    app.on_cleanup.append(_end_readers)
    return app


async def _end_streams(app: web.Application) -> None:
    """Event streams would otherwise hold the shutdown up until their next sign of life."""
    app[CONTEXT].events.close()


async def _end_readers(app: web.Application) -> None:
    app[READERS].close()
