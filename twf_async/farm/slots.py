"""The places of a farm: which are free, which are on their way out, how many there are."""

import asyncio
from collections.abc import Iterable

import structlog

from render_farm.worker import entry
from twf_async.errors import FarmError
from twf_async.farm.memory import held
from twf_async.farm.post import SlotSpec
from twf_async.farm.reaper import Reaper
from twf_async.farm.slot import Slot

WARM_S = 60.0  # for a worker to start and answer


class Slots:
    """Owns the slots. Whoever takes one puts it back; only then is it renewed or ended."""

    def __init__(self, spec: SlotSpec, count: int) -> None:
        self._spec, self._reaper = spec, Reaper()
        self._slots = {number: self._slot(number) for number in range(count)}
        self._idle: set[int] = set()
        self._ending: set[int] = set()  # in use, gone once put back
        self._outdated: set[int] = set()  # in use, renewed once put back
        self._log = structlog.get_logger(component="farm")

    async def start(self) -> bool:
        """Start every worker; whether all came with their libraries from the forkserver."""
        warm = await asyncio.gather(
            *(slot.run(entry.is_preloaded, timeout_s=WARM_S) for slot in self._slots.values())
        )
        self._idle = {*self._slots}
        return all(warm)

    @property
    def all(self) -> tuple[Slot, ...]:
        """Every slot, those on their way out included, by number."""
        return tuple(self._slots[number] for number in sorted(self._slots))

    @property
    def size(self) -> int:
        """Slots that stay."""
        return len(self._slots) - len(self._ending)

    @property
    def idle(self) -> int:
        """Slots that can be taken."""
        return len(self._idle)

    @property
    def next(self) -> Slot:
        """The slot that `take` would give; LookupError when none is idle."""
        return self._slots[min(self._idle, default=-1)]

    @property
    def stuck_mb(self) -> float:
        """What workers hold that were killed and are still there, slots that are gone included."""
        return self._reaper.stuck_mb

    def state(self, slot: Slot) -> str:
        """idle, busy, or ending: busy for the last time."""
        if slot.number in self._ending:
            return "ending"
        return "idle" if slot.number in self._idle else "busy"

    def take(self) -> Slot:
        """An idle slot, the lowest: what its worker has learned by heart is used most."""
        slot = self.next
        self._idle.discard(slot.number)
        return slot

    def put_back(self, slot: Slot) -> None:
        """End of use: the slot is idle, gone if it was to end, its worker fresh if it is due."""
        number = slot.number
        if number in self._ending:
            self._ending.discard(number)
            self._retire(number)
            return
        grown = slot.held.pss_mb > self._spec.recycle_above_mb
        if grown:
            self._log.info("farm.worker_outgrown", slot=number, pss_mb=round(slot.held.pss_mb))
        if grown or number in self._outdated:
            self._outdated.discard(number)
            slot.renew(self._spec)
        self._idle.add(number)

    def renew(self, spec: SlotSpec) -> None:
        """Have every worker made anew after *spec*, those in use once they are put back."""
        self._spec = spec
        self._outdated = self._slots.keys() - self._idle
        for number in self._idle:
            self._slots[number].renew(spec)

    async def recycle(self) -> int | None:
        """Replace the idle worker that holds most; its slot, or None where none is idle."""
        workers = {number: self._slots[number].pid for number in self._idle}
        sizes = await asyncio.to_thread(
            lambda: {number: held(pid).pss_mb for number, pid in workers.items()}
        )
        still = [number for number in sizes if number in self._idle]
        if not still:
            return None
        number = max(still, key=lambda each: sizes[each])
        self._idle.discard(number)
        slot = self._slots[number]
        slot.renew(self._spec)
        await self._warm(slot)
        return number

    async def resize(self, count: int) -> None:
        """Have *count* slots: of too many idle ones go first, others after their job."""
        if count < 1:
            raise ValueError(f"a farm has at least one slot, not {count}")
        while self.size < count and self._ending:
            self._ending.discard(min(self._ending))
        for number in self._superfluous(self.size - count):
            if number in self._idle:
                self._idle.discard(number)
                self._retire(number)
            else:
                self._ending.add(number)
        fresh = [self._slot(number) for number in self._free(count - self.size)]
        self._slots |= {slot.number: slot for slot in fresh}
        await asyncio.gather(*(self._warm(slot) for slot in fresh))

    async def close(self, *, kill: bool) -> None:
        """End every worker; what it is doing is cut short only if *kill*."""
        self._idle.clear()
        await asyncio.gather(*(slot.close(kill=kill) for slot in self._slots.values()))

    def kill(self) -> None:
        """End every worker now, without waiting."""
        for slot in self._slots.values():
            slot.kill()

    def _slot(self, number: int) -> Slot:
        return Slot(number, self._spec, self._reaper)

    async def _warm(self, slot: Slot) -> None:
        """Have a slot's worker started before the slot is used. One that fails is made anew."""
        try:
            await slot.run(entry.is_preloaded, timeout_s=WARM_S)
        except FarmError as error:
            self._log.warning("farm.worker_not_started", slot=slot.number, reason=str(error))
        finally:
            self.put_back(slot)

    def _retire(self, number: int) -> None:
        self._outdated.discard(number)
        self._slots.pop(number).retire()

    def _superfluous(self, count: int) -> Iterable[int]:
        """So many slots to do without: idle before busy, the highest first."""
        staying = self._slots.keys() - self._ending
        by_use = sorted(staying, key=lambda number: (number not in self._idle, -number))
        return by_use[: max(0, count)]

    def _free(self, count: int) -> Iterable[int]:
        """The lowest numbers that no slot has."""
        unused = (number for number in range(len(self._slots) + max(0, count)))
        return [number for number in unused if number not in self._slots][: max(0, count)]
