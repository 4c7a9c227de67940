"""Files of true layout that nobody has stored: all lines of a real .idx, offsets and sizes as on
NOMADS, zeros where no message is at hand (nomads.md 8.2).
"""

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path

from twf_async.replica.crop import crop
from twf_async.replica.fitting import fitted, stand_in
from twf_async.replica.release import PLANS
from twf_async.replica.tree import COM, CropBox, Entry, FileMessage, FileTree, Unreadable
from twf_async.replica.wording import read_inventory

_IDX = ".idx"
_FIRST = re.compile(r"1(?:\.1)?:0:d=(\d{10}):")
_FOLDERS = {
    "gfs": "gfs/prod/gfs.{:%Y%m%d/%H}/atmos",
    "aigfs": "aigfs/prod/aigfs.{:%Y%m%d/%H}/model/atmos/grib2",
    "hrrr": "hrrr/prod/hrrr.{:%Y%m%d}/conus",
}
_ZEROS = bytes(1 << 20)
_REMEMBERED = 32  # messages: those made to fit take up to half a second


@dataclass(frozen=True, slots=True, eq=False)
class _File:
    """path: in the tree; text: the .idx; size: of the GRIB file; messages: of it, in file order."""

    path: str
    text: str
    size: int
    messages: tuple[FileMessage, ...]
    mtime: datetime


class SparseTree:
    """Serves a GRIB file for every .idx below *folder*, at the place that its name and date say.

    A message comes from the first of *donors* that has one of the same name at the same path, made
    to fit its room (`fitting`). All others are zeros; the filter, which could not even
    find its way through zeros, gives a constant field of no known parameter for them.
    FileNotFoundError where there is no .idx.
    """

    def __init__(self, folder: Path, donors: Sequence[FileTree] = ()) -> None:
        self._files = {file.path: file for idx in folder.rglob(f"*{_IDX}") if (file := _read(idx))}
        if not self._files:
            raise FileNotFoundError(f"{folder} has no .idx of a model that is known here")
        self._donors = donors
        self._message = lru_cache(_REMEMBERED)(self._made)
        self._lent: dict[str, dict[int, tuple[FileTree, FileMessage]]] = {}

    def listdir(self, path: str) -> list[Entry] | None:
        """See FileTree."""
        above = f"{path.rstrip('/')}/"
        found: dict[str, Entry] = {}
        for file in self._files.values():
            if file.path.startswith(above):
                name, below, _ = file.path[len(above) :].partition("/")
                if below:
                    found[name] = Entry(name, is_dir=True, size=0, mtime=file.mtime)
                else:
                    found[name] = _entry(file, name)
                    found[f"{name}{_IDX}"] = _entry(file, f"{name}{_IDX}")
        return list(found.values()) or None

    def stat(self, path: str) -> Entry | None:
        """See FileTree."""
        name = path.rpartition("/")[2]
        file = self._files.get(path.removesuffix(_IDX))
        if file is not None:
            return _entry(file, name)
        above = f"{path.rstrip('/')}/"
        for file in self._files.values():
            if file.path.startswith(above):
                return Entry(name, is_dir=True, size=0, mtime=file.mtime)
        return None

    def open_range(self, path: str, start: int, end: int) -> Iterator[bytes]:
        """See FileTree."""
        file = self._files.get(path.removesuffix(_IDX))
        if file is None:
            raise FileNotFoundError(path)
        if path.endswith(_IDX):
            yield file.text.encode()[start:end]
            return
        at, end = start, min(end, file.size)
        place = max(0, bisect_right(file.messages, start, key=lambda m: m.offset) - 1)
        for message in file.messages[place:]:
            if at >= end:
                return
            after = min(end, message.offset + message.length)
            data = self._message(file, message)
            if data is not None:
                yield data[at - message.offset : after - message.offset]
            else:
                for begin in range(at, after, len(_ZEROS)):
                    yield _ZEROS[: after - begin]
            at = after

    def messages(self, path: str) -> tuple[FileMessage, ...] | None:
        """See FileTree."""
        file = self._files.get(path)
        return None if file is None else file.messages

    def cropped(self, path: str, messages: Sequence[FileMessage], box: CropBox) -> Iterator[bytes]:
        """See FileTree. Unreadable where no message of the file is at hand."""
        file = self._files[path]
        for message in messages:
            data = self._message(file, message)
            yield crop(self._stand_in(file) if data is None else data, box)

    def _made(self, file: _File, message: FileMessage) -> bytes | None:
        """Return the message, as long as its room; None for a hole."""
        lent = self._lent_to(file).get(message.offset)
        if lent is None:
            return None
        donor, theirs = lent
        end = theirs.offset + theirs.length
        data = b"".join(donor.open_range(file.path, theirs.offset, end))
        return fitted(data, message.length)

    def _lent_to(self, file: _File) -> dict[int, tuple[FileTree, FileMessage]]:
        """Return what the donors have, by offset in the file."""
        if file.path not in self._lent:
            lent: dict[int, tuple[FileTree, FileMessage]] = {}
            for donor in reversed(self._donors):
                theirs = dict(_named(donor.messages(file.path) or ()))
                for name, message in _named(file.messages):
                    if name in theirs:
                        lent[message.offset] = donor, theirs[name]
            self._lent[file.path] = lent
        return self._lent[file.path]

    def _stand_in(self, file: _File) -> bytes:
        at_hand = (m for m in file.messages if m.offset in self._lent_to(file))
        data = next((data for m in at_hand if (data := self._message(file, m))), None)
        if data is None:
            raise Unreadable("wgrib2: no message of this file is at hand")
        return stand_in(data)


def _named(
    messages: Sequence[FileMessage],
) -> Iterator[tuple[tuple[str, str, str, int], FileMessage]]:
    """Yield each message with its name; a name that comes twice (APCP) is counted."""
    seen: Counter[tuple[str, str, str]] = Counter()
    for message in messages:
        name = message.parameter, message.level, message.forecast
        seen[name] += 1
        yield (*name, seen[name]), message


def _read(idx: Path) -> _File | None:
    text = idx.read_text("ascii", "replace")
    first = _FIRST.match(text)
    name = idx.name.removesuffix(_IDX)
    folder = _FOLDERS.get(name.partition(".")[0])
    if first is None or folder is None:
        return None
    cycle = datetime.strptime(first[1], "%Y%m%d%H").replace(tzinfo=UTC)
    path = f"{COM}/{folder.format(cycle)}/{name}"
    plan = next((plan for plan in PLANS if plan.read(path)), None)
    file = plan.read(path) if plan is not None else None
    if plan is None or file is None:
        return None
    # An .idx does not tell where its last message ends: as long as the one before it.
    *_, before, last = read_inventory(text, 0)
    size = last.offset + (last.offset - before.offset)
    complete = plan.complete(file.cycle, file.hour)
    return _File(path, text, size, read_inventory(text, size), complete)


def _entry(file: _File, name: str) -> Entry:
    size = len(file.text) if name.endswith(_IDX) else file.size
    return Entry(name, is_dir=False, size=size, mtime=file.mtime)
