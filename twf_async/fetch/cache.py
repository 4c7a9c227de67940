"""Downloads on disk: `{model}/{cycle}/f006.{digest}.grib2` and what is in it, in `.json` beside it.

A file counts only with its side-car, which takes its place last; so whatever a kill at any moment
leaves is either good or rubbish that the next start removes. Ageing is upkeep's affair.
"""

import asyncio
import contextlib
import errno
import hashlib
import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import structlog

from render_farm.domain.fields import MessageKey
from render_farm.domain.places import Box
from twf_async.fetch.distrust import Distrusted, complained
from twf_async.fetch.leftovers import ASIDE, DATA, RECORD, remove_leftovers
from twf_async.fetch.part import disk_error, unbroken
from twf_async.fetch.record import BadRecord, Record, covers
from twf_async.fetch.verify import sha256_of

T = TypeVar("T")
_COMPLAINTS = ".distrust"
_FILES_REMEMBERED = 256  # before it is asked which of them are still there


class Cache:
    """Finds and keeps downloads. Everything that touches the disk runs in threads."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._proven: dict[str, tuple[int, int]] = {}  # path -> (mtime_ns, size) when hashed
        self._remembered = _FILES_REMEMBERED
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
        """Whether the file is still the one that was verified; hashed once per process."""
        path = Path(record.path)
        try:
            found = path.stat()
            state = (found.st_mtime_ns, found.st_size)
            if self._proven.get(str(path)) == state:
                return True
            if found.st_size == record.bytes and sha256_of(path) == record.sha256:
                self._proven[str(path)] = state
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
        sidecar = path.with_suffix(RECORD)
        aside = sidecar.with_name(f"{sidecar.name}.{os.getpid()}{ASIDE}")
        unfinished = [aside]  # would take room where there is none
        try:
            with aside.open("wb") as stream:
                stream.write(record.to_json())
                stream.flush()
                os.fsync(stream.fileno())
            self._forget(path)  # the record of another file of this name must not outlive it
            unfinished += [sidecar, path]
            part.replace(path)
            _flush(path.parent)
            aside.replace(sidecar)
            _flush(path.parent)
            found = path.stat()
        except OSError:
            for left in unfinished:
                with contextlib.suppress(OSError):
                    left.unlink()
            raise
        self._proven[str(path)] = (found.st_mtime_ns, found.st_size)
        if len(self._proven) > self._remembered:
            self._forget_deleted()

    def _forget_deleted(self) -> None:
        """Upkeep deletes files without a word; what was known of them would stay for ever."""
        for path in list(self._proven):  # other threads add to it
            if not Path(path).exists():
                self._proven.pop(path, None)
        self._remembered = max(_FILES_REMEMBERED, 2 * len(self._proven))

    def _give_up(self, path: Path, error: Exception) -> None:
        """Discard what cannot be read; raise what is not the file's fault."""
        if isinstance(error, OSError) and error.errno != errno.EIO:
            raise error
        self._discard(path, reason=str(error))

    def _discard(self, path: Path, *, reason: str) -> None:
        with contextlib.suppress(OSError):  # of a cache that is read-only nothing can be removed
            self._forget(path)
            path.unlink(missing_ok=True)
        self._log.warning("fetch.file_discarded", path=str(path), reason=reason)

    def _forget(self, path: Path) -> None:
        self._proven.pop(str(path), None)
        path.with_suffix(RECORD).unlink(missing_ok=True)


def _flush(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
