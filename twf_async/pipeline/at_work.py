"""The runs of one model that are being worked on, each in a task of its own."""

import asyncio
from collections.abc import Callable, Collection, Coroutine, Iterator
from typing import Any

import structlog

from twf_async.pipeline.report import RunReport
from twf_async.pipeline.run import RunPipeline
from twf_async.pipeline.standing import standing

Outcome = RunReport | None  # None: it broke, and that was seen to
Work = Callable[[RunPipeline], Coroutine[Any, Any, Outcome]]


class RunsAtWork:
    """Cycle -> run. Whoever begins runs here collects them when they have ended."""

    def __init__(
        self, model: str, ended: Callable[[], None], *, work: Work = RunPipeline.run
    ) -> None:
        """ended: called whenever a run has come to its end.

        work   what works on a run until then
        """
        self._model, self._ended, self._work = model, ended, work
        self._runs: dict[str, tuple[RunPipeline, asyncio.Task[Outcome]]] = {}
        self._log = structlog.get_logger(component="poller").bind(model=model)

    @property
    def cycles(self) -> Collection[str]:
        """Those that were begun and not collected."""
        return self._runs.keys()

    def __getitem__(self, cycle: str) -> RunPipeline:
        return self._runs[cycle][0]

    def has_ended(self, cycle: str) -> bool:
        """Whether a run has come to its end, and waits to be collected."""
        return self._runs[cycle][1].done()

    def standing(self) -> dict[str, dict[str, object]]:
        """How far each is, by cycle, rising."""
        return {cycle: standing(run) for cycle, (run, _) in sorted(self._runs.items())}

    def begin(self, run: RunPipeline) -> None:
        """Let a run get on."""
        cycle = run.request.cycle
        task = asyncio.create_task(self._work(run), name=f"run:{self._model}.{cycle}")
        task.add_done_callback(lambda _: self._ended())
        self._runs[cycle] = (run, task)

    def supersede(self) -> None:
        """A newer run has data: the others are told."""
        for run, _ in self._runs.values():
            run.supersede()

    def collect(self) -> Iterator[RunReport]:
        """Let go of runs that ended; raises what broke one."""
        for cycle, (_, task) in tuple(self._runs.items()):
            if task.done():
                del self._runs[cycle]
                if (report := task.result()) is not None:
                    yield report

    async def end(self, drain_s: float, *others: asyncio.Task[Any]) -> None:
        """Start nothing more, give jobs in flight and *others* so long to end, then cancel."""
        tasks: set[asyncio.Task[Any]] = {*others, *(task for _, task in self._runs.values())}
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
                    self._log.error("poller.run_broke", reason=str(error), exc_info=error)
        self._runs.clear()
