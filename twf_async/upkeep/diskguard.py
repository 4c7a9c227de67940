"""Keeps the disk from running full: makes room first, and holds downloads when that does not do.

Deleting thousands of files on a slow disk takes minutes. It goes on beside the looks then, for the
memory must be looked after meanwhile, and downloads are held until it is done.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from twf_async.pipeline.gate import DispatchGate
from twf_async.settings.service import WatchdogSettings
from twf_async.upkeep.diary import Diary
from twf_async.upkeep.diskroom import DiskRoom, survey
from twf_async.upkeep.disks import GB
from twf_async.upkeep.vitals import Vitals

HOLDER = "disk"  # its name at the gate
TRY_AGAIN_S = 60.0  # what may be deleted changes slowly
PATIENCE_S = 5.0  # for which a look waits for room that is being made


class DiskGuard:
    """Acts on what diskroom.py says."""

    def __init__(
        self,
        gate: DispatchGate,
        settings: Callable[[], WatchdogSettings],
        diary: Diary,
        *,
        make_room: Callable[[Mapping[str, float]], Awaitable[int]],
        tell: Callable[[str], None],
        patience_s: float = PATIENCE_S,
    ) -> None:
        """How room is made, and who else must know.

        make_room   delete what may go until so many bytes are free where each of these directories
                    lies ("cache_dir": bytes); returns how many it deleted
        tell        why nothing new comes, "" when it does again
        patience_s  for which a look waits for that
        """
        self._gate, self._settings, self._diary = gate, settings, diary
        self._make_room, self._tell = make_room, tell
        self._room = DiskRoom()
        self._patience_s = patience_s
        self._tried_at_s: float | None = None
        self._making: asyncio.Task[int] | None = None

    @property
    def room(self) -> DiskRoom:
        """What holds now."""
        return self._room

    async def look(
        self, vitals: Vitals, at_s: float, look_again: Callable[[], Awaitable[Vitals | None]]
    ) -> Vitals:
        """Act on a look; returns the newest one."""
        before = self._room
        after = survey(before, vitals.disks, self._settings())
        freed = 0
        if after.wanted_gb and self._making is None and self._may_try(at_s):
            self._tried_at_s = at_s
            self._making = asyncio.create_task(self._free(after, vitals), name="watchdog-make-room")
        if self._making is not None and await self._is_made(self._making):
            freed, self._making = self._making.result(), None
            vitals = await look_again() or vitals
            after = survey(before, vitals.disks, self._settings())
        self._room = after
        if after.full and after.full != before.full:
            await self._gate.hold_fetches(after.full, by=HOLDER)
            self._tell(after.full)
            self._diary.error("watchdog.fetch_held", vitals, reason=after.full, bytes=freed)
        elif before.full and not after.full:
            await self._gate.release_fetches(by=HOLDER)
            self._tell("")
            self._diary.info("watchdog.fetch_released", vitals)
        if after.low_names - before.low_names:
            directories = sorted(after.low_names)
            self._diary.warning("watchdog.disk_low", vitals, directories=directories)
        return vitals

    async def stop(self) -> None:
        """Make no more room, and leave the gate open."""
        if self._making is not None:
            self._making.cancel()
            await asyncio.wait({self._making})
        await self._gate.release_fetches(by=HOLDER)

    async def _is_made(self, making: asyncio.Task[int]) -> bool:
        await asyncio.wait({making}, timeout=self._patience_s)
        return making.done()

    async def _free(self, room: DiskRoom, vitals: Vitals) -> int:
        """Make room as far as it goes; a file that cannot be deleted must not end the service."""
        try:
            return await self._make_room({name: gb * GB for name, gb in room.wanted_gb.items()})
        except OSError as error:
            self._diary.warning("watchdog.step_failed", vitals, reason=str(error), step="make room")
            return 0

    def _may_try(self, at_s: float) -> bool:
        return self._tried_at_s is None or at_s - self._tried_at_s >= TRY_AGAIN_S
