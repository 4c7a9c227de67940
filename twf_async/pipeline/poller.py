"""Follows one model: finds its newest run, works through it, and turns to the next when it comes.

A newer run with data supersedes the older one, which then finishes what is there and waits no more.
After a restart the unfinished newest run is taken up at once, before the other side is asked.
"""

import asyncio
import contextlib
from datetime import datetime, timedelta

import structlog

from twf_async.errors import BadInput, FetchError
from twf_async.pipeline.ports import Workshop
from twf_async.pipeline.report import RunReport, RunRequest
from twf_async.pipeline.run import RunPipeline
from twf_async.plan.progress import FileStatus
from twf_async.plan.runs import candidates, first_due, hours_of_cycle, newer_candidates, next_cycle
from twf_async.publish.manifest import RunState

LONGEST_SLEEP_S = 600.0  # a changed clock or configuration is noticed at the latest then


class ModelPoller:
    """Keeps one model's runs coming until it is stopped. Parts: task, start, stop, reload."""

    task: asyncio.Task[None]

    def __init__(self, model: str, shop: Workshop) -> None:
        self.model = model
        self._shop = shop
        self._model = shop.settings().catalog.models[model]
        self._runs: dict[str, tuple[RunPipeline, asyncio.Task[RunReport]]] = {}
        self._latest = ""
        self._looked_at: datetime | None = None
        self._fault = ""
        self._last_report: RunReport | None = None
        self._wake = asyncio.Event()
        self._log = structlog.get_logger(component="poller").bind(model=model)

    async def start(self) -> None:
        """Take up an unfinished run and begin looking for newer ones."""
        self.task = asyncio.create_task(self._follow(), name=f"poller:{self.model}")
        self._log.info("poller.started")

    async def stop(self, *, drain_s: float = 0.0) -> None:
        """Start nothing more, give jobs in flight *drain_s* to end, then cancel."""
        if self.task.done() and not self._runs:
            return
        self.task.cancel()
        await asyncio.wait({self.task})
        await self._end_runs(drain_s)
        self._log.info("poller.stopped")

    async def reload(self, *, drain_s: float = 30.0) -> None:
        """Take up the newest run again by the configuration of now; nothing published is lost."""
        self.task.cancel()
        await asyncio.wait({self.task})
        await self._end_runs(drain_s)
        self._model = self._shop.settings().catalog.models[self.model]
        self.task = asyncio.create_task(self._follow(self._latest), name=f"poller:{self.model}")
        self._log.info("poller.reloaded")

    @property
    def active_cycles(self) -> frozenset[str]:
        """Cycles being worked on."""
        return frozenset(self._runs)

    def status(self) -> dict[str, object]:
        """For the status page: the newest run, and how far the runs being worked on are."""
        return {
            "model": self.model,
            "newest": self._latest or None,
            "looked_at": self._looked_at,
            "fault": self._fault,
            "runs": {cycle: _run_status(run) for cycle, (run, _) in sorted(self._runs.items())},
        }

    async def _follow(self, cycle: str = "") -> None:
        if cycle := cycle or self._unfinished():
            self._begin(cycle)
        while True:
            newer = await self._look()
            if newer is not None:
                for run, _ in self._runs.values():
                    run.supersede()
                self._begin(newer)
            await self._rest()
            self._collect()

    def _unfinished(self) -> str:
        """The newest run of the tree if it had not ended and may still get on, else nothing."""
        tree, now = self._shop.tree, self._shop.clock.now()
        for cycle in tree.runs(self.model)[:1]:
            if tree.summary(self.model, cycle)["state"] == RunState.RUNNING.value:
                return cycle if cycle in candidates(self._model, now) else ""
        return ""

    def _begin(self, cycle: str) -> None:
        try:
            run = RunPipeline(RunRequest(self.model, cycle), self._shop)
        except BadInput as error:  # a reload took away what this run needs
            self._log.warning("poller.run_refused", cycle=cycle, reason=str(error))
            self._latest = max(self._latest, cycle)
            return
        task = asyncio.create_task(run.run(), name=f"run:{self.model}.{cycle}")
        task.add_done_callback(lambda _: self._wake.set())
        self._runs[cycle] = (run, task)
        self._latest = max(self._latest, cycle)

    async def _look(self) -> str | None:
        """A run newer than the latest that has data; a fault of the other side is no answer."""
        self._looked_at = self._shop.clock.now()
        try:
            newer = await self._newer(self._looked_at)
        except FetchError as error:
            if self._fault != error.reason:
                self._log.warning("poller.look_failed", reason=error.reason, detail=str(error))
            self._fault = error.reason
            return None
        self._fault = ""
        if newer is not None:
            self._log.info("poller.run_found", cycle=newer, superseded=self._latest or None)
        return newer

    async def _newer(self, now: datetime) -> str | None:
        model = self._model
        await self._shop.gate.wait_fetch()
        if not self._latest:
            return await self._shop.fetcher.newest_cycle(model)
        for cycle in newer_candidates(model, self._latest, now):
            first = hours_of_cycle(model, cycle)[0]
            if await self._shop.fetcher.exists(model, cycle, first):
                return cycle
        return None

    async def _rest(self) -> None:
        """Sleep until the next look is due or a run ends."""
        clock, model = self._shop.clock, self._model
        pause_s = model.poll_s
        if self._latest:
            due = first_due(model, next_cycle(model, self._latest)) - clock.now()
            pause_s = min(max(pause_s, due / timedelta(seconds=1)), LONGEST_SLEEP_S)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(clock.real_seconds(pause_s)):
                await self._wake.wait()
        self._wake.clear()

    def _collect(self) -> None:
        """Let go of runs that ended; one that broke breaks the poller, whose owner restarts it."""
        for cycle, (_, task) in tuple(self._runs.items()):
            if task.done():
                del self._runs[cycle]
                self._last_report = task.result()

    async def _end_runs(self, drain_s: float) -> None:
        tasks = {task for _, task in self._runs.values()}
        for run, _ in self._runs.values():
            run.drain()
        if tasks and drain_s > 0:
            await asyncio.wait(tasks, timeout=drain_s)
        for task in tasks:
            task.cancel()
        if tasks:
            done, _ = await asyncio.wait(tasks)
            for task in done:
                if not task.cancelled() and (error := task.exception()) is not None:
                    self._log.error("poller.run_broke", reason=str(error))
        self._runs.clear()


def _run_status(run: RunPipeline) -> dict[str, object]:
    count, files = run.count, run.progress.files.values()
    return {
        "frames": count.expected,
        "published": count.published,
        "failed": count.failed,
        "hours_fetched": sum(state.status is FileStatus.FETCHED for state in files),
        "hours_pending": sum(state.status is FileStatus.PENDING for state in files),
        "superseded": run.superseded,
    }
