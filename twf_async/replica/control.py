"""The replica's own pages, below /_replica: they are no hits, and nothing goes wrong with them.

/_replica/hits     GET the hit log, DELETE forgets it
/_replica/manners  GET what the hit log says of the client's manners
/_replica/script   GET the script, POST another one (JSON or, by its Content-Type, TOML), DELETE it
"""

import tomllib
from dataclasses import asdict

import orjson
from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from twf_async.errors import BadInput
from twf_async.replica import manners
from twf_async.replica.faults.director import Director
from twf_async.replica.faults.script import Script, read_script, script_json
from twf_async.replica.hits import HitLog

_JSON = "application/json"
_BELOW = "/_replica/"


class Control:
    """Answers for the replica's own pages."""

    def __init__(self, hits: HitLog, director: Director) -> None:
        self._hits = hits
        self._director = director

    def middleware(self) -> Middleware:
        """Return the middleware to stand before all others."""

        @web.middleware
        async def control(request: web.Request, handler: Handler) -> web.StreamResponse:
            if not request.path.startswith(_BELOW):
                return await handler(request)
            name = request.path.removeprefix(_BELOW)
            if name == "hits" and request.method in {"GET", "DELETE"}:
                return self._hit_log(request)
            if name == "manners" and request.method == "GET":
                report = manners.report(list(self._hits.hits))
                return web.Response(body=orjson.dumps(report), content_type=_JSON)
            if name == "script" and request.method in {"GET", "POST", "DELETE"}:
                return await self._script(request)
            return web.Response(status=404, text=f"no {request.method} {request.path}\n")

        return control

    def _hit_log(self, request: web.Request) -> web.Response:
        if request.method == "DELETE":
            self._hits.hits.clear()
            return web.Response(status=204)
        rows = [asdict(hit) for hit in self._hits.hits]
        return web.Response(body=orjson.dumps(rows), content_type=_JSON)

    async def _script(self, request: web.Request) -> web.Response:
        if request.method == "GET":
            return web.Response(body=script_json(self._director.script), content_type=_JSON)
        script = Script()
        if request.method == "POST":
            text = await request.text()
            try:
                toml = "toml" in request.content_type
                script = read_script(tomllib.loads(text) if toml else orjson.loads(text))
            except (BadInput, ValueError) as error:
                return web.Response(status=400, text=f"{error}\n")
        self._director.play(script)
        return web.Response(status=204)
