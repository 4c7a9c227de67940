"""The viewer: a few static files, read once at start and served from memory."""

import hashlib
import mimetypes
from pathlib import Path

from aiohttp import web

from twf_async.web.answers import tagged

DIRECTORY = Path(__file__).parent / "viewer"
POLICY = (
    "default-src 'self'; img-src 'self' data: blob:; style-src 'self'; script-src 'self';"
    " frame-ancestors *; base-uri 'none'; form-action 'none'"
)


def viewer_routes(directory: Path = DIRECTORY) -> list[web.RouteDef]:
    """`/` and `/viewer/{file}` for every file of the viewer."""
    files = {path.name: path.read_bytes() for path in sorted(directory.iterdir()) if path.is_file()}
    tags = {name: hashlib.sha256(body).hexdigest()[:16] for name, body in files.items()}

    def answer(request: web.Request, name: str) -> web.Response:
        kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
        charset = "utf-8" if kind.startswith("text/") or "script" in kind else None

        def make() -> web.Response:
            made = web.Response(body=files[name], content_type=kind, charset=charset)
            made.headers["Content-Security-Policy"] = POLICY
            return made

        return tagged(request, tags[name], make, cache="no-cache")

    async def index(request: web.Request) -> web.StreamResponse:
        return answer(request, "index.html")

    async def file(request: web.Request) -> web.StreamResponse:
        name = request.match_info["file"]
        if name not in files:
            raise web.HTTPNotFound
        return answer(request, name)

    return [web.get("/", index), web.get("/viewer/{file}", file)]
