"""The acquisition side of the service: asked for hours, it hands back verified files.

Owns what outlives a reload: cache, budgets, what is known of runs. Which hour is due is decided by
the pipeline; every request of every model passes through here.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import structlog

from render_farm.domain.fields import MessageKey
from render_farm.domain.models import Model
from twf_async.clock import Clock
from twf_async.errors import FetchError
from twf_async.fetch.accounts import Accounts
from twf_async.fetch.cache import Cache
from twf_async.fetch.cuts import Cut, Cuts
from twf_async.fetch.distrust import Distrusted
from twf_async.fetch.engine import Engine
from twf_async.fetch.errors import BadIndex, Expired, NotYetPublished, Throttled, Unsettled
from twf_async.fetch.fallback import Hour
from twf_async.fetch.fetched import Appearance, HourFetched, HourWanted
from twf_async.fetch.file_fetch import FileBrought
from twf_async.fetch.host import Host, Tally
from twf_async.fetch.pacer import Pacer
from twf_async.fetch.pacing import Breaker
from twf_async.fetch.patience import Patience
from twf_async.fetch.several import Several
from twf_async.fetch.sources import AWS, NOMADS, Source
from twf_async.plan.runs import candidates, hours_of_cycle
from twf_async.settings.service import FetchSettings, UpstreamSettings


class Fetcher:
    """Asks NOMADS, or its mirror, for what is not in the cache. `accounts` says what it cost."""

    def __init__(
        self,
        upstream: UpstreamSettings,
        fetch: FetchSettings,
        *,
        cache_dir: Path,
        clock: Clock,
        patience: Patience | None = None,
        requests_per_min: float | None = None,
    ) -> None:
        """Patience and pace come from the settings; rehearsals hand in other ones."""
        self._clock = clock
        self._patience = patience
        self._pace = requests_per_min
        self._cache = Cache(cache_dir)
        self._cuts = Cuts(self._cache)
        per_min = requests_per_min or upstream.requests_per_min
        self._hosts = {
            name: Host(name, Pacer(per_min), Breaker(name, patience or Patience()), Several(name))
            for name in (NOMADS, AWS)
        }
        self._engine = self._build(upstream, fetch)
        self._retiring: set[asyncio.Task[None]] = set()
        self._busy: dict[Hour, tuple[asyncio.Lock, int]] = {}
        self.accounts = Accounts(fetch, self._cache.of_run)
        self._log = structlog.get_logger(component="fetch")

    async def start(self) -> None:
        """Open the session and clear away what earlier processes left unfinished."""
        await self._cache.start()
        await self._engine.transport.session.start()
        names = [source.name for source in self._engine.sources]
        self._log.info("fetch.started", sources=names)

    async def stop(self) -> None:
        """Close the sessions. Whoever still waits for an hour must have been cancelled before."""
        for task in tuple(self._retiring):
            task.cancel()
        if self._retiring:
            await asyncio.wait(self._retiring)
        await self._engine.transport.session.stop()
        self._log.info("fetch.stopped")

    async def reload(self, upstream: UpstreamSettings, fetch: FetchSettings) -> None:
        """Go on with other settings; what is under way ends with the old ones.

        What was asked, received and blocked stays: the other end knows nothing of our reloads.
        """
        old = self._engine
        new = self._build(upstream, fetch)
        await new.transport.session.start()
        for host in self._hosts.values():
            host.pacer.requests_per_min = self._pace or upstream.requests_per_min
        self._engine = new
        self.accounts.budget.change(fetch)
        task = asyncio.create_task(old.transport.session.retire(), name="fetch:retire")
        self._retiring.add(task)
        task.add_done_callback(self._retiring.discard)

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

    async def _bring(
        self, wanted: HourWanted, keys: frozenset[MessageKey], cut: Cut, tally: Tally
    ) -> FileBrought:
        try:
            return await self._engine.bring(wanted, keys, cut, tally)
        except (Throttled, Unsettled):
            raise  # their pauses are measured
        except FetchError as error:  # that of others is a rule, which rehearsals shorten
            if self._patience is not None and error.retry_after_s is not None:
                error.retry_after_s *= self._patience.scale
            raise

    async def newest_cycle(self, model: Model) -> str | None:
        """The newest run whose first hour is there, found by asking; None where there is none.

        raises  SourceError where the sources cannot tell
        """
        for cycle in candidates(model, self._clock.now()):
            if await self.exists(model, cycle, hours_of_cycle(model, cycle)[0]):
                return cycle
        return None

    async def exists(self, model: Model, cycle: str, hour: int) -> bool:
        """Whether the hour can be fetched: all its inventories are there and usable. Asks once.

        raises  SourceError where the sources cannot tell
        """
        try:
            await self.appeared(model, cycle, hour)
        except (NotYetPublished, Expired, BadIndex):
            return False
        return True

    async def appeared(
        self, model: Model, cycle: str, hour: int, *, anew: bool = False
    ) -> Appearance:
        """What is known of an hour that is there; asks once, if it is not in the cache.

        anew    ask even so: the files may have been replaced
        raises  NotYetPublished where it is not there; other FetchErrors where nobody can tell
        """
        where = (model.key, cycle, hour)
        if anew:
            self._engine.forget(model, cycle, hour)
        elif await self._cache.knows(*where):
            self.accounts.seen(where, None)
            return Appearance("cache")
        seen = await self._engine.probe(model, cycle, hour, await self.accounts.tally(where))
        self.accounts.seen(where, seen.source)
        return seen

    async def forget(self, model: Model, cycle: str, hour: int) -> None:
        """The other side replaced the files of an hour: ours are worth nothing any more."""
        self._engine.forget(model, cycle, hour)
        await self._cache.drop(model.key, cycle, hour)

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

    @property
    def sources(self) -> tuple[Source, ...]:
        """The sources of the configuration in force, in the order in which they are asked."""
        return self._engine.sources

    def _build(self, upstream: UpstreamSettings, fetch: FetchSettings) -> Engine:
        return Engine.build(
            upstream,
            fetch,
            cache=self._cache,
            clock=self._clock,
            patience=self._patience or Patience(attempts=fetch.attempts),
            hosts=self._hosts,
        )

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
