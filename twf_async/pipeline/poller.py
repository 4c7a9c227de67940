"""Follows one model: finds its newest run, works through it, and turns to the next when it comes.

A newer run with data supersedes the older one, which goes on or not, as the model's
`when_superseded` says. After a restart unfinished runs, and those that somebody asked for, are
taken up at once, before the other side is asked.
"""

import asyncio
import contextlib
from collections.abc import Collection, Iterable

import structlog

from twf_async.errors import BadInput
from twf_async.pipeline.asked import covers, is_coming
from twf_async.pipeline.asked_runs import AskedRuns
from twf_async.pipeline.at_work import RunsAtWork
from twf_async.pipeline.discovery import RunFinder
from twf_async.pipeline.opening import extent_of
from twf_async.pipeline.ports import Workshop
from twf_async.pipeline.relook import Relook
from twf_async.pipeline.report import RunRequest
from twf_async.pipeline.restyling import OlderRuns
from twf_async.pipeline.resuming import close_others, to_follow
from twf_async.pipeline.run import RunPipeline
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
        self._runs = RunsAtWork(model, self._wake.set)  # those that are followed
        self._asked = AskedRuns(model, shop, self._wake.set)
        self._following = False  # a reload ends what is under way before it begins anew
        self._interrupted: set[str] = set()  # followed when a reload came
        self._put_off = ""  # the newest run, to be followed once what was asked for of it is there
        self._finder = RunFinder(self._model, shop)
        self._relook = Relook(self._model, shop)
        self._older = OlderRuns(self._model, shop, self._wake.set)
        self._log = structlog.get_logger(component="poller").bind(model=model)

    async def start(self) -> None:
        """Take up what was under way and begin looking for newer runs."""
        await self._asked.recall(followed=self._unfinished())
        self.task = asyncio.create_task(self._follow(), name=f"poller:{self.model}")
        self._log.info("poller.started")

    async def stop(self, *, drain_s: float = 0.0) -> None:
        """Start nothing more, give jobs in flight *drain_s* to end, then cancel."""
        self._following = False
        at_work = self._runs.cycles or self._asked.at_work or self._older.task is not None
        if self.task.done() and not at_work:
            return
        self.task.cancel()
        await asyncio.wait({self.task})
        await self._end_runs(drain_s)
        self._log.info("poller.stopped")

    async def reload(self, *, drain_s: float = 30.0) -> None:
        """Take up the newest run again by the configuration of now; nothing published is lost.

        Returns at once: what workers have of it ends first, in at most *drain_s*.
        """
        self._following = False
        self.task.cancel()
        await asyncio.wait({self.task})
        self.task = asyncio.create_task(self._begin_anew(drain_s), name=f"poller:{self.model}")

    async def backfill(self, cycle: str) -> None:
        """Work through an older run as well; what it lacks at the source is not waited for.

        raises  BadInput for a cycle that there cannot be, or that is followed anyway
        """
        name = f"{self.model} {cycle}"
        if cycle in self.active_cycles:
            raise BadInput(f"{name} is being worked on already")
        extent_of(self._shop.settings(), RunRequest(self.model, cycle))
        if cycle >= self._newest_found(name):
            newest = self._finder.latest
            raise BadInput(f"{name} is not older than the newest run, {newest}: it comes by itself")
        await self.take(RunRequest(self.model, cycle, wait=False))

    async def take(self, request: RunRequest) -> bool:
        """Work through a run that somebody asks for; False where that is being done anyway.

        It is brought even if the service is killed as soon as this has returned. What it lacks at
        the source is waited for only where the run is followed.

        raises  BadInput for what the model does not have, or cannot be done just now
        """
        cycle, name = request.cycle, f"{self.model} {request.cycle}"
        followed = self._runs[cycle].request if cycle in self._runs.cycles else None
        if (known := followed or self._asked.request(cycle)) is not None:
            if not covers(known, request):
                raise BadInput(f"less of {name} is being worked on; ask again when that is done")
            await self._asked.note(request)
            return False
        extent_of(self._shop.settings(), request)
        if cycle > self._newest_found(name):
            newest = self._finder.latest
            raise BadInput(f"{name} is newer than the newest run, {newest}: it comes by itself")
        if cycle == self._older.cycle:
            raise BadInput(f"{name} is just being drawn in the style of now; ask again later")
        await self._asked.note(request)
        self._log.info("poller.backfill_begun", cycle=cycle)
        if self._following and cycle not in self._runs.cycles:
            await self._asked.begin(cycle)
        return True

    def is_coming(self, cycle: str, frames: Iterable[FrameName]) -> bool:
        """Whether more of a run that was asked for, or of *frames* of it, is to come now.

        Hours of a followed run that have not appeared are not waited for.
        """
        if cycle not in self._runs.cycles:
            return cycle in self._asked.cycles
        if self._runs.has_ended(cycle):
            return False
        progress = self._runs[cycle].progress
        if progress.finished:
            return True  # it opens, or ends by itself
        return is_coming(progress, self._shop.clock.now(), frames)

    @property
    def newest(self) -> str:
        """The newest run that is known, "" for none."""
        return self._finder.latest

    @property
    def active_cycles(self) -> frozenset[str]:
        """Cycles being worked on."""
        return frozenset({*self._busy, *self._interrupted, self._older.cycle} - {""})

    def status(self) -> dict[str, object]:
        """For the status page: the newest run, and how far those being worked on are."""
        return {
            "model": self.model,
            "newest": self._finder.latest or None,
            "looked_at": self._finder.looked_at,
            "fault": self._finder.fault,
            "coming": self._finder.coming(),
            "runs": self._asked.standing() | self._runs.standing(),
            "asked": self._asked.status(),
        }

    def _newest_found(self, name: str) -> str:
        """The newest run; BadInput while none is known, for *name* may be the one that comes."""
        if not self._finder.latest:
            raise BadInput(
                f"no run of {self.model} has been found yet, so {name} may come by itself;"
                " ask again when `twf-async status` shows one"
            )
        return self._finder.latest

    async def _begin_anew(self, drain_s: float) -> None:
        """End by the old configuration what is under way, then follow by that of now.

        A further reload may cancel this at any point; the next one goes on where it was.
        """
        going = (cycle for cycle in self._runs.cycles if not self._runs.has_ended(cycle))
        self._interrupted.update(going)
        await self._end_runs(drain_s)
        latest = self._finder.latest
        self._model = self._shop.settings().catalog.models[self.model]
        self._finder = RunFinder(self._model, self._shop, latest)
        self._relook = Relook(self._model, self._shop)
        self._older = OlderRuns(self._model, self._shop, self._wake.set)
        self._log.info("poller.reloaded")
        await self._follow(latest)

    async def _follow(self, cycle: str = "") -> None:
        for known in sorted({cycle, *self._interrupted, *self._unfinished()} - {""}):
            self._supersede()
            self._begin(known)
        self._interrupted.clear()
        await close_others(self.model, self._shop, lambda: self.active_cycles)
        self._following = True
        await self._asked.go_on(self._runs.cycles)
        while True:
            self.pulse.within(LOOK_S)
            newer = await self._finder.look()
            if newer is not None:
                self._supersede()
                self._begin(newer, looks=self._finder.looks)
            elif replaced := await self._relook.look(self._finder.latest):
                self._begin(replaced)
            self._older.look(self._finder.latest, self._busy)
            self.pulse.within(LONGEST_SLEEP_S)
            await self._rest()
            await self._collect()

    def _unfinished(self) -> tuple[str, ...]:
        return to_follow(self._model, self._shop.tree, self._shop.clock.now())

    @property
    def _busy(self) -> Collection[str]:
        return {*self._runs.cycles, *self._asked.cycles}

    def _supersede(self) -> None:
        self._older.drain()
        self._runs.supersede()

    def _begin(self, cycle: str, *, looks: int = 0) -> None:
        if cycle in self._runs.cycles:
            return
        self._put_off = cycle if cycle in self._asked.cycles and self._following else ""
        if self._put_off:
            return
        try:
            request = RunRequest(self.model, cycle)
            since = self._finder.since
            run = RunPipeline(request, self._shop, looks=looks, watched_since=since)
        except BadInput as error:  # a reload took away what this run needs
            self._log.warning("poller.run_refused", cycle=cycle, reason=str(error))
            self._finder.know(cycle)
            return
        self._runs.begin(run)
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
        for report in self._runs.collect():
            await self._asked.forget(report.cycle)
            self._relook.ended(report)
        for report in self._asked.collect():
            self._relook.ended(report)
        if self._put_off and self._put_off not in self._asked.cycles:
            self._begin(self._put_off)

    async def _end_runs(self, drain_s: float) -> None:
        self._older.drain()
        older = self._older.task
        others = [] if older is None else [older]
        await asyncio.gather(self._runs.end(drain_s, *others), self._asked.end(drain_s))
