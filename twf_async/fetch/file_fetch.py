"""One file of one hour: its inventory, the choice of the way, the downloads.

Repeats with a fresh inventory when what came does not fit the one that was used.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from render_farm.domain.fields import MessageKey
from render_farm.domain.places import Box
from twf_async.errors import FetchError
from twf_async.fetch.doubts import Doubts
from twf_async.fetch.download import Downloader
from twf_async.fetch.errand import Errand
from twf_async.fetch.errors import FullRefused, RangeIgnored, SourceError
from twf_async.fetch.inventories import Inventories
from twf_async.fetch.patience import Patience
from twf_async.fetch.record import Record
from twf_async.fetch.retry import persist
from twf_async.fetch.settling import Settling
from twf_async.plan.idx import IdxLine
from twf_async.plan.selection import Selection, Way, select


@dataclass(frozen=True, slots=True)
class FileBrought:
    """Downloaded files, and the wanted fields that the source's file does not have.

    inventory  digest of the inventories that were gone by, as in an Appearance; "" if not known
    """

    records: tuple[Record, ...]
    missing: frozenset[MessageKey]
    inventory: str = ""


@dataclass(frozen=True, slots=True)
class _Had:
    """What earlier attempts brought, and where in the file it was then."""

    records: dict[MessageKey, Record]
    offsets: dict[MessageKey, int]

    def take(self, record: Record, wanted: frozenset[MessageKey], lines: Sequence[IdxLine]) -> None:
        got = wanted.intersection(record.keys)
        self.records.update(dict.fromkeys(got, record))
        self.offsets.update((line.key, line.offset) for line in lines if line.key in got)

    def keep_if_still_there(self, lines: Sequence[IdxLine]) -> None:
        """Forget it all where the file became another one: two of them are never mixed."""
        offsets = {line.key: line.offset for line in lines if line.key in self.offsets}
        if offsets != self.offsets:
            self.records.clear()
            self.offsets.clear()


class FileFetch:
    """Brings what is wanted of single files."""

    def __init__(
        self,
        inventories: Inventories,
        downloader: Downloader,
        patience: Patience,
        settling: Settling,
        doubts: Doubts,
        *,
        allow_full: bool,
    ) -> None:
        self._inventories = inventories
        self._downloader = downloader
        self._patience = patience
        self._settling = settling
        self._allow_full = allow_full
        self._doubts = doubts

    async def inventory(self, errand: Errand) -> tuple[IdxLine, ...]:
        """The file's inventory, asked for until it comes, or is known not to be there.

        raises  FetchError
        """
        return await persist(
            partial(self._inventories.read, errand),
            patience=self._patience,
            errand=errand,
            again=lambda error: isinstance(error, SourceError),
        )

    async def bring(
        self, errand: Errand, keys: frozenset[MessageKey], box: Box, way: Way | None
    ) -> FileBrought:
        """All of *keys* that the file has, downloaded and verified.

        way     the method to keep to if it is possible; None: the cheaper one
        raises  FetchError
        """
        have = _Had({}, {})

        async def attempt() -> FileBrought:
            return await self._bring(errand, keys, box, way, have)

        brought = await persist(
            attempt,
            patience=self._patience,
            errand=errand,
            again=partial(self._doubt, errand),
        )
        self._settling.trust(errand)
        return brought

    def _doubt(self, errand: Errand, error: FetchError) -> bool:
        """Doubt what an error makes doubtful; returns whether a fresh inventory may help."""
        if not isinstance(error, SourceError):
            return False
        if error.suspect_file:
            self._settling.suspect(errand)
        if error.suspect_index:
            self._inventories.forget(errand)
        return error.suspect_index

    async def _bring(
        self,
        errand: Errand,
        keys: frozenset[MessageKey],
        box: Box,
        way: Way | None,
        have: "_Had",
    ) -> FileBrought:
        lines = await self.inventory(errand)
        have.keep_if_still_there(lines)
        left = keys.difference(have.records)
        self._doubts.require_told(errand, lines, left)
        # Some 30 ms where no file was laid out like this one yet; maps are served meanwhile.
        selection = await asyncio.to_thread(
            select,
            lines,
            left,
            box=box,
            grid=errand.at.model.grid,
            has_filter=errand.at.has_filter,
            way=way,
            at_most=errand.splits,
            held=errand.held.union(*(record.keys for record in have.records.values())),
            several=errand.at.source.asks_several,
        )
        outcomes = await self._download(errand, lines, selection, box)
        for outcome in outcomes:
            if isinstance(outcome, Record):
                have.take(outcome, left, lines)
        for outcome in outcomes:
            if isinstance(outcome, BaseException):
                raise outcome
        records = {record.path: record for record in have.records.values()}
        return FileBrought(tuple(records.values()), selection.missing)

    async def _download(
        self, errand: Errand, lines: Sequence[IdxLine], selection: Selection, box: Box
    ) -> list[Record | BaseException]:
        """Everything selected; what failed, as its error."""
        if selection.ranges:
            return [await self._ranges(errand, lines, selection)]
        if selection.filters:
            await self._downloader.require_settled(errand)
        outcomes = await asyncio.gather(
            *(self._downloader.filtered(errand, request, box) for request in selection.filters),
            return_exceptions=True,
        )
        for outcome in outcomes:
            if isinstance(outcome, SourceError):
                outcome.of_filter = True
        return outcomes

    async def _ranges(
        self, errand: Errand, lines: Sequence[IdxLine], selection: Selection
    ) -> Record:
        try:
            return await self._downloader.ranges(errand, lines, selection.ranges, selection.present)
        except RangeIgnored as error:
            if not self._allow_full:
                raise FullRefused(
                    f"{errand.name}: {error}; set fetch.allow_full to take whole files"
                ) from error
            await self._downloader.require_settled(errand)
            return await self._downloader.whole(errand, lines, selection.present)
