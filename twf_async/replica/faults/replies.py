"""Answers that come instead of the file, in the words of nomads.md 2.5 and 2.6."""

from collections.abc import Callable

from aiohttp import web

from twf_async.replica import pages
from twf_async.replica.answers import HEADERS, SERVER, page
from twf_async.replica.faults.kinds import Kind
from twf_async.replica.faults.script import Fault
from twf_async.replica.limit import Refusal
from twf_async.replica.limiter import AKAMAI, bare_redirect, over_limit
from twf_async.replica.mirror import slow_down


def reply(request: web.Request, fault: Fault) -> web.Response:
    """Return the answer of a fault of the family REPLIES."""
    return _REPLIES[fault.kind](request, fault)


def _status(request: web.Request, fault: Fault) -> web.Response:
    status = fault.status
    if status == 500:
        return web.Response(status=500, text="g2sub: internal error\n", headers=SERVER)
    if status == 404:
        return page(pages.not_found(request.path), status=404)
    if status == 403:
        return page(pages.forbidden(request.path), status=403)
    return web.Response(
        status=status, text=pages.FAILURE, content_type="text/html", headers={**HEADERS, **AKAMAI}
    )


def _moved(request: web.Request, _fault: Fault) -> web.Response:
    """Redirect to the same place: one hop may be followed."""
    location = request.rel_url.raw_path_qs
    return page(pages.moved(location), status=302, headers={"Location": location})


def _empty(_request: web.Request, _fault: Fault) -> web.Response:
    return web.Response(headers={**SERVER, "Content-Type": "application/octet-stream"})


_REPLIES: dict[Kind, Callable[[web.Request, Fault], web.Response]] = {
    Kind.STATUS: _status,
    Kind.SLOW_DOWN: lambda request, _: slow_down(request.path),
    Kind.LIMIT_302: lambda *_: over_limit(Refusal.REDIRECT),
    Kind.LIMIT_200: lambda *_: over_limit(Refusal.PAGE),
    Kind.BLOCK_403: lambda *_: over_limit(Refusal.BLOCK),
    Kind.BARE_302: lambda *_: bare_redirect(),
    Kind.MOVED_302: _moved,
    Kind.EMPTY_200: _empty,
    Kind.HTML_200: lambda *_: page(pages.HOME),
}
