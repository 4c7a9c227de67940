"""Which edition of each hour's files a run was drawn from, and what is owed to newer ones.

The other side may replace files. An hour whose files were replaced owes its pictures: that is noted
in the ledger before ours are dropped and until all that they go into is online, so that a restart
goes on with it.
"""

from collections.abc import Iterable

from render_farm.domain.models import Model
from twf_async.ledger.ledger import Ledger
from twf_async.pipeline.entries import redrawn_entry, replaced_entry
from twf_async.pipeline.ports import Fetcher
from twf_async.plan import reruns


class Editions:
    """The editions of one run's hours.

    inventories  hour -> digest of the inventories that it was taken by
    owing        hours whose files were replaced, and whose pictures are not drawn again yet
    """

    def __init__(self, model: Model, cycle: str, ledger: Ledger, fetcher: Fetcher) -> None:
        self.inventories: dict[int, str] = {}
        self.owing: set[int] = set()
        self._model, self._cycle = model, cycle
        self._ledger, self._fetcher = ledger, fetcher

    async def open(self) -> None:
        """Recall what an earlier start of this run has noted."""
        for entry in await self._ledger.hours(self._model.key, self._cycle):
            digest, owing = reruns.noted(entry.inventory or "")
            if digest:
                self.inventories[entry.hour] = digest
            if owing:
                self.owing.add(entry.hour)

    def seen(self, hour: int, inventory: str) -> None:
        """The hour is there in this edition; "" where that is not known."""
        if inventory:
            self.inventories[hour] = inventory

    def note_of(self, hour: int) -> str | None:
        """What the ledger is to say of an hour that was fetched."""
        inventory = self.inventories.get(hour)
        return reruns.owed(inventory or "") if hour in self.owing else inventory

    async def owe(self, hours: Iterable[int]) -> None:
        """These were replaced: drop what is here of them, and note that before and until redrawn.

        Hours that were taken anew before a restart are here already.
        """
        fresh = set(hours) - self.owing
        self.owing |= fresh
        for hour in fresh:
            self.inventories.pop(hour, None)
        entries = (replaced_entry(self._model.key, self._cycle, hour) for hour in sorted(fresh))
        await self._ledger.record_hours(entries)
        for hour in sorted(self.owing - self.inventories.keys()):
            await self._fetcher.forget(self._model, self._cycle, hour)

    async def pay(self, hours: Iterable[int]) -> None:
        """All that the new files of these go into is settled."""
        done = sorted(self.owing.intersection(hours))
        self.owing.difference_update(done)
        await self._ledger.record_hours(
            redrawn_entry(self._model.key, self._cycle, hour, self.inventories.get(hour, ""))
            for hour in done
        )
