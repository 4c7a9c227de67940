"""The acquisition side of the service: asked for hours, it hands back verified files.

Owns what outlives a reload: cache, budgets, what is known of runs. Which hour is due is decided by
the pipeline; every request of every model passes through here.
"""

import asyncio
from pathlib import Path

from twf_async.clock import Clock
from twf_async.fetch.accounts import Accounts
from twf_async.fetch.bringing import Bringing
from twf_async.fetch.cache import Cache
from twf_async.fetch.engine import Engine
from twf_async.fetch.host import Host
from twf_async.fetch.memory import Memory
from twf_async.fetch.pacer import Pacer
from twf_async.fetch.pacing import Breaker
from twf_async.fetch.patience import Patience
from twf_async.fetch.several import Several
from twf_async.fetch.skew import Skew
from twf_async.fetch.sources import AWS, NOMADS, Source
from twf_async.settings.service import FetchSettings, UpstreamSettings


class Fetcher(Bringing):
    """Asks NOMADS, or its mirror, for what is not in the cache. Parts: start, stop, reload."""

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
        cache = Cache(cache_dir)
        super().__init__(cache, Accounts(fetch, cache.of_run), clock, patience)
        self._pace = requests_per_min
        per_min = requests_per_min or upstream.requests_per_min
        self._hosts = {
            name: Host(
                name,
                Pacer(per_min),
                Breaker(name, patience or Patience()),
                Several(name),
                Skew(name),
            )
            for name in (NOMADS, AWS)
        }
        self._memory, self._nomads_url = Memory.blank(clock), upstream.nomads_url
        self._engine = self._build(upstream, fetch)
        self._retiring: set[asyncio.Task[None]] = set()

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

        What was asked, received, blocked and learned stays: the other end knows nothing of our
        reloads.
        """
        old = self._engine
        if upstream.nomads_url != self._nomads_url:
            self._memory.at_other_sources()
        self._nomads_url = upstream.nomads_url
        new = self._build(upstream, fetch)
        await new.transport.session.start()
        for host in self._hosts.values():
            host.pacer.requests_per_min = self._pace or upstream.requests_per_min
        self._engine = new
        self.accounts.budget.change(fetch)
        task = asyncio.create_task(old.transport.session.retire(), name="fetch:retire")
        self._retiring.add(task)
        task.add_done_callback(self._retiring.discard)

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
            memory=self._memory,
        )
