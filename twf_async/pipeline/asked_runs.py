"""The runs of one model that somebody has asked for: noted until they have ended.

Neither a kill nor a reload ends them; the next start, or the poller after its reload, goes on with
them. What of them cannot be had is told by their manifests. One that breaks ends as it is, and
alone.
"""

import asyncio
from collections.abc import Callable, Collection
from typing import Any

import structlog

from twf_async.errors import BadInput
from twf_async.ledger.entries import AskedEntry
from twf_async.pipeline.asked import as_noted, covers, joined, noted
from twf_async.pipeline.at_work import Outcome, RunsAtWork
from twf_async.pipeline.owed import Fault
from twf_async.pipeline.ports import Workshop
from twf_async.pipeline.recalling import forgotten
from twf_async.pipeline.report import RunReport, RunRequest
from twf_async.pipeline.resuming import close
from twf_async.pipeline.run import RunPipeline
from twf_async.publish.manifest import RunState

BROKEN = "internal error"
NOT_CONFIGURED = "not configured"


class AskedRuns:
    """What is asked for of one model, and the work on it. Whoever begins them collects them."""

    def __init__(self, model: str, shop: Workshop, ended: Callable[[], None]) -> None:
        """ended: called whenever the work on one has come to its end."""
        self._model, self._shop = model, shop
        self._asked: dict[str, AskedEntry] = {}  # by cycle, as they were asked for
        self._runs = RunsAtWork(model, ended, work=self._work)
        self._reports: list[RunReport] = []  # of those that ended and were let go
        self._log = structlog.get_logger(component="poller").bind(model=model)

    @property
    def cycles(self) -> Collection[str]:
        """Those that have not ended, whether they are being worked on or not."""
        return self._asked.keys()

    @property
    def at_work(self) -> bool:
        """Whether any is being worked on, or was and has not been collected."""
        return bool(self._runs.cycles)

    def request(self, cycle: str) -> RunRequest | None:
        """What is asked for of a run; None where nothing is."""
        entry = self._asked.get(cycle)
        return None if entry is None else as_noted(entry)

    def status(self) -> dict[str, dict[str, Any]]:
        """For the status page: what is asked for, and since when, by cycle."""
        return {
            cycle: {
                "asked_at": entry.asked_at,
                "hours": entry.hours,
                "regions": entry.regions,
                "products": entry.products,
            }
            for cycle, entry in sorted(self._asked.items())
        }

    def standing(self) -> dict[str, dict[str, object]]:
        """How far those are that are being worked on, by cycle."""
        return self._runs.standing()

    async def recall(self, followed: Collection[str]) -> None:
        """Take in what was asked for before the last end of the service.

        A ledger that was lost has forgotten it. Then whatever is still to come of a run, but of
        those *followed*, counts as asked for.
        """
        self._asked = {entry.cycle: entry for entry in await self._shop.ledger.asked(self._model)}
        if not self._shop.ledger.begun_anew:
            return
        for request in forgotten(self._model, self._shop, {*self._asked, *followed}):
            await self.note(request)

    async def note(self, request: RunRequest) -> None:
        """From here on the run is brought, whatever happens to the service."""
        if (known := self.request(request.cycle)) is not None:
            if covers(known, request):
                return
            request = joined(known, request)
        entry = noted(request, self._shop.clock.now())
        self._asked[request.cycle] = entry
        await self._shop.ledger.record_asked(entry)

    async def begin(self, cycle: str) -> None:
        """Work on a run that was asked for, unless that is done already.

        One that the configuration does not allow any more is closed.
        """
        self._let_go()
        request = self.request(cycle)
        if request is None or cycle in self._runs.cycles:
            return
        try:
            run = RunPipeline(request, self._shop)
        except BadInput as error:
            self._log.warning("poller.run_refused", cycle=cycle, reason=str(error))
            await self._close(cycle, Fault(NOT_CONFIGURED, str(error)))
        except Exception as error:  # noqa: BLE001 - noted, it would break every start
            self._log.exception("poller.run_broke", cycle=cycle)
            await self._close(cycle, _fault(error))
        else:
            self._runs.begin(run)

    async def go_on(self, followed: Collection[str]) -> None:
        """Begin what a restart or a reload has interrupted, but what is *followed* anyway."""
        for cycle in tuple(self._asked):
            if cycle not in followed and cycle not in self._runs.cycles:
                self._log.info("poller.asked_resumed", cycle=cycle)
                await self.begin(cycle)

    async def forget(self, cycle: str) -> None:
        """What was asked for of a run is settled."""
        if cycle in self._asked:
            await self._shop.ledger.forget_asked(self._model, cycle)
            # Last: whoever asks meanwhile is told by what is here that it is being done.
            self._asked.pop(cycle, None)

    def collect(self) -> tuple[RunReport, ...]:
        """Let go of those whose work has ended; how they ended."""
        self._let_go()
        reports, self._reports = tuple(self._reports), []
        return reports

    async def end(self, drain_s: float, *others: asyncio.Task[Any]) -> None:
        """As `RunsAtWork.end`; they stay asked for."""
        await self._runs.end(drain_s, *others)

    def _let_go(self) -> None:
        self._reports += self._runs.collect()

    async def _work(self, run: RunPipeline) -> Outcome:
        cycle = run.request.cycle
        try:
            report = await run.run()
        except Exception as error:  # noqa: BLE001 - begun again it would break again
            self._log.exception("poller.run_broke", cycle=cycle)
            await self._close(cycle, _fault(error))
            return None
        if report.state is not RunState.RUNNING:  # else it was drained, and goes on later
            await self.forget(cycle)
        return report

    async def _close(self, cycle: str, fault: Fault) -> None:
        await close(self._model, cycle, self._shop, fault)
        await self.forget(cycle)


def _fault(error: Exception) -> Fault:
    return Fault(BROKEN, f"{type(error).__name__}; the log of the service has more")
