"""Doing something again after errors that pass."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import structlog

from twf_async.errors import FetchError
from twf_async.fetch.errand import Errand
from twf_async.fetch.errors import NotYetPublished, Throttled, Unsettled
from twf_async.fetch.patience import Patience
from twf_async.fetch.waiter import waiter

T = TypeVar("T")

_log = structlog.get_logger(component="fetch")


async def persist(
    work: Callable[[], Awaitable[T]],
    *,
    patience: Patience,
    errand: Errand,
    again: Callable[[FetchError], bool],
) -> T:
    """Await *work()* until it succeeds or its error cannot pass here.

    errand  for the log: whose file it is
    again   whether this kind of error is repeated at this level
    raises  the last error. Throttled, NotYetPublished and Unsettled at once: others decide when to
            come back
    """
    attempt = 0
    while True:
        attempt += 1
        try:
            return await work()
        except FetchError as error:
            if isinstance(error, (Throttled, NotYetPublished, Unsettled)) or not again(error):
                raise
            pause_s = patience.pause_s(error, attempt)
            if pause_s is None or not waiter.get().may_ask_again(error, pause_s):
                raise
            _log.warning(
                "fetch.retried",
                model=errand.at.model.key,
                cycle=errand.at.cycle,
                hour=errand.at.hour,
                source=errand.at.source.name,
                file=errand.name,
                reason=error.reason,
                detail=str(error)[:300],
                attempt=attempt,
                pause_s=round(pause_s, 2),
            )
            await asyncio.sleep(pause_s)
