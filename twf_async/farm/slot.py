"""One worker's place: exactly one call in flight, in a long-lived process that is replaced."""

import asyncio
import signal
import time
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool
from typing import TypeVar

from twf_async.farm.errors import FarmClosed, JobHandedBack, JobTimedOut, WorkerDied
from twf_async.farm.losses import NO_STATUS
from twf_async.farm.memory import Held, held
from twf_async.farm.post import ENDED, Post, SlotSpec
from twf_async.farm.reaper import Reaper
from twf_async.farm.waiting import step

T = TypeVar("T")
KILLED = {-signal.SIGKILL, NO_STATUS, None}  # what can be seen of a worker that we killed


class Slot:
    """Runs one call at a time in a long-lived child process, which it replaces when it dies."""

    def __init__(self, number: int, spec: SlotSpec, reaper: Reaper | None = None) -> None:
        self.number = number
        self.jobs_done = 0  # counted by whoever knows what a job is
        self.busy_since: float | None = None
        self._reaper = reaper or Reaper()
        self._post = Post(number, spec, self._reaper)
        self._handed_back = False

    @property
    def pid(self) -> int | None:
        """The worker's process, if there is one now."""
        worker = self._post.worker
        return worker.pid if worker else None

    @property
    def held(self) -> Held:
        """Memory of the worker, when it was last weighed."""
        worker = self._post.worker
        return worker.held if worker else Held()

    @property
    def is_fresh(self) -> bool:
        """Whether the worker has not been asked anything yet, or is yet to be made."""
        return self._post.is_fresh

    @property
    def stuck(self) -> list[int]:
        """Processes of this slot that were killed and are still there."""
        return self._reaper.stuck(self.number)

    async def run(self, call: Callable[..., T], *arguments: object, timeout_s: float) -> T:
        """Call a function of the worker.

        A cancelled run kills the worker: a slot is never left busy with something unwanted.

        timeout_s  from when a worker is there; without what passes while this process is stopped
        raises  WorkerDied, JobTimedOut, JobHandedBack, which cost this call only; FarmClosed of a
                slot that was retired; what the call raises
        """
        self.busy_since, self._handed_back = time.monotonic(), False
        try:
            future = await self._post.hand(call, *arguments)
            return await self._answer(future, timeout_s)
        except BrokenProcessPool:
            if self._post.retired:
                raise FarmClosed(ENDED) from None
            exit_code = await self._post.see_off()
            if self._handed_back and exit_code in KILLED:
                raise JobHandedBack from None
            raise WorkerDied(exit_code) from None
        except JobTimedOut:
            await self._post.see_off(kill=True)
            raise
        except asyncio.CancelledError:
            self._post.let_go(kill=True)
            raise
        finally:
            self.busy_since = None

    async def weigh(self) -> None:
        """Note what memory the worker holds."""
        worker = self._post.worker
        if worker is not None:
            worker.held = await asyncio.to_thread(held, worker.pid)

    def hand_back(self) -> None:
        """Take back what is in work: its run ends with JobHandedBack."""
        self._handed_back = True
        self.kill()

    def renew(self, spec: SlotSpec | None = None) -> None:
        """Replace the idle worker by a fresh one, made after *spec* from now on."""
        self._post.spec = spec or self._post.spec
        self._post.let_go()

    def retire(self) -> None:
        """End the idle worker for good."""
        self._post.retired = True
        self._post.let_go()

    def kill(self) -> None:
        """End the worker now, in whatever it is doing."""
        if self._post.worker is not None:
            self._post.worker.kill()

    async def close(self, *, kill: bool = False) -> None:
        """End the worker for good; with *kill* at once, else when it has nothing to do."""
        self._post.retired = True
        await self._post.see_off(kill=kill)

    async def _answer(self, future: "Future[T]", timeout_s: float) -> T:
        """What the worker answers; BrokenProcessPool if it ended without, JobTimedOut."""
        answer, worker = asyncio.wrap_future(future), self._post.worker
        deserted, left_s = False, timeout_s
        try:
            while not answer.done():
                left_s = await step({answer}, left_s)
                if answer.done():
                    break
                if left_s <= 0:
                    raise JobTimedOut(timeout_s)
                if deserted:
                    self.kill()
                    raise BrokenProcessPool("nobody noticed its end")
                deserted = worker is None or worker.is_deserted
            return answer.result()
        finally:
            answer.cancel()
