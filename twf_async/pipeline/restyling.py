"""Brings older runs to the style of now after the configuration has changed, one after the other.

The newest run is done by its own pipeline. The others are drawn again (`older_run.py`) while no run
of the model is being worked on.
"""

import asyncio
from collections.abc import Callable, Collection
from datetime import datetime, timedelta

import structlog

from render_farm.domain.models import Model
from twf_async.errors import BadInput, TwfError
from twf_async.pipeline.drawing import DiskFull
from twf_async.pipeline.older_run import Restyling
from twf_async.pipeline.opening import styles_now
from twf_async.pipeline.ports import Workshop
from twf_async.publish.reading import UnknownRun

RESTS = timedelta(minutes=10)  # after a fault of ours
NO_ROOM_RESTS = timedelta(minutes=1)  # after a disk took no frames


class OlderRuns:
    """All runs of a model but those that are worked on, brought to the style of now in turn."""

    def __init__(self, model: Model, shop: Workshop, ended: Callable[[], None]) -> None:
        """ended: called whenever one has come to its end."""
        self.task: asyncio.Task[bool] | None = None
        self._model, self._shop, self._ended = model, shop, ended
        self._styles = styles_now(shop.settings(), model)
        self._log = structlog.get_logger(component="pipeline").bind(model=model.key)
        self._run: Restyling | None = None
        self._todo: list[str] | None = None  # newest first; None before anybody has looked
        self._rests_until: datetime | None = None

    @property
    def cycle(self) -> str:
        """The run that is being drawn again, "" for none."""
        return self._run.cycle if self._run is not None else ""

    def look(self, newest: str, busy: Collection[str]) -> None:
        """Mark what is of an earlier style, and go on with a run unless others are *busy*.

        A fault of ours in this must end nothing that matters more: it costs the run it befell, and
        a while of rest.

        newest  the run that is followed: it is never taken here
        """
        if self.task is not None and self.task.done():
            self._collect(self.task)
        if self._rests:
            return
        try:
            self._go_on(newest, busy)
        except Exception:  # noqa: BLE001 - see above
            self._broke()

    @property
    def _rests(self) -> bool:
        return self._rests_until is not None and self._shop.clock.now() < self._rests_until

    def _go_on(self, newest: str, busy: Collection[str]) -> None:
        if self._todo is None:
            cycles = self._shop.tree.runs(self._model.key)
            self._todo = [cycle for cycle in cycles if cycle not in busy and self._is_old(cycle)]
        if busy or self.task is not None:
            return
        while (older := [cycle for cycle in self._todo if cycle < newest]) and not self._rests:
            if self._is_old(older[0]) and self._begin(older[0]):
                return
            self._todo.remove(older[0])

    def drain(self) -> None:
        """Begin no further job; `task` ends when the one that a worker has does."""
        if self._run is None or self.task is None:
            return
        self._run.drain()
        if not self._run.at_work:  # it may stand at the gate for long
            self.task.cancel()

    def _is_old(self, cycle: str) -> bool:
        tree, key = self._shop.tree, self._model.key
        return cycle in tree.runs(key) and bool(tree.restyle(key, cycle, self._styles))

    def _collect(self, task: asyncio.Task[bool]) -> None:
        cycle, self._run, self.task = self.cycle, None, None
        if self._todo is not None and not task.cancelled() and task.result():
            self._todo.remove(cycle)

    def _begin(self, cycle: str) -> bool:
        key = self._model.key
        try:
            self._run = Restyling(key, cycle, self._shop)
        except BadInput:  # of a cycle that the model has no more
            return False
        except Exception:  # noqa: BLE001 - see `look`
            self._broke(cycle)
            return False
        self.task = asyncio.create_task(self._work(self._run), name=f"restyle:{key}.{cycle}")
        self.task.add_done_callback(lambda _: self._ended())
        return True

    async def _work(self, run: Restyling) -> bool:
        try:
            return await run.run()
        except UnknownRun:  # taken off meanwhile
            return True
        except DiskFull:  # told already; it is its turn again when there may be room
            self._rest(NO_ROOM_RESTS)
            return False
        except TwfError as error:
            self._log.warning("pipeline.restyling_failed", cycle=run.cycle, reason=str(error))
            return True
        except Exception:  # noqa: BLE001 - see `look`
            self._broke(run.cycle)
            return True

    def _broke(self, cycle: str | None = None) -> None:
        """A fault of ours: that run is left as it is, and for a while all are."""
        self._log.exception("pipeline.restyling_broke", cycle=cycle)
        self._rest(RESTS)

    def _rest(self, span: timedelta) -> None:
        self._rests_until = self._shop.clock.now() + span
