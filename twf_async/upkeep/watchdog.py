"""Keeps the service from running the machine out of memory or disk.

Looks at the machine at a fixed interval. Shuts the gate in time (verdict.py), has workers replaced
and slots given up (foreman.py), keeps the disk from running full (diskguard.py). One log line for
each change, none for each look. It ends a job that runs only when no other means is left.
"""

import asyncio
import time
from collections.abc import Callable

from twf_async.errors import TwfError
from twf_async.pipeline.gate import DispatchGate
from twf_async.publish.events import STATUS_CHANGED, EventBus
from twf_async.pulse import Pulse
from twf_async.settings.service import WatchdogSettings
from twf_async.upkeep.diary import Diary
from twf_async.upkeep.diskguard import DiskGuard
from twf_async.upkeep.foreman import Foreman
from twf_async.upkeep.metrics import show_slots, show_state, show_vitals
from twf_async.upkeep.verdict import Verdict, judge
from twf_async.upkeep.vitals import Sampler, Vitals
from twf_async.upkeep.watcher import LATE_S, Watcher

HOLDER = "watchdog"  # its name at the gate


class Blind(TwfError):
    """A first look at the machine came to nothing."""


class Watchdog:
    """Looks at the machine at a fixed interval and sees to it that it lasts."""

    task: asyncio.Task[None]

    def __init__(
        self,
        sampler: Sampler,
        gate: DispatchGate,
        events: EventBus,
        settings: Callable[[], WatchdogSettings],
        *,
        diary: Diary,
        disk: DiskGuard,
        foreman: Foreman | None = None,
        monotonic: Callable[[], float] = time.monotonic,
        late_s: float = LATE_S,
    ) -> None:
        """How it looks and acts.

        foreman   None where the workers are not ours to replace
        late_s    without a look for so long, nothing new starts
        """
        self._watcher, self._late_s = Watcher(sampler, late_s=late_s), late_s
        self._gate, self._events = gate, events
        self._settings = settings
        self._diary, self._foreman, self._disk = diary, foreman, disk
        self._monotonic = monotonic
        self._verdict = Verdict()
        self._vitals: Vitals | None = None
        self._unseen_since_s: float | None = None
        self._told = self._state()
        self.pulse = Pulse("watchdog")

    async def start(self) -> None:
        """Take a first look: a sampler that cannot see must not start; one that is slow may."""
        vitals = await self.look()
        if vitals is None and not self._watcher.is_looking:
            raise Blind(f"the machine cannot be looked at: {self._watcher.fault}")
        self.task = asyncio.create_task(self._run(), name="watchdog")
        self._diary.info("watchdog.started", vitals)

    async def stop(self) -> None:
        """End looking and leave the gate open."""
        self.task.cancel()
        await asyncio.wait({self.task})
        await self._watcher.stop()
        if self._foreman is not None:
            await self._foreman.stop()
        await self._gate.resume(by=HOLDER)
        await self._disk.stop()

    async def look(self) -> Vitals | None:
        """Sample, judge, act; returns the newest sample, None where there is none."""
        at_s = self._monotonic()
        vitals = await self._sample()
        self._note_sight(vitals, at_s)
        if vitals is not None:
            vitals = await self._disk.look(vitals, at_s, self._sample)
        elif not self._is_blind():
            return None  # once is no finding: what held goes on to hold
        before, running = self._verdict, self._gate.running
        self._verdict = judge(before, vitals, self._settings(), at_s, running=running)
        await self._pass_on(before, self._verdict, vitals, at_s)
        if self._foreman is not None and vitals is not None:
            await self._foreman.look(vitals, at_s, favoured=self._verdict.favour)
        self._tell()
        return vitals

    def status(self) -> dict[str, object]:
        """For the status page."""
        return {
            **self._state(),
            "disk_low": self._disk.room.low,
            "slots_configured": None if self._foreman is None else self._foreman.full,
            "vitals": self._vitals.document() if self._vitals else {},
            "unseen": self._watcher.fault,
            "changes": self._diary.recent(),
        }

    async def _run(self) -> None:
        while True:
            self.pulse.within(self._settings().interval_s)
            await asyncio.sleep(self._settings().interval_s)
            await self.look()

    async def _sample(self) -> Vitals | None:
        vitals = await self._watcher.look()
        if vitals is not None:
            self._vitals = vitals
            show_vitals(vitals)
        return vitals

    def _note_sight(self, vitals: Vitals | None, at_s: float) -> None:
        """Say when there is no look any more, and when there is again."""
        if vitals is None and self._unseen_since_s is None:
            self._unseen_since_s = at_s
            self._diary.warning("watchdog.blinded", None, reason=self._watcher.fault)
        elif vitals is not None and self._unseen_since_s is not None:
            unseen_s = round(at_s - self._unseen_since_s, 1)
            self._unseen_since_s = None
            self._diary.info("watchdog.sight_regained", vitals, unseen_s=unseen_s)

    def _is_blind(self) -> bool:
        since_s = self._unseen_since_s
        return since_s is not None and self._monotonic() - since_s >= self._late_s

    async def _pass_on(
        self, before: Verdict, after: Verdict, vitals: Vitals | None, at_s: float
    ) -> None:
        if after.paused and not before.paused:
            await self._gate.pause(after.paused, by=HOLDER)
            self._diary.warning("watchdog.paused", vitals, reason=after.paused)
        elif before.paused and not after.paused:
            await self._gate.resume(by=HOLDER)
            paused_s = round(at_s - before.paused_since_s, 1)
            self._diary.info("watchdog.resumed", vitals, paused_s=paused_s)
        if after.favour and not self._gate.is_paused_by_hand:  # an operator's pause has no favours
            await self._gate.let_one_through(by=HOLDER)
            self._diary.warning("watchdog.one_let_through", vitals, reason=after.paused)

    def _state(self) -> dict[str, object]:
        return {
            "paused": self._verdict.paused,
            "fetch_held": self._disk.room.full,
            "slots": None if self._foreman is None else self._foreman.slots,
        }

    def _tell(self) -> None:
        """Tell who watches the service, where something changed."""
        state = self._state()
        show_state(
            paused=bool(self._verdict.paused),
            held=bool(self._disk.room.full),
            unseen=bool(self._watcher.fault),
        )
        if self._foreman is not None:
            show_slots(self._foreman.slots)
        if state != self._told:
            self._told = state
            self._events.emit(STATUS_CHANGED, {"watchdog": state})
