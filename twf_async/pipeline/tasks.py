"""The tasks of one run: started here, awaited here, and none left behind."""

import asyncio
import contextlib
from collections.abc import Coroutine


class RunTasks:
    """Whoever runs a run starts its work here and sleeps until some of it ends.

    binding    tasks that a drain waits for
    """

    def __init__(self, run: str) -> None:
        self.binding: set[asyncio.Task[None]] = set()
        self._run = run
        self._going: set[asyncio.Task[None]] = set()
        self._ended: set[asyncio.Task[None]] = set()
        self._wake = asyncio.Event()

    def __bool__(self) -> bool:
        return bool(self._going)

    @property
    def woken(self) -> bool:
        """Whether the next sleep ends at once."""
        return self._wake.is_set()

    def wake(self) -> None:
        """End the sleep."""
        self._wake.set()

    def spawn(self, work: Coroutine[None, None, None], name: str) -> None:
        """Let *work* run beside the others."""
        task = asyncio.create_task(work, name=f"{name}:{self._run}")
        self._going.add(task)
        task.add_done_callback(self._end)

    def bind(self) -> None:
        """From here on a drain waits for the calling task; may be told again."""
        if (task := asyncio.current_task()) is not None:
            self.binding.add(task)

    def unbind(self) -> None:
        """From here on a drain cancels the calling task again."""
        if (task := asyncio.current_task()) is not None:
            self.binding.discard(task)
        self.wake()

    def drop_others(self) -> None:
        """Cancel what a drain does not wait for."""
        for task in self._going - self.binding:
            task.cancel()
        self.wake()

    async def sleep(self, longest_s: float | None) -> None:
        """Until a task ends or someone wakes us; raises what a task raised."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(longest_s):
                await self._wake.wait()
        self._wake.clear()
        for task in tuple(self._ended):
            self._ended.discard(task)
            if not task.cancelled():
                task.result()

    async def stop(self) -> None:
        """Cancel everything and wait for it."""
        for task in tuple(self._going):
            task.cancel()
        if self._going:
            await asyncio.wait(self._going)

    def _end(self, task: asyncio.Task[None]) -> None:
        self._going.discard(task)
        self.binding.discard(task)
        self._ended.add(task)
        self._wake.set()
