"""Reloads that were asked for: by a signal, or by somebody who waits to hear how it went."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass

from twf_async.errors import TwfError


@dataclass(frozen=True, slots=True)
class Reloaded:
    """The new configuration is in force; restart_needed: keys that wait for the next start."""

    restart_needed: tuple[str, ...] = ()


class ReloadFailed(TwfError):
    """The configuration is good but could not be put in force; the old one holds."""


class ReloadBroke(TwfError):
    """The new configuration is in force, but not in every part: a fault of ours, that ends us."""


Outcome = Reloaded | TwfError  # the latter: why the new configuration does not hold everywhere


class Reloads:
    """`asked` is set while a reload is wanted; whoever carries it out takes it and tells."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()
        self._waiting: list[asyncio.Future[Outcome]] = []

    async def ask(self) -> Reloaded:
        """Have the configuration read again; returns when it is in force.

        raises  BadConfiguration, ReloadFailed: the old one holds as before
                ReloadBroke: the service ends
        """
        outcome: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        self._waiting.append(outcome)
        self.asked.set()
        result = await outcome
        if isinstance(result, TwfError):
            raise result
        return result

    def take(self) -> tuple[asyncio.Future[Outcome], ...]:
        """Those who asked so far; who asks from now on wants another reload."""
        self.asked.clear()
        waiting, self._waiting = tuple(self._waiting), []
        return waiting

    @staticmethod
    def tell(waiting: Iterable[asyncio.Future[Outcome]], outcome: Outcome) -> None:
        """How it went."""
        for future in waiting:
            if not future.done():  # else nobody waits any more
                future.set_result(outcome)
