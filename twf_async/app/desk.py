"""One poller per enabled model, as one part: started, stopped and reloaded together."""

import asyncio
from collections.abc import Iterable

import structlog

from twf_async.errors import BadInput, TwfError
from twf_async.pipeline.poller import ModelPoller
from twf_async.pipeline.ports import Workshop
from twf_async.pipeline.resuming import close_others
from twf_async.pulse import Pulse


class PollerEnded(Exception):
    """A poller's task returned, which it never should."""


class NotNow(TwfError):
    """The service starts or stops just now, and takes nothing on."""


class Desk:
    """Follows every enabled model. `task` ends when any poller breaks, and says why."""

    task: asyncio.Task[None]

    def __init__(self, workshop: Workshop) -> None:
        self._workshop = workshop
        self._pollers: dict[str, ModelPoller] = {}
        self._leaving: dict[asyncio.Task[None], ModelPoller] = {}
        self._changed = asyncio.Event()
        self._refuses = "the service is just starting; ask again in a moment"
        self._log = structlog.get_logger(component="desk")

    async def start(self) -> None:
        """Start a poller for every enabled model; of others nothing is coming in any more."""
        enabled = self._enabled()
        for key in self._workshop.tree.models():
            if key not in enabled:
                await close_others(key, self._workshop, tuple)
        await self._begin(enabled)
        self.task = asyncio.create_task(self._guard(), name="desk")
        self._refuses = ""

    async def stop(self, *, drain_s: float = 0.0) -> None:
        """Give the jobs in flight *drain_s* to end, then cancel."""
        self._refuses = (
            "the service is stopping; what it has been asked for goes on when it is started again,"
            " and the same command shows how far it is then"
        )
        pollers = [*self._pollers.values(), *self._leaving.values()]
        going = {self.task, *self._leaving}
        for task in going:
            task.cancel()
        await asyncio.wait(going)
        await asyncio.gather(*(poller.stop(drain_s=drain_s) for poller in pollers))
        self._pollers.clear()

    async def reload(self, *, drain_s: float) -> None:
        """Follow the models that are enabled now, by the configuration of now.

        Returns before the jobs in flight have ended: each model goes on as soon as its own have.
        """
        enabled = set(self._enabled())
        for key in [key for key in self._pollers if key not in enabled]:
            self._dismiss(self._pollers.pop(key), drain_s)
        await asyncio.gather(*(poller.reload(drain_s=drain_s) for poller in self._pollers.values()))
        await self._begin(key for key in enabled if key not in self._pollers)
        self._changed.set()

    def poller(self, model: str) -> ModelPoller:
        """Who follows a model; BadInput where nobody does, NotNow during a start and a stop."""
        if self._refuses:
            raise NotNow(self._refuses)
        poller = self._pollers.get(model)
        if poller is None:
            followed = ", ".join(self._pollers)
            raise BadInput(f"{model!r} is not followed; models that are: {followed}")
        return poller

    async def backfill(self, model: str, cycle: str) -> None:
        """Work through an older run of a model as well. Raises BadInput where that cannot be."""
        await self.poller(model).backfill(cycle)

    def active_runs(self) -> frozenset[tuple[str, str]]:
        """(model, cycle) of every run that is being worked on."""
        return frozenset(
            (poller.model, cycle)
            for poller in (*self._pollers.values(), *self._leaving.values())
            for cycle in poller.active_cycles
        )

    def pulses(self) -> tuple[Pulse, ...]:
        """Of those who follow a model."""
        return tuple(poller.pulse for poller in self._pollers.values())

    def status(self) -> dict[str, dict[str, object]]:
        """Every model's newest run and how far it is."""
        return {key: poller.status() for key, poller in self._pollers.items()}

    def _enabled(self) -> list[str]:
        return [model.key for model in self._workshop.settings().catalog.enabled_models]

    async def _begin(self, keys: Iterable[str]) -> None:
        for key in keys:
            if leaving := {task for task, gone in self._leaving.items() if gone.model == key}:
                await asyncio.wait(leaving)  # or two would work on one run
            poller = ModelPoller(key, self._workshop)
            await poller.start()
            self._pollers[key] = poller

    def _dismiss(self, poller: ModelPoller, drain_s: float) -> None:
        """Let a poller end beside the others."""
        task = asyncio.create_task(self._leave(poller, drain_s), name=f"leaving:{poller.model}")
        self._leaving[task] = poller
        task.add_done_callback(lambda task: self._leaving.pop(task, None))

    async def _leave(self, poller: ModelPoller, drain_s: float) -> None:
        await poller.stop(drain_s=drain_s)
        await close_others(poller.model, self._workshop, tuple)

    async def _guard(self) -> None:
        """Raise what a poller raised: systemd then starts us afresh."""
        while True:
            self._changed.clear()
            wake = asyncio.create_task(self._changed.wait(), name="desk-changed")
            tasks = {poller.task for poller in self._pollers.values()}
            try:
                done, _ = await asyncio.wait({wake, *tasks}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                wake.cancel()
            for task in done - {wake}:
                if task.cancelled():  # a reload replaces it
                    continue
                task.result()
                raise PollerEnded(task.get_name())
