"""Gives places to those who wait for one, in turn. As many jobs are sent off as there are workers.

What waits here costs nothing; what waits in the scheduler would be held by it in full.
"""

import asyncio
import itertools
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from twf_async.farm.dispatch import LOOK_AGAIN_S
from twf_async.farm.errors import FarmClosed
from twf_async.farm.remote.place import Place
from twf_async.farm.turns import Kind, Ticket, Turns


class Berths:
    """The idle places and the queue for them."""

    def __init__(self, is_calm: Callable[[], bool] = lambda: True) -> None:
        """*is_calm*: whether more than one job may be sent off; see `Machine`."""
        self._is_calm = is_calm
        self._look_again: asyncio.TimerHandle | None = None
        self.running: dict[Place, Ticket] = {}
        self._idle: list[Place] = []
        self._waiting: dict[Ticket, asyncio.Future[Place]] = {}
        self._numbers = itertools.count()
        self._turns = Turns()
        self._closed = False
        self._changed = asyncio.Event()

    @property
    def waiting(self) -> Counter[str]:
        """Jobs without a place, by model."""
        return Counter(ticket.kind.model for ticket in self._waiting if ticket.kind is not None)

    def offer(self, place: Place) -> None:
        """A place that is idle. One that is gone is not taken."""
        if not place.is_gone:
            self._idle.append(place)
            self._dispatch()

    @asynccontextmanager
    async def place(self, kind: Kind, cycle: str, hour: int) -> AsyncIterator[Place]:
        """Wait for a place and hold it. FarmClosed.

        Who ends with something `unwanted` in work there does not give the place back: whoever
        sees to that does.
        """
        if self._closed:
            raise FarmClosed("the farm is stopping and takes no more jobs")
        ticket = Ticket(next(self._numbers), kind, cycle, hour)
        future: asyncio.Future[Place] = asyncio.get_running_loop().create_future()
        self._waiting[ticket] = future
        self._dispatch()
        try:
            place = await future
        except asyncio.CancelledError:
            self._waiting.pop(ticket, None)
            if future.done() and not future.cancelled() and future.exception() is None:
                self._release(future.result())
            raise
        try:
            yield place
        finally:
            self._release(place)

    def close(self) -> None:
        """Let nothing more start; who waits is told FarmClosed."""
        self._closed = True
        if self._look_again is not None:
            self._look_again.cancel()
        for future in self._waiting.values():
            if not future.done():
                future.set_exception(FarmClosed("the farm is stopping and takes no more jobs"))
        self._waiting.clear()

    async def settled(self) -> None:
        """Return once nothing is running."""
        while self.running:
            self._changed.clear()
            await self._changed.wait()

    def _dispatch(self) -> None:
        self._idle = [place for place in self._idle if not place.is_gone]
        if self._look_again is not None:
            self._look_again.cancel()
            self._look_again = None
        while self._waiting and self._idle:
            if self.running and not self._is_calm():
                loop = asyncio.get_running_loop()
                self._look_again = loop.call_later(LOOK_AGAIN_S, self._dispatch)
                return
            ticket = self._turns.choose(self._waiting)
            future = self._waiting.pop(ticket)
            if future.done():  # its caller was cancelled and has not run since
                continue
            place = self._idle.pop(0)
            self.running[place] = ticket
            self._turns = self._turns.after(ticket)
            future.set_result(place)

    def _release(self, place: Place) -> None:
        self.running.pop(place, None)
        self._changed.set()
        if place.unwanted is None:
            self.offer(place)
