"""Follows one model: finds its newest run, works through it, and turns to the next when it comes.

A newer run with data supersedes the older one, which goes on or not, as the model's
`when_superseded` says. After a restart unfinished runs, and those that somebody asked for, are
taken up at once, before the other side is asked.
"""

import asyncio
import contextlib
from collections.abc import Iterable

import structlog

from twf_async.pipeline.discovery import RunFinder
from twf_async.pipeline.in_hand import RunsInHand
from twf_async.pipeline.intake import Intake
from twf_async.pipeline.ports import Workshop
from twf_async.pipeline.relook import Relook
from twf_async.pipeline.report import RunRequest
from twf_async.pipeline.resuming import close_others, to_follow
from twf_async.publish.manifest import FrameName
from twf_async.pulse import Pulse

LOOK_S = 3600.0  # at most: it waits behind this model's downloads
LONGEST_SLEEP_S = 600.0  # a changed clock or configuration is noticed at the latest then


class ModelPoller:
    """Keeps one model's runs coming until it is stopped. Parts: task, start, stop, reload."""

    task: asyncio.Task[None]

    def __init__(self, model: str, shop: Workshop) -> None:
        self.model = model
        self.pulse = Pulse(f"poller:{model}", may_wait=True)
        self._shop = shop
        self._model = shop.settings().catalog.models[model]
        self._wake = asyncio.Event()
        self._in_hand = RunsInHand(self._model, shop, self._wake.set)
        self._intake = Intake(model, shop, self._in_hand, lambda: self.newest)
        self._finder = RunFinder(self._model, shop)
        self._relook = Relook(self._model, shop)
        self._log = structlog.get_logger(component="poller").bind(model=model)

    async def start(self) -> None:
        """Take up what was under way and begin looking for newer runs."""
        await self._in_hand.asked.recall(followed=self._unfinished())
        self.task = asyncio.create_task(self._follow(), name=f"poller:{self.model}")
        self._log.info("poller.started")

    async def stop(self, *, drain_s: float = 0.0) -> None:
        """Start nothing more, give jobs in flight *drain_s* to end, then cancel."""
        self._in_hand.goes_on = False
        if self.task.done() and not self._in_hand.at_work:
            return
        self.task.cancel()
        await asyncio.wait({self.task})
        await self._in_hand.end(drain_s)
        self._log.info("poller.stopped")

    async def reload(self, *, drain_s: float = 30.0) -> None:
        """Take up the newest run again by the configuration of now; nothing published is lost.

        Returns at once: what workers have of it ends first, in at most *drain_s*.
        """
        self._in_hand.goes_on = False
        self.task.cancel()
        await asyncio.wait({self.task})
        self.task = asyncio.create_task(self._begin_anew(drain_s), name=f"poller:{self.model}")

    async def backfill(self, cycle: str) -> None:
        """See `Intake.backfill`."""
        await self._intake.backfill(cycle)

    async def take(self, request: RunRequest) -> bool:
        """See `Intake.take`."""
        return await self._intake.take(request)

    def is_coming(self, cycle: str, frames: Iterable[FrameName]) -> bool:
        """See `RunsInHand.is_coming`."""
        return self._in_hand.is_coming(cycle, frames)

    @property
    def newest(self) -> str:
        """The newest run that is known, "" for none."""
        return self._finder.latest

    @property
    def active_cycles(self) -> frozenset[str]:
        """Cycles being worked on."""
        return self._in_hand.cycles

    def status(self) -> dict[str, object]:
        """For the status page: the newest run, and how far those being worked on are."""
        return {
            "model": self.model,
            "newest": self._finder.latest or None,
            "looked_at": self._finder.looked_at,
            "fault": self._finder.fault,
            "coming": self._finder.coming(),
            "runs": self._in_hand.standing(),
            "asked": self._in_hand.asked.status(),
        }

    async def _begin_anew(self, drain_s: float) -> None:
        """End by the old configuration what is under way, then follow by that of now.

        A further reload may cancel this at any point; the next one goes on where it was.
        """
        await self._in_hand.interrupt(drain_s)
        latest = self._finder.latest
        self._model = self._shop.settings().catalog.models[self.model]
        self._finder = RunFinder(self._model, self._shop, latest)
        self._relook = Relook(self._model, self._shop)
        self._in_hand.restyle_for(self._model)
        self._log.info("poller.reloaded")
        await self._follow(latest)

    async def _follow(self, cycle: str = "") -> None:
        in_hand = self._in_hand
        for known in sorted({cycle, *in_hand.interrupted, *self._unfinished()} - {""}):
            in_hand.supersede()
            self._begin(known)
        in_hand.interrupted.clear()
        await close_others(self.model, self._shop, lambda: self.active_cycles)
        in_hand.goes_on = True
        await in_hand.asked.go_on(in_hand.followed.cycles)
        while True:
            self.pulse.within(LOOK_S)
            newer = await self._finder.look()
            if newer is not None:
                in_hand.supersede()
                self._begin(newer, looks=self._finder.looks)
            elif replaced := await self._relook.look(self._finder.latest):
                self._begin(replaced)
            in_hand.older.look(self._finder.latest, in_hand.busy)
            self.pulse.within(LONGEST_SLEEP_S)
            await self._rest()
            await self._collect()

    def _unfinished(self) -> tuple[str, ...]:
        return to_follow(self._model, self._shop.tree, self._shop.clock.now())

    def _begin(self, cycle: str, *, looks: int = 0) -> None:
        if self._in_hand.begin(cycle, looks=looks, since=self._finder.since):
            self._finder.know(cycle)

    async def _rest(self) -> None:
        """Sleep until the next look is due or a run ends."""
        pause_s = min(await self._finder.pause_s(), self._relook.pause_s(), LONGEST_SLEEP_S)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._shop.clock.real_seconds(pause_s)):
                await self._wake.wait()
        self._wake.clear()

    async def _collect(self) -> None:
        """Let go of runs that ended; a followed one that broke breaks the poller, and the service.

        Whoever starts it again begins with the state that is on disk.
        """
        async for report in self._in_hand.collect():
            self._relook.ended(report)
        if waited := self._in_hand.may_begin:
            self._begin(waited)
