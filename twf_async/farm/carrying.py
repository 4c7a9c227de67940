"""Lets a job start beside those that run as far as the memory of this machine carries it."""

import time
from collections.abc import Mapping

import structlog

from twf_async.farm.admission import Load, admits
from twf_async.farm.machine import Machine
from twf_async.farm.memory import rss_mb
from twf_async.farm.peaks import Peaks
from twf_async.farm.slot import Slot
from twf_async.farm.slots import Slots
from twf_async.farm.turns import Ticket


class Carrying:
    """What the queue for local slots asks before it gives one; tells of waits for memory."""

    def __init__(self, slots: Slots, machine: Machine, peaks: Peaks) -> None:
        self._slots, self._machine, self._peaks = slots, machine, peaks
        self._held_since: float | None = None
        self._log = structlog.get_logger(component="farm")

    @property
    def is_holding(self) -> bool:
        """Whether the next job was told to wait for memory when it was last asked for."""
        return self._held_since is not None

    def may_start(self, ticket: Ticket, running: Mapping[Slot, Ticket]) -> bool:
        """Whether memory carries *ticket* in the next slot beside what is *running*."""
        if ticket.kind is None:
            return True
        jobs = {slot: each for slot, each in running.items() if each.kind is not None}
        if jobs and (ticket.alone or any(each.alone for each in jobs.values())):
            return False
        if jobs and not self._machine.is_calm():
            return False
        load = self._load(ticket, self._slots.next)
        loads = [self._load(each, slot) for slot, each in jobs.items()]
        room = self._machine.room()
        budget_mb = room.budget_mb - self._slots.stuck_mb
        may = admits(load, loads, available_mb=room.available_mb, budget_mb=budget_mb)
        if may:
            self._note_found()
        else:
            self._note_hold(ticket, load.peak_mb, room.available_mb, len(running))
        return may

    def _load(self, ticket: Ticket, slot: Slot) -> Load:
        peak_mb = 0.0 if ticket.kind is None else self._peaks.expected_mb(ticket.kind)
        return Load(peak_mb, rss_mb(slot.pid))

    def _note_hold(self, ticket: Ticket, peak_mb: float, available_mb: float, running: int) -> None:
        if self._held_since is not None:
            return
        self._held_since = time.monotonic()
        self._log.info(
            "farm.memory_awaited",
            model=ticket.kind.model if ticket.kind else "",
            cycle=ticket.cycle,
            hour=ticket.hour,
            peak_mb=round(peak_mb),
            available_mb=round(available_mb),
            running=running,
        )

    def _note_found(self) -> None:
        if self._held_since is not None:
            held_s, self._held_since = time.monotonic() - self._held_since, None
            self._log.info("farm.memory_found", held_s=round(held_s, 1))
