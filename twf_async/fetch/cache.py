"""Downloads on disk: `{model}/{cycle}/f006.{digest}.grib2` and what is in it, in `.json` beside it.

A file counts only with its side-car, which is written last; so whatever a kill at any moment leaves
is either good or rubbish that the next start removes. Ageing is upkeep's affair.
"""

import asyncio
import hashlib
import os
import time
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import structlog

from render_farm.domain.fields import MessageKey
from render_farm.domain.places import Box
from twf_async.fetch.errors import NoSpace
from twf_async.fetch.part import SUFFIX as PART
from twf_async.fetch.part import left_behind
from twf_async.fetch.record import BadRecord, Record, covers
from twf_async.fetch.verify import sha256_of

_DATA = ".grib2"
_RECORD = ".json"
_ASIDE = ".tmp"
_SETTLED_S = 60.0  # another process may be between its two renames


class Cache:
    """Finds and keeps downloads. Everything that touches the disk runs in threads."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._proven: dict[Path, tuple[int, int]] = {}  # path -> (mtime_ns, size) when hashed
        self._log = structlog.get_logger(component="fetch")

    async def start(self) -> None:
        """Remove what earlier processes left unfinished."""
        removed = await asyncio.to_thread(self._clear)
        if removed:
            self._log.info("fetch.leftovers_removed", files=removed)

    def target(self, model: str, cycle: str, hour: int, question: str) -> Path:
        """Where the answer to *question* belongs: the same question, the same file."""
        digest = hashlib.sha256(question.encode()).hexdigest()[:16]
        return self._root / model / cycle / f"f{hour:03d}.{digest}{_DATA}"

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
        """
        return await asyncio.to_thread(self._find, model, cycle, hour, keys, box, rather or box)

    async def knows(self, model: str, cycle: str, hour: int) -> bool:
        """Whether anything of the hour was downloaded."""
        records = await asyncio.to_thread(lambda: list(self._records(model, cycle, hour)))
        return bool(records)

    async def drop(self, model: str, cycle: str, hour: int) -> None:
        """Delete what was downloaded of an hour."""

        def work() -> None:
            for record in list(self._records(model, cycle, hour)):
                self._discard(Path(record.path), reason="replaced on the source")

        await asyncio.to_thread(work)

    async def of_run(self, model: str, cycle: str) -> tuple[Record, ...]:
        """Everything that was downloaded of a run."""
        return await asyncio.to_thread(lambda: tuple(self._records(model, cycle)))

    async def keep(self, part: Path, record: Record) -> None:
        """Put a verified file into its place, then its record; a cancellation waits for that.

        raises  NoSpace
        """
        work = asyncio.ensure_future(asyncio.to_thread(self._keep, part, record))
        try:
            await asyncio.shield(work)
        except asyncio.CancelledError:
            await asyncio.wait({work})
            raise
        except OSError as error:
            raise NoSpace(f"{record.path}: {error.strerror}") from error

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
        for path in sorted(folder.glob(f"{which}.*{_RECORD}")):
            try:
                record = Record.from_json(path.read_bytes())
            except FileNotFoundError:  # upkeep was quicker
                continue
            except BadRecord as error:
                self._discard(path.with_suffix(_DATA), reason=str(error))
                continue
            yield replace(record, path=str(path.with_suffix(_DATA)))

    def _is_intact(self, record: Record) -> bool:
        """Whether the file is still the one that was verified; hashed once per process."""
        path = Path(record.path)
        try:
            found = path.stat()
            state = (found.st_mtime_ns, found.st_size)
            if self._proven.get(path) == state:
                return True
            if found.st_size == record.bytes and sha256_of(path) == record.sha256:
                self._proven[path] = state
                return True
        except FileNotFoundError:
            return False
        except OSError as error:
            self._discard(path, reason=str(error))
            return False
        self._discard(path, reason="not the bytes that were verified")
        return False

    def _keep(self, part: Path, record: Record) -> None:
        path = Path(record.path)
        self._forget(path)  # the record of another file of this name must not outlive it
        part.replace(path)
        _flush(path.parent)
        sidecar = path.with_suffix(_RECORD)
        aside = sidecar.with_name(f"{sidecar.name}.{os.getpid()}{_ASIDE}")
        with aside.open("wb") as stream:
            stream.write(record.to_json())
            stream.flush()
            os.fsync(stream.fileno())
        aside.replace(sidecar)
        _flush(path.parent)
        found = path.stat()
        self._proven[path] = (found.st_mtime_ns, found.st_size)

    def _discard(self, path: Path, *, reason: str) -> None:
        self._forget(path)
        path.unlink(missing_ok=True)
        self._log.warning("fetch.file_discarded", path=str(path), reason=reason)

    def _forget(self, path: Path) -> None:
        path.with_suffix(_RECORD).unlink(missing_ok=True)
        self._proven.pop(path, None)

    def _clear(self) -> int:
        removed = 0
        for path in _rubbish(self._root.glob("*/*/*")):
            path.unlink(missing_ok=True)
            removed += 1
        return removed


def _rubbish(paths: Iterable[Path]) -> Iterator[Path]:
    """Files of dead processes, and data without a record or a record without data."""
    for path in paths:
        if path.suffix in {PART, _ASIDE}:
            if left_behind(path):
                yield path
        elif path.suffix in {_DATA, _RECORD}:
            other = path.with_suffix(_RECORD if path.suffix == _DATA else _DATA)
            if not other.exists() and _is_settled(path):
                yield path


def _is_settled(path: Path) -> bool:
    try:
        return time.time() - path.stat().st_mtime > _SETTLED_S
    except FileNotFoundError:
        return False


def _flush(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
