"""What is taken on for a model when somebody asks for it, and why it is not."""

from collections.abc import Callable

import structlog

from twf_async.errors import BadInput
from twf_async.pipeline.asked import covers
from twf_async.pipeline.in_hand import RunsInHand
from twf_async.pipeline.opening import extent_of
from twf_async.pipeline.ports import Workshop
from twf_async.pipeline.report import RunRequest


class Intake:
    """Takes on runs of one model, so that those *in_hand* go on as they are."""

    def __init__(
        self, model: str, shop: Workshop, in_hand: RunsInHand, newest: Callable[[], str]
    ) -> None:
        """newest: tells the newest run that is known, "" for none."""
        self._model, self._shop, self._in_hand, self._newest = model, shop, in_hand, newest
        self._log = structlog.get_logger(component="poller").bind(model=model)

    async def backfill(self, cycle: str) -> None:
        """Work through an older run as well; what it lacks at the source is not waited for.

        raises  BadInput for a cycle that there cannot be, or that is followed anyway
        """
        name = f"{self._model} {cycle}"
        if cycle in self._in_hand.cycles:
            raise BadInput(f"{name} is being worked on already")
        extent_of(self._shop.settings(), RunRequest(self._model, cycle))
        if cycle >= (newest := self._newest_found(name)):
            raise BadInput(f"{name} is not older than the newest run, {newest}: it comes by itself")
        await self.take(RunRequest(self._model, cycle, wait=False))

    async def take(self, request: RunRequest) -> bool:
        """Work through a run that somebody asks for; False where that is being done anyway.

        It is brought even if the service is killed as soon as this has returned. What it lacks at
        the source is waited for only where the run is followed.

        raises  BadInput for what the model does not have, or cannot be done just now
        """
        cycle, name = request.cycle, f"{self._model} {request.cycle}"
        in_hand = self._in_hand
        if (known := in_hand.request(cycle)) is not None:
            if not covers(known, request):
                raise BadInput(f"less of {name} is being worked on; ask again when that is done")
            await in_hand.asked.note(request)
            return False
        extent_of(self._shop.settings(), request)
        if cycle > (newest := self._newest_found(name)):
            raise BadInput(f"{name} is newer than the newest run, {newest}: it comes by itself")
        if cycle == in_hand.older.cycle:
            raise BadInput(f"{name} is just being drawn in the style of now; ask again later")
        await in_hand.asked.note(request)
        self._log.info("poller.backfill_begun", cycle=cycle)
        if in_hand.goes_on and cycle not in in_hand.followed.cycles:
            await in_hand.asked.begin(cycle)
        return True

    def _newest_found(self, name: str) -> str:
        """The newest run; BadInput while none is known, for *name* may be the one that comes."""
        if not (newest := self._newest()):
            raise BadInput(
                f"no run of {self._model} has been found yet, so {name} may come by itself;"
                " ask again when `twf-async status` shows one"
            )
        return newest
