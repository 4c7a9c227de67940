"""The control socket as a part: HTTP over a Unix socket, for the service's own user alone."""

from collections.abc import Iterable
from pathlib import Path

import orjson
import structlog
from aiohttp import web

from twf_async.app.control.place import NobodyListens, NoSocket, listen_at, socket_path
from twf_async.app.control.verbs import Verb, by_name
from twf_async.errors import BadInput, TwfError

log = structlog.get_logger(component="control")

DRAIN_S = 2.0
_LONGEST_BODY = 1 << 20


class ControlServer:
    """Answers `verbs` at the socket in *state_dir* while it runs."""

    def __init__(self, state_dir: Path, verbs: Iterable[Verb]) -> None:
        self._state_dir = state_dir
        self._verbs = by_name(verbs)
        app = web.Application(client_max_size=_LONGEST_BODY)
        app.router.add_route("*", "/v1/{verb}", self._answer)
        self._runner = web.AppRunner(
            app, access_log=None, shutdown_timeout=DRAIN_S, handle_signals=False
        )
        self._path: Path | None = None

    async def start(self) -> None:
        """Listen. Where no socket can be, that costs the control, not the service.

        raises  NoControl where another service listens
        """
        try:
            path = socket_path(self._state_dir)
            listener = listen_at(path)
        except (NobodyListens, NoSocket) as error:
            log.warning("control.unavailable", reason=str(error))
            return
        await self._runner.setup()
        await web.SockSite(self._runner, listener).start()
        self._path = path
        log.info("control.started", path=str(path))

    async def stop(self) -> None:
        """Answer what is in flight, then take the socket away."""
        if self._path is None:
            return
        await self._runner.cleanup()
        self._path.unlink(missing_ok=True)
        self._path = None
        log.info("control.stopped")

    async def _answer(self, request: web.Request) -> web.Response:
        try:
            verb = self._verb(request)
            return _json(200, await verb.handle(await _body(request)))
        except TwfError as error:
            status = 400 if isinstance(error, BadInput) else 409
            return _json(status, {"error": str(error), "exit_code": error.exit_code})
        except Exception:
            log.exception("control.request_failed", verb=request.match_info["verb"])
            return _json(500, {"error": "a fault of the service; its log has it", "exit_code": 1})

    def _verb(self, request: web.Request) -> Verb:
        name = request.match_info["verb"]
        verb = self._verbs.get(name)
        if verb is None:
            raise BadInput(f"this service knows no {name!r}, but {', '.join(self._verbs)}")
        if request.method != verb.method:
            raise BadInput(f"{name} is asked for with {verb.method}")
        return verb


async def _body(request: web.Request) -> dict[str, object]:
    text = await request.read()
    try:
        body = orjson.loads(text) if text else {}
    except orjson.JSONDecodeError as error:
        raise BadInput(f"not JSON: {error}") from error
    if not isinstance(body, dict):
        raise BadInput("the body of a request is a JSON object")
    return body


def _json(status: int, content: dict[str, object]) -> web.Response:
    return web.Response(
        status=status,
        body=orjson.dumps(content, default=str),
        content_type="application/json",
    )
