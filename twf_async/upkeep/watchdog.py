"""Keeps the service from running the machine out of memory or disk.

Looks at the machine at a fixed interval. Shuts the gate in time (verdict.py), has workers replaced
and slots given up (foreman.py), keeps the disk from running full (diskguard.py). One log line for
each change, none for each look. It ends a job that runs only when no other means is left.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import asdict

from twf_async.pipeline.gate import DispatchGate
from twf_async.publish.events import STATUS_CHANGED, EventBus
from twf_async.settings.service import WatchdogSettings
from twf_async.upkeep.diary import Diary
from twf_async.upkeep.diskguard import DiskGuard
from twf_async.upkeep.foreman import Foreman
from twf_async.upkeep.metrics import show_slots, show_state, show_vitals
from twf_async.upkeep.verdict import Verdict, judge
from twf_async.upkeep.vitals import Sampler, Vitals

HOLDER = "watchdog"  # its name at the gate


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
    ) -> None:
        """*foreman*: None where the workers are not ours to replace."""
        self._sampler, self._gate, self._events = sampler, gate, events
        self._settings = settings
        self._diary, self._foreman, self._disk = diary, foreman, disk
        self._monotonic = monotonic
        self._verdict = Verdict()
        self._vitals: Vitals | None = None
        self._told = self._state()

    async def start(self) -> None:
        """Take a first look: a sampler that cannot see must not start."""
        vitals = await self.look()
        self.task = asyncio.create_task(self._run(), name="watchdog")
        self._diary.info("watchdog.started", vitals)

    async def stop(self) -> None:
        """End looking and leave the gate open."""
        self.task.cancel()
        await asyncio.wait({self.task})
        if self._foreman is not None:
            await self._foreman.stop()
        await self._gate.resume(by=HOLDER)
        await self._disk.stop()

    async def look(self) -> Vitals:
        """Sample, judge, act; returns the newest sample."""
        at_s = self._monotonic()
        vitals = await self._disk.look(await self._sample(), at_s, self._sample)
        before, running = self._verdict, self._gate.running
        self._verdict = judge(before, vitals, self._settings(), at_s, running=running)
        await self._pass_on(before, self._verdict, vitals, at_s)
        if self._foreman is not None:
            await self._foreman.look(vitals, at_s, favoured=self._verdict.favour)
        self._tell()
        return vitals

    def status(self) -> dict[str, object]:
        """For the status page."""
        return {
            **self._state(),
            "disk_low": self._disk.room.low,
            "slots_configured": None if self._foreman is None else self._foreman.full,
            "vitals": asdict(self._vitals) if self._vitals else {},
            "changes": self._diary.recent(),
        }

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(self._settings().interval_s)
            await self.look()

    async def _sample(self) -> Vitals:
        self._vitals = await asyncio.to_thread(self._sampler.sample)
        show_vitals(self._vitals)
        return self._vitals

    async def _pass_on(self, before: Verdict, after: Verdict, vitals: Vitals, at_s: float) -> None:
        if after.paused and not before.paused:
            await self._gate.pause(after.paused, by=HOLDER)
            self._diary.warning("watchdog.paused", vitals, reason=after.paused)
        elif before.paused and not after.paused:
            await self._gate.resume(by=HOLDER)
            paused_s = round(at_s - before.paused_since_s, 1)
            self._diary.info("watchdog.resumed", vitals, paused_s=paused_s)
        if after.favour:
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
        show_state(paused=bool(self._verdict.paused), held=bool(self._disk.room.full))
        if self._foreman is not None:
            show_slots(self._foreman.slots)
        if state != self._told:
            self._told = state
            self._events.emit(STATUS_CHANGED, {"watchdog": state})
