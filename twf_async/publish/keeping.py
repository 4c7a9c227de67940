"""Which runs are kept whatever their age, and which are gone: both outlive their manifests."""

import asyncio
from contextlib import suppress

from twf_async.publish.document import RunDocument
from twf_async.publish.filling import FilledRuns
from twf_async.publish.pins import BadPin, Pin, checked_reason, read_pin, remove_pin, write_pin
from twf_async.publish.tombstones import (
    Extent,
    Tombstones,
    read_tombstones,
    set_aside,
    write_tombstones,
)


class KeptRuns(FilledRuns):
    """Pins runs, and remembers those that went."""

    async def pin(self, model: str, cycle: str, reason: str) -> None:
        """Keep a run whatever its age.

        raises  BadPin for a run that is not here, and for a reason that says nothing
        """
        self._require(model, cycle)
        pin = Pin(checked_reason(reason), self._clock.now())
        await self._uninterrupted(self._set_pin(model, cycle, pin))

    async def unpin(self, model: str, cycle: str) -> None:
        """Let a run go when its time comes.

        raises  BadPin when it is not here or not pinned
        """
        self._require(model, cycle)
        if self.pin_of(model, cycle) is None:
            raise BadPin(f"{model} {cycle} is not pinned")
        await self._uninterrupted(self._set_pin(model, cycle, None))

    async def _remember(self, model: str, cycle: str, document: RunDocument) -> bool:
        """Note a run that goes; whether the note is on disk, if there was anything to note."""
        extent = Extent.of(document)
        if not extent.blocks:
            return True
        async with self._writing(model, "evicted"):
            stones = self._departed.setdefault(model, Tombstones())
            stones.add(cycle, extent)
            try:
                await asyncio.to_thread(write_tombstones, self.maps, model, stones)
            except OSError as error:
                self._log.warning("publish.write_failed", reason=str(error))
                return False
        return True

    def _require(self, model: str, cycle: str) -> None:
        runs = self.runs(model)
        if cycle not in runs:
            known = ", ".join(runs) or "none"
            raise BadPin(f"there is no run {cycle} of {model} online; there are: {known}")

    async def _set_pin(self, model: str, cycle: str, pin: Pin | None) -> None:
        async with self._writing(model, cycle):
            self._run(model, cycle)  # deleted while this waited: its directory must not come back
            directory = self.run_path(model, cycle)
            if pin is None:
                await asyncio.to_thread(remove_pin, directory)
                self._pins.pop((model, cycle), None)
            else:
                await asyncio.to_thread(write_pin, directory, pin)
                self._pins[model, cycle] = pin

    def _recall(self, *, mend: bool) -> None:
        """Read which runs are pinned, and which are gone.

        mend  set lists aside that cannot be read, so that the next one does not replace them
        """
        for name in self._runs:
            if (pin := read_pin(self.run_path(*name))) is not None:
                self._pins[name] = pin
        models = [path.name for path in self.maps.glob("*") if path.is_dir()]
        self._departed, bad = read_tombstones(self.maps, models)
        for model in bad:
            self._log.warning("publish.evicted_list_lost", model=model)
            if mend:
                with suppress(
                    OSError
                ):  # a disk that takes nothing will not take the new one either
                    set_aside(self.maps, model)
