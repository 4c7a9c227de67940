"""Downloads on disk: `{model}/{cycle}/f006.{digest}.grib2` and what is in it, in `.json` beside it.

A file counts only with its record, which takes its place last (`placing`), and as long as it is the
file that was verified (`proofs`); so whatever a kill at any moment leaves is either good or rubbish
that the next start removes. Ageing is upkeep's affair.
"""

import asyncio
import contextlib
import errno
import hashlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import structlog

from render_farm.domain.fields import MessageKey
from render_farm.domain.places import Box
from twf_async.fetch.distrust import Distrusted, complained
from twf_async.fetch.leftovers import DATA, RECORD, remove_leftovers
from twf_async.fetch.part import disk_error, unbroken
from twf_async.fetch.placing import place, remove
from twf_async.fetch.proofs import Proofs
from twf_async.fetch.record import BadRecord, Record, covers

T = TypeVar("T")
_COMPLAINTS = ".distrust"


class Cache:
    """Finds and keeps downloads. Everything that touches the disk runs in threads."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._proofs = Proofs()
        self._log = structlog.get_logger(component="fetch")

    async def start(self) -> None:
        """Remove what earlier processes left unfinished."""
        removed = await asyncio.to_thread(remove_leftovers, self._root)
        if removed:
            self._log.info("fetch.leftovers_removed", files=removed)

    def target(self, model: str, cycle: str, hour: int, question: str) -> Path:
        """Where the answer to *question* belongs: the same question, the same file."""
        digest = hashlib.sha256(question.encode()).hexdigest()[:16]
        return self._root / model / cycle / f"f{hour:03d}.{digest}{DATA}"

    async def find(
        self,
        model: str,
        cycle: str,
        hour: int,
        keys: frozenset[MessageKey],
        box: Box,
        *,
        rather: Box | None = None,
    ) -> tuple[tuple[Record, ...], frozenset[MessageKey]]:
        """Few files that hold fields of *keys* for all of *box*, and the keys in none of them.

        rather  files cut to this box come first, so that fields lie on the same cut-out
        raises  DiskFailed
        """
        return await self._disk(lambda: self._find(model, cycle, hour, keys, box, rather or box))

    async def knows(self, model: str, cycle: str, hour: int) -> bool:
        """Whether anything of the hour was downloaded. Raises DiskFailed."""
        records = await self._disk(lambda: list(self._records(model, cycle, hour)))
        return bool(records)

    async def drop(self, model: str, cycle: str, hour: int) -> None:
        """Delete what was downloaded of an hour. Raises DiskFailed."""

        def work() -> None:
            for record in list(self._records(model, cycle, hour)):
                self._discard(Path(record.path), reason="replaced on the source")

        await self._disk(work)

    async def distrust(
        self, model: str, cycle: str, hour: int, keys: frozenset[MessageKey]
    ) -> Distrusted:
        """Delete the files with these fields, for their values cannot be; within bounds.

        raises  DiskFailed
        """

        def work() -> Distrusted:
            noted = self._root / model / cycle / f"f{hour:03d}{_COMPLAINTS}"
            held, told = complained(noted, self._records(model, cycle, hour), keys)
            for record in held:
                self._discard(Path(record.path), reason="bad values")
            return told

        return await self._disk(work)

    async def of_run(self, model: str, cycle: str) -> tuple[Record, ...]:
        """Everything that was downloaded of a run. Raises DiskFailed."""
        return await self._disk(lambda: tuple(self._records(model, cycle)))

    async def keep(self, part: Path, record: Record) -> None:
        """Put a verified file into its place, then its record; a cancellation waits for that.

        raises  NoSpace, DiskFailed; then neither is there
        """
        try:
            await unbroken(asyncio.to_thread(self._keep, part, record))
        except OSError as error:
            raise disk_error(Path(record.path), error) from error

    async def _disk(self, work: Callable[[], T]) -> T:
        try:
            return await asyncio.to_thread(work)
        except OSError as error:
            raise disk_error(self._root, error) from error

    def _find(
        self,
        model: str,
        cycle: str,
        hour: int,
        keys: frozenset[MessageKey],
        box: Box,
        rather: Box,
    ) -> tuple[tuple[Record, ...], frozenset[MessageKey]]:
        candidates = [r for r in self._records(model, cycle, hour) if covers(r.box, box)]
        chosen: list[Record] = []
        left = keys
        while candidates := [r for r in candidates if not left.isdisjoint(r.keys)]:
            best = max(
                candidates, key=lambda r: (r.box == rather, len(left.intersection(r.keys)), r.path)
            )
            candidates.remove(best)
            if self._is_intact(best):
                chosen.append(best)
                left = left.difference(best.keys)
        return tuple(chosen), left

    def _records(self, model: str, cycle: str, hour: int | None = None) -> Iterator[Record]:
        """Everything recorded of a run, or of one hour."""
        folder = self._root / model / cycle
        which = "f*" if hour is None else f"f{hour:03d}"
        for path in sorted(folder.glob(f"{which}.*{RECORD}")):
            try:
                record = Record.from_json(path.read_bytes())
            except FileNotFoundError:  # upkeep was quicker
                continue
            except (BadRecord, OSError) as error:
                self._give_up(path.with_suffix(DATA), error)
                continue
            yield replace(record, path=str(path.with_suffix(DATA)))

    def _is_intact(self, record: Record) -> bool:
        """Whether the file is still the one that was verified; what is not is discarded."""
        path = Path(record.path)
        try:
            if self._proofs.holds(record):
                return True
        except FileNotFoundError:
            return False
        except OSError as error:
            self._give_up(path, error)
            return False
        self._discard(path, reason="not the bytes that were verified")
        return False

    def _keep(self, part: Path, record: Record) -> None:
        path = Path(record.path)
        self._proofs.forget(path)
        self._proofs.note(path, place(part, path, record.to_json()))

    def _give_up(self, path: Path, error: Exception) -> None:
        """Discard what cannot be read; raise what is not the file's fault."""
        if isinstance(error, OSError) and error.errno != errno.EIO:
            raise error
        self._discard(path, reason=str(error))

    def _discard(self, path: Path, *, reason: str) -> None:
        with contextlib.suppress(OSError):  # of a cache that is read-only nothing can be removed
            self._proofs.forget(path)
            remove(path)
        self._log.warning("fetch.file_discarded", path=str(path), reason=reason)
