"""Keeps the service from running the machine out of memory or disk: shuts the gate in time.

One log line for each change, none for each look. It never kills a working job.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import asdict

import structlog

from twf_async.pipeline.gate import DispatchGate
from twf_async.publish.events import STATUS_CHANGED, EventBus
from twf_async.settings.service import WatchdogSettings
from twf_async.upkeep.verdict import Verdict, judge
from twf_async.upkeep.vitals import Sampler, Vitals

HOLDER = "watchdog"  # its name at the gate


class Watchdog:
    """Looks at the machine at a fixed interval and opens or shuts the gate."""

    task: asyncio.Task[None]

    def __init__(
        self,
        sampler: Sampler,
        gate: DispatchGate,
        events: EventBus,
        settings: Callable[[], WatchdogSettings],
        *,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._sampler, self._gate, self._events = sampler, gate, events
        self._settings = settings
        self._monotonic = monotonic
        self._verdict = Verdict()
        self._vitals: Vitals | None = None
        self._log = structlog.get_logger(component="watchdog")

    async def start(self) -> None:
        """Take a first look: a sampler that cannot see must not start."""
        await self.look()
        self.task = asyncio.create_task(self._run(), name="watchdog")
        self._log.info("watchdog.started", **self._figures())

    async def stop(self) -> None:
        """End looking and leave the gate open."""
        self.task.cancel()
        await asyncio.wait({self.task})
        await self._gate.resume(by=HOLDER)
        await self._gate.release_fetches(by=HOLDER)

    async def look(self) -> None:
        """Sample, judge, act."""
        self._vitals = await asyncio.to_thread(self._sampler.sample)
        before = self._verdict
        self._verdict = after = judge(
            before, self._vitals, self._settings(), self._monotonic(), running=self._gate.running
        )
        await self._pass_on(before, after)

    def status(self) -> dict[str, object]:
        """For the status page."""
        return {
            "paused": self._verdict.paused,
            "fetch_held": self._verdict.fetch_held,
            "disk_low": self._verdict.disk_low,
            "vitals": asdict(self._vitals) if self._vitals else {},
        }

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(self._settings().interval_s)
            await self.look()

    async def _pass_on(self, before: Verdict, after: Verdict) -> None:
        if after.paused and not before.paused:
            await self._gate.pause(after.paused, by=HOLDER)
            self._log.warning("watchdog.paused", reason=after.paused, **self._figures())
        elif before.paused and not after.paused:
            await self._gate.resume(by=HOLDER)
            paused_s = round(self._monotonic() - before.paused_since_s, 1)
            self._log.info("watchdog.resumed", paused_s=paused_s, **self._figures())
        if after.favour:
            await self._gate.let_one_through(by=HOLDER)
            self._log.warning("watchdog.one_let_through", reason=after.paused, **self._figures())
        if after.fetch_held and not before.fetch_held:
            await self._gate.hold_fetches(after.fetch_held, by=HOLDER)
            self._log.error("watchdog.fetch_held", reason=after.fetch_held, **self._figures())
        elif before.fetch_held and not after.fetch_held:
            await self._gate.release_fetches(by=HOLDER)
            self._log.info("watchdog.fetch_released", **self._figures())
        if after.disk_low and not before.disk_low:
            self._log.warning("watchdog.disk_low", **self._figures())
        if (before.paused, before.fetch_held) != (after.paused, after.fetch_held):
            data = {"paused": after.paused, "fetch_held": after.fetch_held}
            self._events.emit(STATUS_CHANGED, {"watchdog": data})

    def _figures(self) -> dict[str, float | None]:
        vitals = self._vitals
        if vitals is None:
            return {}
        return {
            "available_mb": round(vitals.memory_available_mb),
            "limit_mb": round(vitals.memory_limit_mb),
            "swap_used_pct": vitals.swap_used_pct,
            "memory_stall_pct": vitals.memory_stall_pct,
            "io_stall_pct": vitals.io_stall_pct,
            "iowait_pct": vitals.iowait_pct,
            "disk_free_gb": round(vitals.disk_free_gb, 1),
        }
