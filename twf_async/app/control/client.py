"""Asks a running service over its control socket."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import aiohttp

from twf_async.app.control.place import NobodyListens, NoControl, socket_path
from twf_async.errors import TwfError

TIMEOUT_S = 10.0


class BrokeOff(NoControl):
    """The service went away in the middle of an answer."""


class Refused(TwfError):
    """The service would not; its own sentence and exit code."""

    def __init__(self, sentence: str, exit_code: int) -> None:
        super().__init__(sentence)
        self.exit_code = exit_code


def ask(
    state_dir: Path,
    verb: str,
    body: Mapping[str, Any] | None = None,
    *,
    timeout_s: float = TIMEOUT_S,
) -> dict[str, Any]:
    """The answer to a verb, which changes something where there is a *body*.

    raises  NoControl where no service answers (NobodyListens where none runs), Refused where it
            would not
    """
    return asyncio.run(_ask(socket_path(state_dir), verb, body, timeout_s))


async def _ask(
    path: Path, verb: str, body: Mapping[str, Any] | None, timeout_s: float
) -> dict[str, Any]:
    method = "GET" if body is None else "POST"
    limit = aiohttp.ClientTimeout(total=timeout_s)
    connector = aiohttp.UnixConnector(path=str(path))
    try:
        async with (
            aiohttp.ClientSession(connector=connector, timeout=limit) as session,
            session.request(method, f"http://service/v1/{verb}", json=body) as response,
        ):
            answer = await response.json()
    except TimeoutError as error:
        raise NoControl(
            f"the service at {path} does not answer within {timeout_s:g} s;"
            " its log may say why (kill -USR1 dumps what it does)"
        ) from error
    except aiohttp.ClientConnectorError as error:
        raise _unreachable(path, error.os_error) from error
    except aiohttp.ClientError as error:
        raise BrokeOff(f"the service at {path} broke off: {error}") from error
    if response.status != 200:
        raise Refused(str(answer["error"]), int(answer["exit_code"]))
    return dict(answer)


def _unreachable(path: Path, error: OSError) -> NoControl:
    if isinstance(error, PermissionError):
        return NoControl(f"{path} is its owner's alone; ask as the user that the service runs as")
    return NobodyListens(
        f"no service runs here (nobody listens at {path.absolute()});"
        " start it with `twf-async serve`, or name its state with --state or its --config"
    )
