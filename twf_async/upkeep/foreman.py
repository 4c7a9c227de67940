"""Gives memory back by way of the workers: replaces an idle one, gives slots up, takes them back.

When is relief.py's affair; a job is handed back only when nothing else is left. A step may have to
wait for a worker, so it runs beside the looks, one at a time.
"""

import asyncio
from collections.abc import Callable
from typing import Protocol

from twf_async.errors import FarmError
from twf_async.settings.service import WatchdogSettings
from twf_async.upkeep.diary import Diary
from twf_async.upkeep.relief import Relief, Staff, Step, relieve
from twf_async.upkeep.vitals import Vitals


class Crew(Protocol):
    """The farm, as far as memory goes."""

    @property
    def size(self) -> int:
        """Slots there are."""

    @property
    def idle(self) -> int:
        """Slots without a job."""

    @property
    def busy(self) -> int:
        """Jobs in work, those of slots that end after them included."""

    @property
    def worker_mb(self) -> float:
        """What one more worker is counted with."""

    async def recycle(self) -> int | None:
        """Replace the largest idle worker; its slot, None when none is idle."""

    async def resize(self, slots: int) -> None:
        """Have so many slots; one that goes ends when it is idle."""

    async def hand_back(self) -> int | None:
        """Have the job that began last done later, where another goes on; its slot, or None."""


class Foreman:
    """Keeps the farm as large as memory carries."""

    def __init__(
        self,
        crew: Crew,
        settings: Callable[[], WatchdogSettings],
        diary: Diary,
        *,
        full: Callable[[float], int] = lambda _limit_mb: 0,
    ) -> None:
        """*full*: slots there may be when memory is ample, by its limit in MB, which may change.

        At least as many as at the start.
        """
        self._crew, self._settings, self._diary = crew, settings, diary
        self._full, self._least = full, crew.size
        self.full = crew.size
        self._relief = Relief()
        self._step: asyncio.Task[None] | None = None

    @property
    def slots(self) -> int:
        """Slots there are now."""
        return self._crew.size

    async def look(self, vitals: Vitals, at_s: float, *, favoured: bool) -> None:
        """Judge a look and begin what is due; raises what an earlier step raised."""
        if self._step is not None:
            if not self._step.done():
                return
            self._step.result()
            self._step = None
        crew = self._crew
        self.full = max(self._full(vitals.memory_limit_mb), self._least)
        staff = Staff(crew.size, self.full, crew.idle, crew.busy, crew.worker_mb)
        self._relief = relieve(
            self._relief, vitals, self._settings(), at_s, staff, favoured=favoured
        )
        if self._relief.step is not None:
            step = self._take(self._relief.step, staff.size, vitals)
            self._step = asyncio.create_task(step, name=f"watchdog-{self._relief.step}")

    async def stop(self) -> None:
        """Give up a step that is still waiting."""
        if self._step is not None:
            self._step.cancel()
            await asyncio.wait({self._step})

    async def _take(self, step: Step, size: int, vitals: Vitals) -> None:
        try:
            if step is Step.RECYCLE:
                slot = await self._crew.recycle()
                if slot is not None:
                    self._diary.warning("watchdog.worker_recycled", vitals, slot=slot)
            elif step is Step.SHRINK:
                await self._crew.resize(size - 1)
                self._diary.warning("watchdog.slots_given_up", vitals, slots=size - 1)
            elif step is Step.HAND_BACK:
                slot = await self._crew.hand_back()
                if slot is not None:
                    self._diary.warning("watchdog.job_handed_back", vitals, slot=slot)
            else:
                await self._crew.resize(size + 1)
                self._diary.info("watchdog.slots_taken_back", vitals, slots=size + 1)
        except FarmError as error:  # it is ending; whoever runs it says why
            self._diary.warning("watchdog.step_failed", vitals, reason=str(error), step=step.value)
