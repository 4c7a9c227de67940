"""Brings the fields of hours: out of the cache what is there, the rest from a source."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import structlog

from render_farm.domain.fields import MessageKey
from render_farm.domain.models import Model
from twf_async.clock import Clock
from twf_async.errors import FetchError
from twf_async.fetch.accounts import Accounts
from twf_async.fetch.cache import Cache
from twf_async.fetch.cuts import Cut, Cuts
from twf_async.fetch.distrust import Distrusted
from twf_async.fetch.errors import Throttled, Unsettled
from twf_async.fetch.fallback import Hour
from twf_async.fetch.fetched import HourFetched, HourWanted
from twf_async.fetch.file_fetch import FileBrought
from twf_async.fetch.host import Tally
from twf_async.fetch.patience import Patience
from twf_async.fetch.probing import Probing


class Bringing(Probing):
    """Hands out verified files of hours, each hour to one asker at a time."""

    def __init__(
        self, cache: Cache, accounts: Accounts, clock: Clock, patience: Patience | None
    ) -> None:
        """patience: of rehearsals, which shorten pauses that are a rule; None: as they are."""
        super().__init__(cache, accounts, clock)
        self._patience = patience
        self._cuts = Cuts(cache)
        self._busy: dict[Hour, tuple[asyncio.Lock, int]] = {}
        self._log = structlog.get_logger(component="fetch")

    async def hour(self, wanted: HourWanted) -> HourFetched:
        """Bring the fields of one hour here.

        raises  FetchError: NotYetPublished and Throttled at once, others after the attempts that
                the settings allow; BudgetSpent where it would cost more than it may
        """
        model, cycle = wanted.model, wanted.cycle
        where = (model.key, cycle, wanted.hour)
        loop = asyncio.get_running_loop()
        async with self._alone(where), self._cuts.of(model, cycle, wanted.box) as cut:
            began = loop.time()
            cached, left = await self._cache.find(*where, wanted.keys, wanted.box, rather=cut.box)
            brought, tally = FileBrought((), frozenset()), Tally()
            if left:
                tally = await self.accounts.tally(where)
                here = frozenset(key for record in cached for key in record.keys)
                brought = await self._bring(replace(wanted, held=here), left, cut, tally)
                self._cuts.note(model, cycle, brought.records)
            fetched = HourFetched.of(
                wanted,
                cached=cached,
                new=brought.records,
                missing=brought.missing,
                tally=tally,
                took_s=loop.time() - began,
                # What was here may be of an earlier edition.
                inventory="" if cached else brought.inventory,
            )
        self._tell(fetched)
        return fetched

    async def cached(self, wanted: HourWanted) -> dict[MessageKey, str]:
        """Field -> file, of what is wanted and here already; nobody is asked. DiskFailed."""
        where = (wanted.model.key, wanted.cycle, wanted.hour)
        async with (
            self._alone(where),
            self._cuts.of(wanted.model, wanted.cycle, wanted.box) as cut,
        ):
            found, _ = await self._cache.find(*where, wanted.keys, wanted.box, rather=cut.box)
        return {key: record.path for record in reversed(found) for key in record.keys}

    async def distrust(
        self, model: Model, cycle: str, hour: int, keys: frozenset[MessageKey]
    ) -> Distrusted:
        """What was brought of an hour holds these fields with values that cannot be.

        Throws the files away that hold them, for they may come better; see `distrust.MOST`.

        raises  DiskFailed
        """
        async with self._alone((model.key, cycle, hour)):
            told = await self._cache.distrust(model.key, cycle, hour, keys)
        return told if self._patience is None else told.sooner(self._patience.scale)

    async def _bring(
        self, wanted: HourWanted, keys: frozenset[MessageKey], cut: Cut, tally: Tally
    ) -> FileBrought:
        try:
            return await self._engine.bring(wanted, keys, cut, tally)
        except (Throttled, Unsettled):
            raise  # their pauses are measured
        except FetchError as error:  # that of others is a rule
            if self._patience is not None and error.retry_after_s is not None:
                error.retry_after_s *= self._patience.scale
            raise

    @asynccontextmanager
    async def _alone(self, hour: Hour) -> AsyncIterator[None]:
        """Nothing is downloaded twice because two ask for it at once."""
        lock, waiting = self._busy.get(hour, (asyncio.Lock(), 0))
        self._busy[hour] = (lock, waiting + 1)
        try:
            async with lock:
                yield
        finally:
            lock, waiting = self._busy.pop(hour)
            if waiting > 1:
                self._busy[hour] = (lock, waiting - 1)

    def _tell(self, fetched: HourFetched) -> None:
        """Count and log one hour."""
        self.accounts.fetched(fetched)
        log = self._log.warning if fetched.method == "FULL" else self._log.info
        log(
            "fetch.finished",
            model=fetched.model,
            cycle=fetched.cycle,
            hour=fetched.hour,
            method=fetched.method,
            source=fetched.source,
            megabytes=round(fetched.bytes / 1e6, 3),
            requests=fetched.requests,
            files=len(fetched.files),
            missing=len(fetched.missing),
            cache_hit_rate=self.accounts.of(fetched.model).hit_rate,
            took_s=round(fetched.took_s, 3),
        )
