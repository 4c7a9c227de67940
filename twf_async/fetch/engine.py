"""What one configuration makes of the fetching side: replaced as one at a reload.

Budgets, breakers, the cache and what was learned of files outlive it (see fetcher.py).
"""

import asyncio
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Self

import structlog

from render_farm.domain.fields import MessageKey
from render_farm.domain.models import Model, ModelFile
from twf_async.clock import Clock
from twf_async.errors import FetchError
from twf_async.fetch.cache import Cache
from twf_async.fetch.cuts import Cut
from twf_async.fetch.download import Downloader
from twf_async.fetch.errand import Errand
from twf_async.fetch.errors import NotYetPublished, Throttled, Unsettled
from twf_async.fetch.fallback import Fallback, Hour
from twf_async.fetch.fetched import Appearance, HourWanted
from twf_async.fetch.file_fetch import FileBrought, FileFetch
from twf_async.fetch.host import Host, Tally
from twf_async.fetch.inventories import Inventories
from twf_async.fetch.memory import Memory
from twf_async.fetch.patience import Patience
from twf_async.fetch.sources import FileAt, Source, sources
from twf_async.fetch.transport import Transport
from twf_async.plan.runs import cycle_time
from twf_async.settings.service import FetchSettings, UpstreamSettings

_log = structlog.get_logger(component="fetch")
_RECENT = timedelta(hours=36)  # NOMADS keeps every model's runs longer than this


@dataclass(frozen=True, slots=True)
class Engine:
    """Brings hours from the sources of one configuration."""

    transport: Transport
    inventories: Inventories
    files: FileFetch
    sources: tuple[Source, ...]
    fallback: Fallback
    clock: Clock

    @classmethod
    def build(
        cls,
        upstream: UpstreamSettings,
        fetch: FetchSettings,
        *,
        cache: Cache,
        clock: Clock,
        patience: Patience,
        hosts: Mapping[str, Host],
        memory: Memory,
    ) -> Self:
        """Put one together; *hosts* by the names of the sources."""
        transport = Transport(upstream)
        inventories = Inventories(transport)
        downloader = Downloader(transport, cache, patience, memory)
        places = sources(upstream, hosts)
        return cls(
            transport,
            inventories,
            FileFetch(
                inventories,
                downloader,
                patience,
                memory.settling,
                memory.doubts,
                allow_full=fetch.allow_full,
            ),
            places,
            Fallback(
                places,
                clock,
                after=timedelta(minutes=upstream.fallback_after_min),
                outages=memory.outages,
            ),
            clock,
        )

    async def bring(
        self, wanted: HourWanted, keys: frozenset[MessageKey], cut: Cut, tally: Tally
    ) -> FileBrought:
        """What a source has of *keys*. Raises FetchError."""
        hour = (wanted.model.key, wanted.cycle, wanted.hour)
        async with self.transport.session.hold():
            try:
                return await self.fallback.ask(
                    wanted.model, hour, lambda source: self._bring(source, wanted, keys, cut, tally)
                )
            except (NotYetPublished, Throttled, Unsettled):
                raise  # told where they are noticed, or normal life
            except FetchError as error:
                _tell_failed(hour, error)
                raise

    async def probe(self, model: Model, cycle: str, hour: int, tally: Tally) -> Appearance:
        """Read all inventories of an hour, each asked for once. Raises SourceError."""
        where = (model.key, cycle, hour)

        async def read_all(source: Source) -> Appearance:
            found = [
                await self.inventories.whole(self._errand(source, model, file, where, tally))
                for file in model.files
            ]
            return Appearance(
                source.name,
                max((one.modified_at for one in found if one.modified_at), default=None),
                ".".join(one.digest for one in found),
            )

        async with self.transport.session.hold():
            return await self.fallback.ask(model, where, read_all, looks=True)

    def forget(self, model: Model, cycle: str, hour: int) -> None:
        """Have all inventories of an hour read again."""
        where = (model.key, cycle, hour)
        for source in self.sources:
            for file in model.files:
                self.inventories.forget(self._errand(source, model, file, where, Tally()))

    async def _bring(
        self,
        source: Source,
        wanted: HourWanted,
        keys: frozenset[MessageKey],
        cut: Cut,
        tally: Tally,
    ) -> FileBrought:
        where, files = (wanted.model.key, wanted.cycle, wanted.hour), wanted.model.files
        shares, missing = _by_file(files, keys)
        errands = [
            (
                replace(
                    self._errand(source, wanted.model, file, where, tally),
                    splits=wanted.splits,
                    held=wanted.held,
                ),
                share,
            )
            for file, share in shares
        ]
        for errand, _ in errands:  # one after the other: an hour that is not there costs one hit
            await self.files.inventory(errand)
        outcomes = await asyncio.gather(
            *(self.files.bring(errand, share, cut.box, cut.way) for errand, share in errands),
            return_exceptions=True,  # what comes of the others is kept in the cache
        )
        for outcome in outcomes:
            if isinstance(outcome, BaseException):
                raise outcome
        brought = [outcome for outcome in outcomes if isinstance(outcome, FileBrought)]
        return FileBrought(
            tuple(record for each in brought for record in each.records),
            missing.union(*(each.missing for each in brought)),
            self._gone_by(self._errand(source, wanted.model, f, where, tally) for f in files),
        )

    def _gone_by(self, errands: Iterable[Errand]) -> str:
        """The digest of inventories that were read; "" where one of them was not."""
        digests = [self.inventories.digest(errand) for errand in errands]
        return ".".join(digests) if all(digests) else ""

    def _errand(
        self, source: Source, model: Model, file: ModelFile, hour: Hour, tally: Tally
    ) -> Errand:
        recent = self.clock.now() - cycle_time(hour[1]) < _RECENT
        return Errand(FileAt(source, model, file, hour[1], hour[2]), recent, tally)


def _tell_failed(hour: Hour, error: FetchError) -> None:
    """Log why an hour is left for later, or for good where nothing says when to come back."""
    model, cycle, number = hour
    _log.warning(
        "fetch.failed",
        model=model,
        cycle=cycle,
        hour=number,
        reason=error.reason,
        detail=str(error)[:300],
        pause_s=error.retry_after_s,
    )


def _by_file(
    files: Iterable[ModelFile], keys: frozenset[MessageKey]
) -> tuple[list[tuple[ModelFile, frozenset[MessageKey]]], frozenset[MessageKey]]:
    """Which fields are looked for in which file, and those looked for in none."""
    shares = []
    for file in files:
        holds = re.compile(file.holds)
        share = frozenset(key for key in keys if holds.fullmatch(f"{key.parameter}:{key.level}"))
        keys -= share
        if share:
            shares.append((file, share))
    return shares, keys
