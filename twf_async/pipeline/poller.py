"""Follows one model: finds its newest run, works through it, and turns to the next when it comes.

A newer run with data supersedes the older one, which goes on or not, as the model's
`when_superseded` says. After a restart unfinished runs are taken up at once, before the other side
is asked.
"""

import asyncio
import contextlib
from collections.abc import Iterable

import structlog

from twf_async.errors import BadInput
from twf_async.pipeline.asked import covers, is_coming
from twf_async.pipeline.at_work import RunsAtWork
from twf_async.pipeline.discovery import RunFinder
from twf_async.pipeline.ports import Workshop
from twf_async.pipeline.relook import Relook
from twf_async.pipeline.report import RunRequest
from twf_async.pipeline.restyling import OlderRuns
from twf_async.pipeline.run import RunPipeline
from twf_async.plan.runs import candidates, deadline
from twf_async.publish.manifest import FrameName, RunState

LONGEST_SLEEP_S = 600.0  # a changed clock or configuration is noticed at the latest then


class ModelPoller:
    """Keeps one model's runs coming until it is stopped. Parts: task, start, stop, reload."""

    task: asyncio.Task[None]

    def __init__(self, model: str, shop: Workshop) -> None:
        self.model = model
        self._shop = shop
        self._model = shop.settings().catalog.models[model]
        self._wake = asyncio.Event()
        self._runs = RunsAtWork(model, self._wake.set)
        self._asked: dict[str, RunRequest] = {}  # cycle -> what somebody asked for
        self._following = False  # a reload ends what is under way before it begins anew
        self._finder = RunFinder(self._model, shop)
        self._relook = Relook(self._model, shop)
        self._older = OlderRuns(self._model, shop, self._wake.set)
        self._log = structlog.get_logger(component="poller").bind(model=model)

    async def start(self) -> None:
        """Take up an unfinished run and begin looking for newer ones."""
        self.task = asyncio.create_task(self._follow(), name=f"poller:{self.model}")
        self._log.info("poller.started")

    async def stop(self, *, drain_s: float = 0.0) -> None:
        """Start nothing more, give jobs in flight *drain_s* to end, then cancel."""
        if self.task.done() and not self._runs.cycles and self._older.task is None:
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

    def backfill(self, cycle: str) -> None:
        """Work through an older run as well; what it lacks at the source is not waited for.

        raises  BadInput for a cycle that there cannot be, or that is followed anyway
        """
        name = f"{self.model} {cycle}"
        if cycle in self.active_cycles:
            raise BadInput(f"{name} is being worked on already")
        if cycle >= self._finder.latest:
            newest = self._finder.latest or "unknown yet"
            raise BadInput(f"{name} is not older than the newest run, {newest}: it comes by itself")
        self.take(RunRequest(self.model, cycle, wait=False))

    def take(self, request: RunRequest) -> bool:
        """Work through a run that somebody asks for; False where that is being done anyway.

        A reload does not end it. What it lacks at the source is waited for only where the run is
        followed.

        raises  BadInput for what the model does not have, or cannot be done just now
        """
        cycle, name = request.cycle, f"{self.model} {request.cycle}"
        if cycle > self._finder.latest:
            newest = self._finder.latest or "unknown yet"
            raise BadInput(f"{name} is newer than the newest run, {newest}: it comes by itself")
        if cycle == self._older.cycle:
            raise BadInput(f"{name} is just being drawn in the style of now; ask again later")
        going = cycle in self._runs.cycles
        known = self._runs[cycle].request if going else self._asked.get(cycle)
        if known is not None:
            if not covers(known, request):
                raise BadInput(f"less of {name} is being worked on; ask again when that is done")
            self._asked.setdefault(cycle, request)
            return False
        run = RunPipeline(request, self._shop)
        self._asked[cycle] = request
        if self._following:
            self._runs.begin(run)
        self._log.info("poller.backfill_begun", cycle=cycle)
        return True

    def is_coming(self, cycle: str, frames: Iterable[FrameName]) -> bool:
        """Whether more of a run that was asked for, or of *frames* of it, is to come now.

        Hours of a followed run that have not appeared are not waited for.
        """
        if cycle not in self._runs.cycles:
            return cycle in self._asked
        if self._runs.has_ended(cycle):
            return False
        run = self._runs[cycle]
        if run.progress.finished or not run.request.wait:
            return True  # it opens, or ends by itself
        return is_coming(run.progress, self._shop.clock.now(), frames)

    @property
    def newest(self) -> str:
        """The newest run that is known, "" for none."""
        return self._finder.latest

    @property
    def active_cycles(self) -> frozenset[str]:
        """Cycles being worked on."""
        return frozenset({*self._runs.cycles, self._older.cycle} - {""})

    def status(self) -> dict[str, object]:
        """For the status page: the newest run, and how far the runs being worked on are."""
        return {
            "model": self.model,
            "newest": self._finder.latest or None,
            "looked_at": self._finder.looked_at,
            "fault": self._finder.fault,
            "coming": self._finder.coming(),
            "runs": self._runs.standing(),
        }

    async def _begin_anew(self, drain_s: float) -> None:
        """End by the old configuration what is under way, then follow by that of now.

        A further reload may cancel this at any point; the next one goes on where it was.
        """
        await self._end_runs(drain_s)
        latest = self._finder.latest
        self._model = self._shop.settings().catalog.models[self.model]
        self._finder = RunFinder(self._model, self._shop, latest)
        self._relook = Relook(self._model, self._shop)
        self._older = OlderRuns(self._model, self._shop, self._wake.set)
        self._log.info("poller.reloaded")
        await self._follow(latest)

    async def _follow(self, cycle: str = "") -> None:
        for known in sorted({cycle, *self._unfinished()} - {""}):
            self._supersede()
            self._begin(known)
        self._following = True
        for request in tuple(self._asked.values()):
            self._go_on_with(request)
        while True:
            newer = await self._finder.look()
            if newer is not None:
                self._supersede()
                self._begin(newer, looks=self._finder.looks)
            elif replaced := await self._relook.look(self._finder.latest):
                self._begin(replaced)
            self._older.look(self._finder.latest, self._runs.cycles)
            await self._rest()
            self._collect()

    def _unfinished(self) -> tuple[str, ...]:
        """Runs of the tree that had not ended and may still get on.

        The newest one; and the one before it, where that is finished too and not yet out of time.
        """
        tree, now = self._shop.tree, self._shop.clock.now()
        newest, *older = [*tree.runs(self.model)[:2], ""]
        may = candidates(self._model, now)
        if self._model.when_superseded == "abandon":
            older = []
        return tuple(
            cycle
            for cycle in (newest, *older)
            if cycle in may
            and (cycle == newest or now < deadline(self._model, cycle))
            and tree.summary(self.model, cycle)["state"] == RunState.RUNNING.value
        )

    def _supersede(self) -> None:
        self._older.drain()
        self._runs.supersede()

    def _go_on_with(self, request: RunRequest) -> None:
        """Begin anew what a reload has interrupted."""
        if request.cycle in self._runs.cycles:
            return
        try:
            self._runs.begin(RunPipeline(request, self._shop))
        except BadInput as error:
            self._log.warning("poller.run_refused", cycle=request.cycle, reason=str(error))
            del self._asked[request.cycle]

    def _begin(self, cycle: str, *, looks: int = 0) -> None:
        if cycle in self._runs.cycles:  # somebody asked for it
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

    def _collect(self) -> None:
        """Let go of runs that ended; one that broke breaks the poller, whose owner restarts it."""
        for report in self._runs.collect():
            self._asked.pop(report.cycle, None)
            self._relook.ended(report)

    async def _end_runs(self, drain_s: float) -> None:
        self._older.drain()
        older = self._older.task
        await self._runs.end(drain_s, *([] if older is None else [older]))
