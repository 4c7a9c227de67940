"""The web server as a part: listens while it runs."""

import os

import structlog
from aiohttp import web

from twf_async.errors import TwfError
from twf_async.settings.service import WebSettings
from twf_async.web.application import create_app
from twf_async.web.context import WebContext
from twf_async.web.door import GuardedRunner

DRAIN_S = 2.0  # for requests in flight


class AddressTaken(TwfError):
    """Nobody can listen at the address."""


class Site:
    """aiohttp's runner for our application at one address."""

    def __init__(self, context: WebContext, settings: WebSettings) -> None:
        self._settings = settings
        self._runner = GuardedRunner(create_app(context), shutdown_timeout=DRAIN_S)
        self.url = ""
        self._log = structlog.get_logger(component="web")

    async def start(self) -> None:
        """Listen; AddressTaken names the address when somebody else does."""
        host, port = self._settings.host, self._settings.port
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, host, port).start()
        except OSError as error:
            await self._runner.cleanup()
            raise AddressTaken(
                f"cannot listen at {host}:{port}: {reason(error)};"
                " set web.host and web.port (TWF_WEB__PORT), or stop who listens there"
            ) from error
        chosen = self._runner.addresses[0][1]
        shown = "localhost" if host in {"0.0.0.0", "::"} else host  # noqa: S104 - compared only
        self.url = f"http://{f'[{shown}]' if ':' in shown else shown}:{chosen}/"
        self._log.info("web.started", url=self.url)

    async def stop(self) -> None:
        """Answer what is in flight, then stop listening."""
        await self._runner.cleanup()
        self._log.info("web.stopped")


def reason(error: OSError) -> str:
    """What the system says, without what was tried; numbers of names not found lie below 0."""
    system = os.strerror(error.errno) if error.errno and error.errno > 0 else ""
    return system or error.strerror or str(error)
