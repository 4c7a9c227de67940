"""Keeps the disk from running full: makes room first, and holds downloads when that does not do."""

from collections.abc import Awaitable, Callable

from twf_async.pipeline.gate import DispatchGate
from twf_async.settings.service import WatchdogSettings
from twf_async.upkeep.diary import Diary
from twf_async.upkeep.diskroom import DiskRoom, survey, wanted_gb
from twf_async.upkeep.vitals import GB, Vitals

HOLDER = "disk"  # its name at the gate
TRY_AGAIN_S = 60.0  # what may be deleted changes slowly


class DiskGuard:
    """Acts on what diskroom.py says."""

    def __init__(
        self,
        gate: DispatchGate,
        settings: Callable[[], WatchdogSettings],
        diary: Diary,
        *,
        make_room: Callable[[float], Awaitable[int]],
        tell: Callable[[str], None],
    ) -> None:
        """How room is made, and who else must know.

        make_room   delete what may go until that many bytes are free; returns how many it deleted
        tell        why nothing new comes, "" when it does again
        """
        self._gate, self._settings, self._diary = gate, settings, diary
        self._make_room, self._tell = make_room, tell
        self._room = DiskRoom()
        self._tried_at_s: float | None = None

    @property
    def room(self) -> DiskRoom:
        """What holds now."""
        return self._room

    async def look(
        self, vitals: Vitals, at_s: float, look_again: Callable[[], Awaitable[Vitals]]
    ) -> Vitals:
        """Act on a look; returns the newest one."""
        before = self._room
        after = survey(before, vitals, self._settings())
        freed = 0
        if after.full and self._may_try(at_s):
            self._tried_at_s = at_s
            freed = await self._free(vitals)
            vitals = await look_again()
            after = survey(before, vitals, self._settings())
        self._room = after
        if after.full and not before.full:
            await self._gate.hold_fetches(after.full, by=HOLDER)
            self._tell(after.full)
            self._diary.error("watchdog.fetch_held", vitals, reason=after.full, bytes=freed)
        elif before.full and not after.full:
            await self._gate.release_fetches(by=HOLDER)
            self._tell("")
            self._diary.info("watchdog.fetch_released", vitals)
        if after.low and not before.low:
            self._diary.warning("watchdog.disk_low", vitals)
        return vitals

    async def stop(self) -> None:
        """Leave the gate open."""
        await self._gate.release_fetches(by=HOLDER)

    async def _free(self, vitals: Vitals) -> int:
        """Make room as far as it goes; a file that cannot be deleted must not end the service."""
        try:
            return await self._make_room(wanted_gb(vitals, self._settings()) * GB)
        except OSError as error:
            self._diary.warning("watchdog.step_failed", vitals, reason=str(error), step="make room")
            return 0

    def _may_try(self, at_s: float) -> bool:
        return self._tried_at_s is None or at_s - self._tried_at_s >= TRY_AGAIN_S
