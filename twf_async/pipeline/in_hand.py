"""The runs of one model that are in hand: followed, asked for, or drawn in the style of now."""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Iterable
from datetime import datetime

import structlog

from render_farm.domain.models import Model
from twf_async.errors import BadInput
from twf_async.pipeline.asked import is_coming
from twf_async.pipeline.asked_runs import AskedRuns
from twf_async.pipeline.at_work import RunsAtWork
from twf_async.pipeline.ports import Workshop
from twf_async.pipeline.report import RunReport, RunRequest
from twf_async.pipeline.restyling import OlderRuns
from twf_async.pipeline.run import RunPipeline
from twf_async.publish.manifest import FrameName


class RunsInHand:
    """What of a model is worked on, whoever wanted it. Whoever begins runs collects them.

    followed     those that come in by themselves
    asked        those that somebody has asked for
    older        those that are brought to the style of now
    interrupted  cycles that were followed when a reload came
    goes_on      False before a start, and while a reload ends what is under way to begin it anew
    """

    def __init__(self, model: Model, shop: Workshop, ended: Callable[[], None]) -> None:
        """ended: called whenever the work on a run has come to its end."""
        self._key, self._shop, self._ended = model.key, shop, ended
        self._put_off = ""  # the newest run, to be followed once what was asked for of it is there
        self.followed = RunsAtWork(model.key, ended)
        self.asked = AskedRuns(model.key, shop, ended)
        self.restyle_for(model)
        self.interrupted: set[str] = set()
        self.goes_on = False
        self._log = structlog.get_logger(component="poller").bind(model=model.key)

    def restyle_for(self, model: Model) -> None:
        """Bring older runs to the style of now, by the *model* as it is configured now."""
        self.older = OlderRuns(model, self._shop, self._ended)

    @property
    def cycles(self) -> frozenset[str]:
        """Cycles being worked on, or about to be."""
        return frozenset({*self.busy, *self.interrupted, self.older.cycle} - {""})

    @property
    def busy(self) -> Collection[str]:
        """Those of them that are worth more than older runs in another style."""
        return {*self.followed.cycles, *self.asked.cycles}

    @property
    def at_work(self) -> bool:
        """Whether any is being worked on, or was and has not been collected."""
        return bool(self.followed.cycles) or self.asked.at_work or self.older.task is not None

    def request(self, cycle: str) -> RunRequest | None:
        """What of a run is being brought; None where nothing is."""
        followed = self.followed[cycle].request if cycle in self.followed.cycles else None
        return followed or self.asked.request(cycle)

    def is_coming(self, cycle: str, frames: Iterable[FrameName]) -> bool:
        """Whether more of a run that was asked for, or of *frames* of it, is to come now.

        Hours of a followed run that have not appeared are not waited for.
        """
        if cycle not in self.followed.cycles:
            return cycle in self.asked.cycles
        if self.followed.has_ended(cycle):
            return False
        progress = self.followed[cycle].progress
        if progress.finished:
            return True  # it opens, or ends by itself
        return is_coming(progress, self._shop.clock.now(), frames)

    def standing(self) -> dict[str, dict[str, object]]:
        """How far each is, by cycle."""
        return self.asked.standing() | self.followed.standing()

    def supersede(self) -> None:
        """A newer run has data: the others are told."""
        self.older.drain()
        self.followed.supersede()

    def begin(self, cycle: str, *, looks: int, since: datetime) -> bool:
        """Follow a run; whether it is known now, which it is if it was refused as well.

        One that is followed already goes on, and one of which somebody has asked for more waits
        until that is there: see `may_begin`.

        looks, since   how it was found: see `RunPipeline`
        """
        if cycle in self.followed.cycles:
            return False
        self._put_off = cycle if cycle in self.asked.cycles and self.goes_on else ""
        if self._put_off:
            return False
        try:
            request = RunRequest(self._key, cycle)
            run = RunPipeline(request, self._shop, looks=looks, watched_since=since)
        except BadInput as error:  # a reload took away what this run needs
            self._log.warning("poller.run_refused", cycle=cycle, reason=str(error))
            return True
        self.followed.begin(run)
        return True

    @property
    def may_begin(self) -> str:
        """The run that had to wait and can be followed now, "" for none."""
        return "" if self._put_off in self.asked.cycles else self._put_off

    async def collect(self) -> AsyncIterator[RunReport]:
        """Let go of runs that ended; raises what broke a followed one."""
        for report in self.followed.collect():
            await self.asked.forget(report.cycle)
            yield report
        for report in self.asked.collect():
            yield report

    async def interrupt(self, drain_s: float) -> None:
        """As `end`; what was followed is taken up again."""
        followed = self.followed
        going = (cycle for cycle in followed.cycles if not followed.has_ended(cycle))
        self.interrupted.update(going)
        await self.end(drain_s)

    async def end(self, drain_s: float) -> None:
        """Start nothing more, give jobs in flight *drain_s* to end, then cancel."""
        self.older.drain()
        older = self.older.task
        others = [] if older is None else [older]
        await asyncio.gather(self.followed.end(drain_s, *others), self.asked.end(drain_s))
