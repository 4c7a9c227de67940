"""Gives slots to those who wait for one: in turn, and as far as memory goes."""

import asyncio
import itertools
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog

from twf_async.farm.admission import Load, admits
from twf_async.farm.errors import FarmClosed
from twf_async.farm.machine import Machine
from twf_async.farm.memory import rss_mb
from twf_async.farm.peaks import Peaks
from twf_async.farm.slot import Slot
from twf_async.farm.slots import Slots
from twf_async.farm.turns import Kind, Ticket, Turns

LOOK_AGAIN_S = 1.0  # for memory that somebody else gives back


class Dispatcher:
    """The farm's queue. Nothing ever waits inside an executor."""

    def __init__(self, slots: Slots, machine: Machine, peaks: Peaks) -> None:
        self._slots, self._machine, self._peaks = slots, machine, peaks
        self.running: dict[int, Ticket] = {}  # slot -> what it works on
        self._waiting: dict[Ticket, asyncio.Future[Slot]] = {}
        self._numbers = itertools.count()
        self._turns = Turns()
        self._closed = False
        self._freed = asyncio.Event()
        self._held_since: float | None = None  # the next job waits for memory
        self._look_again: asyncio.TimerHandle | None = None
        self._log = structlog.get_logger(component="farm")

    @property
    def waiting(self) -> Counter[str]:
        """Jobs without a slot, by model."""
        return Counter(ticket.kind.model for ticket in self._waiting if ticket.kind is not None)

    @property
    def held_for_memory(self) -> bool:
        """Whether a slot is idle, but the next job would take more memory than there is."""
        return self._held_since is not None and bool(self._waiting)

    @asynccontextmanager
    async def place(
        self, kind: Kind | None = None, cycle: str = "", hour: int = 0, *, alone: bool = False
    ) -> AsyncIterator[Slot]:
        """Wait for a slot and hold it; see `Ticket`. FarmClosed."""
        if self._closed:
            raise FarmClosed("the farm is stopping and takes no more jobs")
        ticket = Ticket(next(self._numbers), kind, cycle, hour, alone)
        future: asyncio.Future[Slot] = asyncio.get_running_loop().create_future()
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
        if self._look_again is not None:
            self._look_again.cancel()
            self._look_again = None
        while self._waiting and self._slots.idle:
            ticket = self._turns.choose(self._waiting)
            future = self._waiting[ticket]
            if future.done():  # its caller was cancelled and has not run since
                del self._waiting[ticket]
                continue
            if not self._may_start(ticket):
                return
            del self._waiting[ticket]
            slot = self._slots.take()
            self.running[slot.number] = ticket
            self._turns = self._turns.after(ticket)
            future.set_result(slot)

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
            self._freed.clear()
            await self._freed.wait()

    def _release(self, slot: Slot) -> None:
        del self.running[slot.number]
        self._slots.put_back(slot)
        self._freed.set()
        self.dispatch()

    def _may_start(self, ticket: Ticket) -> bool:
        if ticket.kind is None:
            return True
        jobs = [(number, each) for number, each in self.running.items() if each.kind is not None]
        if jobs and (ticket.alone or any(running.alone for _, running in jobs)):
            return False
        if jobs and not self._machine.is_calm():
            self._look_again_soon()
            return False
        pids = {slot.number: slot.pid for slot in self._slots.all}
        load = self._load(ticket, self._slots.next.pid)
        loads = [self._load(running, pids[number]) for number, running in jobs]
        available_mb = self._machine.available_mb()
        may = admits(load, loads, available_mb=available_mb, budget_mb=self._machine.budget_mb)
        self._note_hold(ticket, load.peak_mb, available_mb, held=not may)
        return may

    def _look_again_soon(self) -> None:
        loop = asyncio.get_running_loop()
        self._look_again = loop.call_later(LOOK_AGAIN_S, self.dispatch)

    def _load(self, ticket: Ticket, pid: int | None) -> Load:
        peak_mb = 0.0 if ticket.kind is None else self._peaks.expected_mb(ticket.kind)
        return Load(peak_mb, rss_mb(pid))

    def _note_hold(
        self, ticket: Ticket, peak_mb: float, available_mb: float, *, held: bool
    ) -> None:
        """Tell the start and the end of a wait for memory, and look again meanwhile."""
        now = time.monotonic()
        if held:
            self._look_again_soon()
            if self._held_since is None:
                self._held_since = now
                self._log.info(
                    "farm.memory_awaited",
                    model=ticket.kind.model if ticket.kind else "",
                    cycle=ticket.cycle,
                    hour=ticket.hour,
                    peak_mb=round(peak_mb),
                    available_mb=round(available_mb),
                    running=len(self.running),
                )
        elif self._held_since is not None:
            held_s, self._held_since = now - self._held_since, None
            self._log.info("farm.memory_found", held_s=round(held_s, 1))
