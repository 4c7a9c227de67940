"""How answers look: JSON with an ETag, errors with one plain sentence, headers for caches."""

import hashlib
import re
from collections.abc import Awaitable, Callable

import orjson
import structlog
from aiohttp import web

from twf_async.web.context import context_of
from twf_async.web.readers import READERS

log = structlog.get_logger(component="web")

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
IMMUTABLE = "public, max-age=31536000, immutable"
SHORT = "public, max-age=60"
LISTING = "public, max-age=10"
WORTH_COMPRESSING = 2048
COMPRESS_ON_LOOP = 16384  # larger bodies are compressed in a thread
_REFUSED = re.compile(r"\s*q\s*=\s*0(\.0*)?\s*")
SECURITY_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "strict-origin-when-cross-origin",
}


def error(status: int, sentence: str, **facts: object) -> web.Response:
    """An error as JSON: `{"error": sentence, ...facts}`; never cached for long."""
    return web.json_response(
        {"error": sentence, **facts},
        status=status,
        headers={"Cache-Control": "public, max-age=5" if status == 404 else "no-store"},
    )


def document(request: web.Request, body: object, *, cache: str = LISTING) -> web.Response:
    """A JSON document with a strong ETag; 304 when the client has it."""
    text = body if isinstance(body, bytes) else orjson.dumps(body, default=str)
    answer = tagged(
        request,
        hashlib.sha256(text).hexdigest()[:16],
        lambda: web.Response(
            body=text,
            content_type="application/json",
            zlib_executor_size=COMPRESS_ON_LOOP,
            zlib_executor=request.app[READERS].packer,
        ),
        cache=cache,
    )
    if len(text) > WORTH_COMPRESSING:  # a large run's manifest is 1.2 MB
        answer.headers["Vary"] = "Accept-Encoding"
        if answer.status == web.HTTPOk.status_code and _takes_gzip(request):
            answer.enable_compression(web.ContentCoding.gzip)
    return answer


def _takes_gzip(request: web.Request) -> bool:
    """Whether the client can read it. aiohttp itself gives it to those who say `gzip;q=0`."""
    for listed in request.headers.get("Accept-Encoding", "").lower().split(","):
        coding, _, quality = listed.partition(";")
        if coding.strip() == "gzip":
            return _REFUSED.fullmatch(quality) is None
    return False


def tagged(
    request: web.Request, tag: str, make: Callable[[], web.Response], *, cache: str
) -> web.Response:
    """The answer of *make* under a strong ETag, or 304."""
    answer = web.Response(status=304) if has(request, tag) else make()
    answer.etag = tag
    answer.headers["Cache-Control"] = cache
    return answer


def has(request: web.Request, tag: str) -> bool:
    """Whether the client says that it holds what has this tag."""
    return any(etag.value in {tag, "*"} for etag in request.if_none_match or ())


def common_headers(request: web.Request) -> dict[str, str]:
    """What every answer carries; a stream adds it before it begins."""
    origin = context_of(request).settings().service.web.allow_origin
    return SECURITY_HEADERS | ({"Access-Control-Allow-Origin": origin} if origin else {})


@web.middleware
async def manners(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn errors into sentences; add CORS and security headers to everything."""
    try:
        answer = await handler(request)
    except web.HTTPNotFound:
        answer = error(404, f"there is nothing at {request.path}; see /api/docs")
    except web.HTTPMethodNotAllowed as fault:
        answer = error(405, f"{request.method} is not allowed here")
        answer.headers["Allow"] = ", ".join(sorted(fault.allowed_methods))
    except (web.HTTPException, ConnectionError):
        raise
    except Exception:
        log.exception("web.request_failed", path=request.path)
        answer = error(500, "this service has made a mistake; its log says which")
    if not answer.prepared:
        answer.headers.update(common_headers(request))
    return answer
