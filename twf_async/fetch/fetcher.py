"""The acquisition side of the service: asked for hours, it hands back verified files.

Owns what outlives a reload: cache, budgets, what is known of runs. Which hour is due is decided by
the pipeline; every request of every model passes through here.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import structlog

from render_farm.domain.models import Model
from twf_async.clock import Clock
from twf_async.fetch.cache import Cache
from twf_async.fetch.cuts import Cuts
from twf_async.fetch.engine import Engine
from twf_async.fetch.errors import BadIndex, Expired, NotYetPublished
from twf_async.fetch.fallback import Hour
from twf_async.fetch.fetched import Appearance, HourFetched, HourWanted
from twf_async.fetch.file_fetch import FileBrought
from twf_async.fetch.pacing import Breaker, Pacer
from twf_async.fetch.patience import Patience
from twf_async.fetch.sources import AWS, NOMADS
from twf_async.fetch.transport import Host, Tally
from twf_async.plan.runs import candidates, hours_of_cycle
from twf_async.settings.service import FetchSettings, UpstreamSettings


class Fetcher:
    """Asks NOMADS, or its mirror, for what is not in the cache."""

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
            name: Host(name, Pacer(per_min), Breaker(name, patience or Patience()))
            for name in (NOMADS, AWS)
        }
        self._engine = self._build(upstream, fetch)
        self._retiring: set[asyncio.Task[None]] = set()
        self._busy: dict[Hour, tuple[asyncio.Lock, int]] = {}
        self._hours = self._hours_cached = 0
        self._received: Counter[str] = Counter()
        self._log = structlog.get_logger(component="fetch")

    async def start(self) -> None:
        """Open the session and clear away what earlier processes left unfinished."""
        await self._cache.start()
        await self._engine.transport.start()
        names = [source.name for source in self._engine.sources]
        self._log.info("fetch.started", sources=names)

    async def stop(self) -> None:
        """Close the sessions. Whoever still waits for an hour must have been cancelled before."""
        for task in tuple(self._retiring):
            task.cancel()
        if self._retiring:
            await asyncio.wait(self._retiring)
        await self._engine.transport.stop()
        self._log.info("fetch.stopped")

    async def reload(self, upstream: UpstreamSettings, fetch: FetchSettings) -> None:
        """Go on with other settings; what is under way ends with the old ones.

        Budgets and blocks stay: the host at the other end does not know of our reloads.
        """
        old = self._engine
        new = self._build(upstream, fetch)
        await new.transport.start()
        for host in self._hosts.values():
            host.pacer.requests_per_min = self._pace or upstream.requests_per_min
        self._engine = new
        task = asyncio.create_task(old.transport.retire(), name="fetch:retire")
        self._retiring.add(task)
        task.add_done_callback(self._retiring.discard)

    async def hour(self, wanted: HourWanted) -> HourFetched:
        """Bring the fields of one hour here.

        raises  FetchError: NotYetPublished and Throttled at once, others after the attempts that
                the settings allow
        """
        model, cycle = wanted.model, wanted.cycle
        where = (model.key, cycle, wanted.hour)
        loop, tally = asyncio.get_running_loop(), Tally()
        async with self._alone(where), self._cuts.of(model, cycle, wanted.box) as cut:
            began = loop.time()
            cached, left = await self._cache.find(*where, wanted.keys, wanted.box, rather=cut.box)
            brought = FileBrought((), frozenset())
            if left:
                brought = await self._engine.bring(wanted, left, cut, tally)
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
        if await self._cache.knows(model.key, cycle, hour):
            return True
        try:
            await self._engine.probe(model, cycle, hour)
        except (NotYetPublished, Expired, BadIndex):
            return False
        return True

    async def appeared(
        self, model: Model, cycle: str, hour: int, *, anew: bool = False
    ) -> Appearance:
        """What is known of an hour that is there; asks once, if it is not in the cache.

        anew    ask even so: the files may have been replaced
        raises  NotYetPublished where it is not there; other SourceErrors where nobody can tell
        """
        if anew:
            self._engine.forget(model, cycle, hour)
        elif await self._cache.knows(model.key, cycle, hour):
            return Appearance("cache")
        return await self._engine.probe(model, cycle, hour)

    async def forget(self, model: Model, cycle: str, hour: int) -> None:
        """The other side replaced the files of an hour: ours are worth nothing any more."""
        self._engine.forget(model, cycle, hour)
        await self._cache.drop(model.key, cycle, hour)

    def status(self) -> dict[str, Any]:
        """Budgets, cache and traffic so far, for status pages."""
        return {
            "hours": self._hours,
            "cache_hit_rate": round(self._hours_cached / self._hours, 3) if self._hours else None,
            "received_mb": {kind: round(size / 1e6, 2) for kind, size in self._received.items()},
            "sources": {
                source.name: {
                    "requests_last_minute": source.host.pacer.last_minute(),
                    "requests_per_min": source.host.pacer.requests_per_min,
                    "throttled_for_s": round(source.host.breaker.throttled_for_s, 1),
                }
                for source in self._engine.sources
            },
        }

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
        self._hours += 1
        self._hours_cached += fetched.method == "CACHED"
        self._received[fetched.method] += fetched.bytes
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
            took_s=round(fetched.took_s, 3),
        )
