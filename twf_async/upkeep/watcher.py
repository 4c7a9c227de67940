"""Looks at the machine in a thread: one look at a time, and one may fail or never come back.

/proc is slow when memory is exhausted, and a disk that does not answer holds up whoever asks it for
free space. The service must stay in command of itself meanwhile. The thread is of its own: those
that all share are few, and may all be deleting files or waiting for the same disk.
"""

import asyncio
from concurrent.futures import ThreadPoolExecutor

import psutil

from twf_async.upkeep.vitals import Sampler, Vitals

LATE_S = 10.0  # a look takes 3 ms on a machine that is well


class Watcher:
    """Hands out looks, or says why there is none."""

    def __init__(self, sampler: Sampler, *, late_s: float = LATE_S) -> None:
        self._sampler, self._late_s = sampler, late_s
        self._looking: asyncio.Future[Vitals] | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="watchdog-look")
        self.fault = ""  # why the last look came to nothing

    @property
    def is_looking(self) -> bool:
        """Whether a look has been begun that has not come back."""
        return self._looking is not None

    async def look(self) -> Vitals | None:
        """A look of now; None where it failed, or takes long: the next call waits for it again."""
        looking = self._looking
        if looking is None:
            loop = asyncio.get_running_loop()
            looking = loop.run_in_executor(self._thread, self._sampler.sample)
            self._looking = looking
        # Twice: after a stop of this process a timer has run out before the look could come back.
        for _ in range(2):
            await asyncio.wait({looking}, timeout=self._late_s / 2)
        if not looking.done():
            self.fault = "the machine does not answer"
            return None
        if self._looking is looking:
            self._looking = None
        try:
            vitals = looking.result()
        except (OSError, ValueError, psutil.Error) as error:
            self.fault = str(error) or type(error).__name__
            return None
        self.fault = ""
        return vitals

    async def stop(self) -> None:
        """Wait for no look any more."""
        if self._looking is not None:
            self._looking.cancel()
            await asyncio.wait({self._looking})
        self._thread.shutdown(wait=False)
