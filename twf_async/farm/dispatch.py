"""Gives slots to those who wait for one, in turn. Nothing ever waits inside an executor.

The same queue hands out the slots of this machine and those of a cluster; what may start beside
what runs is asked of who knows what they share.
"""

import asyncio
import itertools
from collections import Counter
from collections.abc import AsyncIterator, Callable, Hashable, Mapping
from contextlib import asynccontextmanager
from typing import Generic, Protocol, TypeVar

from twf_async.farm.errors import FarmClosed
from twf_async.farm.turns import Kind, Ticket, Turns

S = TypeVar("S", bound=Hashable)
LOOK_AGAIN_S = 1.0  # for what somebody else gives back: nothing of ours tells


class Pool(Protocol[S]):
    """Slots of one sort. Whoever takes one puts it back."""

    @property
    def idle(self) -> int:
        """Slots that can be taken."""

    def take(self) -> S:
        """One of them."""

    def put_back(self, slot: S) -> None:
        """End of use. Whether it is idle then is the pool's affair."""


class Dispatcher(Generic[S]):
    """The queue for the slots of a pool."""

    def __init__(
        self, pool: Pool[S], may_start: Callable[[Ticket, Mapping[S, Ticket]], bool]
    ) -> None:
        """
        may_start  whether a ticket may have a slot beside those that have one; asked again
                   whenever a slot is put back, and in a second
        """
        self._pool, self._may_start = pool, may_start
        self.running: dict[S, Ticket] = {}  # slot -> what it works on
        self._waiting: dict[Ticket, asyncio.Future[S]] = {}
        self._numbers = itertools.count()
        self._turns = Turns()
        self._closed = False
        self._freed = asyncio.Event()
        self._look_again: asyncio.TimerHandle | None = None

    @property
    def waiting(self) -> Counter[str]:
        """Jobs without a slot, by model."""
        return Counter(ticket.kind.model for ticket in self._waiting if ticket.kind is not None)

    @asynccontextmanager
    async def slot(
        self, kind: Kind | None = None, cycle: str = "", hour: int = 0, *, alone: bool = False
    ) -> AsyncIterator[S]:
        """Wait for a slot and hold it; see `Ticket`. FarmClosed."""
        if self._closed:
            raise FarmClosed("the farm is stopping and takes no more jobs")
        ticket = Ticket(next(self._numbers), kind, cycle, hour, alone)
        future: asyncio.Future[S] = asyncio.get_running_loop().create_future()
        self._waiting[ticket] = future
        self.dispatch()
        try:
            slot = await future
        except asyncio.CancelledError:
            self._waiting.pop(ticket, None)
            if future.done() and not future.cancelled() and future.exception() is None:
                self._release(future.result())
            raise
        try:
            yield slot
        finally:
            self._release(slot)

    def dispatch(self) -> None:
        """Start what can start now. To be called when slots or memory may have become free."""
        self._forget_to_look()
        while self._waiting and self._pool.idle:
            ticket = self._turns.choose(self._waiting)
            future = self._waiting[ticket]
            if future.done():  # its caller was cancelled and has not run since
                del self._waiting[ticket]
                continue
            if not self._may_start(ticket, self.running):
                loop = asyncio.get_running_loop()
                self._look_again = loop.call_later(LOOK_AGAIN_S, self.dispatch)
                return
            del self._waiting[ticket]
            slot = self._pool.take()
            self.running[slot] = ticket
            self._turns = self._turns.after(ticket)
            future.set_result(slot)

    def close(self) -> None:
        """Let nothing more start; who waits is told FarmClosed."""
        self._closed = True
        self._forget_to_look()
        for future in self._waiting.values():
            if not future.done():
                future.set_exception(FarmClosed("the farm is stopping and takes no more jobs"))
        self._waiting.clear()

    async def settled(self) -> None:
        """Return once nothing is running."""
        while self.running:
            self._freed.clear()
            await self._freed.wait()

    def _release(self, slot: S) -> None:
        del self.running[slot]
        self._pool.put_back(slot)
        self._freed.set()
        self.dispatch()

    def _forget_to_look(self) -> None:
        if self._look_again is not None:
            self._look_again.cancel()
            self._look_again = None
