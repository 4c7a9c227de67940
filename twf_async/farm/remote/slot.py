"""One worker of the cluster: a slot for one job at a time."""

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import Executor, Future
from math import inf
from typing import Any, TypeVar

from twf_async.errors import FarmError
from twf_async.farm.errors import JobTimedOut
from twf_async.farm.waiting import step

T = TypeVar("T")


class RemoteWorkerLost(FarmError):
    """The worker is gone with its job; *with_cluster*: and so is the link to all of them."""

    def __init__(self, *, with_cluster: bool) -> None:
        self.with_cluster = with_cluster
        super().__init__(
            "the link to the scheduler was lost" if with_cluster else "the remote worker died"
        )


class RemoteSlot:
    """Runs one call at a time in a worker that others start and end."""

    def __init__(self, number: int, address: str, executor: Executor, nanny: str = "") -> None:
        """*nanny*: the address of who starts and ends its process; "" where nobody does."""
        self.number, self.address, self.nanny = number, address, nanny
        self.pid: int | None = None
        self.memory_mb = 0.0
        self.jobs_done = 0
        self.busy_since: float | None = None
        self.unwanted: asyncio.Future[Any] | None = None  # nobody waits for it, but it is in work
        self._executor = executor
        self._gone = asyncio.Event()
        self._with_cluster = False

    @property
    def is_gone(self) -> bool:
        """Whether nothing can be run here any more."""
        return self._gone.is_set()

    def lose(self, *, with_cluster: bool = False) -> None:
        """The worker is gone; what it was doing is lost."""
        if not self.is_gone:
            self._with_cluster = with_cluster
            self._gone.set()

    async def run(
        self, call: Callable[..., T], *arguments: object, timeout_s: float | None = None
    ) -> T:
        """Call a function in the worker; raises RemoteWorkerLost, JobTimedOut, and what it raises.

        What was begun cannot be stopped from here. Of a cancelled run it is left in `unwanted`;
        after a time-out the worker is of no use until somebody ends it.
        """
        self.busy_since = time.monotonic()
        try:
            # In a thread: what is sent is packed there, and may be hundreds of MB. A thread
            # cannot be stopped, so it goes off even if nobody wants it any more.
            sending = asyncio.create_task(
                asyncio.to_thread(self._executor.submit, call, *arguments), name="send"
            )
            answer = asyncio.create_task(_answer(sending), name="answer")
            try:
                await asyncio.wait({sending})
                await self.until(answer, timeout_s)
            except TimeoutError:
                answer.cancel()
                raise JobTimedOut(timeout_s or 0.0) from None
            except asyncio.CancelledError:
                self.unwanted = answer
                answer.add_done_callback(_pass_over)
                raise
            if answer.done() and not answer.cancelled():
                result: T = answer.result()
                return result
            # dask cancels what it loses with the scheduler; so it is found anew after that.
            self.lose(with_cluster=answer.cancelled())
            answer.cancel()
            raise RemoteWorkerLost(with_cluster=self._with_cluster)
        finally:
            self.busy_since = None

    async def until(self, answer: "asyncio.Future[Any]", timeout_s: float | None = None) -> None:
        """Return once there is an answer, or can be none; TimeoutError."""
        gone: asyncio.Future[Any] = asyncio.create_task(self._gone.wait())
        left_s = inf if timeout_s is None else timeout_s
        try:
            while not (answer.done() or gone.done()):
                if left_s <= 0:
                    raise TimeoutError
                left_s = await step({answer, gone}, left_s)
        finally:
            gone.cancel()


async def _answer(sending: "asyncio.Task[Future[T]]") -> T:
    return await asyncio.wrap_future(await sending)


def _pass_over(unwanted: "asyncio.Future[Any]") -> None:
    """Nobody else asks how it ended."""
    if not unwanted.cancelled():
        unwanted.exception()
