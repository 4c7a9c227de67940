"""Asks the service that runs, or does it oneself where none does."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from twf_async.app.control.client import TIMEOUT_S, ask
from twf_async.app.control.place import NobodyListens
from twf_async.cli.options import service_state

T = TypeVar("T")


def ask_or(
    alone: Callable[[], T],
    verb: str,
    body: Mapping[str, Any],
    *,
    config_dir: str | None,
    state_dir: Path | None,
    timeout_s: float = TIMEOUT_S,
) -> T | dict[str, Any]:
    """The service's answer, else what *alone* does.

    state_dir  of the service that was named: nobody else will do
    raises     NoControl where a service is there and does not answer, or the one that was named is
               not; Refused
    """
    try:
        return ask(service_state(config_dir, state_dir), verb, body, timeout_s=timeout_s)
    except NobodyListens:
        if state_dir is not None:
            raise
    return alone()
