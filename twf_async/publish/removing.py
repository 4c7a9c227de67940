"""Runs that go: out of readers' sight in one step, then off the disk."""

import asyncio
import os

from twf_async.publish.keeping import KeptRuns
from twf_async.publish.moves import bury


class RemovedRuns(KeptRuns):
    """Takes runs offline: deleted without a trace, or evicted and remembered."""

    async def delete_run(self, model: str, cycle: str) -> bool:
        """Take a run offline in one step, then remove its files. False: there is no such run."""
        if not self._drop(model, cycle):
            return False
        await self._uninterrupted(self._delete(model, cycle))
        return True

    async def evict_run(self, model: str, cycle: str) -> int | None:
        """Take a run offline for good; returns the bytes of its frames.

        None: it has been pinned or begun anew meanwhile, or somebody else has taken it off.
        Remembered first, so that its frames are told from those that never were. A disk too full
        even for that takes the note once the run is gone.

        raises  OSError for files that cannot be removed; the run is offline all the same
        """
        run = self._runs.get((model, cycle))
        opened = 0 if run is None else run.opened
        return await self._uninterrupted(self._evict(model, cycle, opened))

    async def _evict(self, model: str, cycle: str, opened: int) -> int | None:
        async with self._writing(model, cycle):  # neither published into nor pinned meanwhile
            run = self._runs.get((model, cycle))
            if run is None or self.pin_of(model, cycle) is not None:
                return None
            remembered = await self._remember(model, cycle, run.document)
            # Who opens a run says so before he waits for the lock, and then relies on its being
            # there. The note is of no harm: a run that is here is not gone.
            if run.opened != opened:
                return None
            self._drop(model, cycle)
            try:
                await self._bury(model, cycle)
            finally:
                if not remembered:
                    await self._remember(model, cycle, run.document)
        return run.document.bytes()

    async def _delete(self, model: str, cycle: str) -> None:
        async with self._writing(model, cycle):
            await self._bury(model, cycle)

    async def _bury(self, model: str, cycle: str) -> None:
        grave = self.staging / f"deleted.{model}.{cycle}.{os.getpid()}-{next(self._staged)}"
        await asyncio.to_thread(bury, self.run_path(model, cycle), grave)

    def _drop(self, model: str, cycle: str) -> bool:
        """Take a run from readers' eyes; whether it was there."""
        name = (model, cycle)
        self._dirty.discard(name)
        self._pins.pop(name, None)
        return self._runs.pop(name, None) is not None
