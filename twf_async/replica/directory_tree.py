"""Real files of a directory that is laid out as NOMADS is."""

import os
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from twf_async.replica.crop import crop
from twf_async.replica.inventories import Inventories
from twf_async.replica.tree import COM, CropBox, Entry, FileMessage
from twf_async.replica.wording import read_inventory

_CHUNK = 1 << 20
_IDX = ".idx"


class DirectoryTree:
    """Serves *root*: a directory that holds pub/data/nccf/com, or that is the com directory itself.

    A GRIB2 file without an .idx beside it is served with one made from its sections.
    FileNotFoundError where *root* is no directory.
    """

    def __init__(self, root: Path) -> None:
        if not root.is_dir():
            raise FileNotFoundError(f"{root} is not a directory")
        below = root / COM.lstrip("/")
        self._com = below if below.is_dir() else root
        self._inventories = Inventories()

    def listdir(self, path: str) -> list[Entry] | None:
        """See FileTree."""
        above = f"{path.rstrip('/')}/"
        if COM.startswith(above):
            name = COM[len(above) :].partition("/")[0]
            return [Entry(name, is_dir=True, size=0, mtime=_mtime(self._com.stat()))]
        place = self._place(path)
        if place is None or not place.is_dir():
            return None
        entries = [_entry(child.name, child.stat()) for child in os.scandir(place)]
        names = {entry.name for entry in entries}
        bare = [e for e in entries if not (e.is_dir or e.name.endswith(_IDX))]
        for entry in bare:
            if f"{entry.name}{_IDX}" not in names:
                entries += self._built(place / entry.name)
        return entries

    def stat(self, path: str) -> Entry | None:
        """See FileTree."""
        if COM.startswith(f"{path.rstrip('/')}/"):
            name = path.rpartition("/")[2]
            return Entry(name, is_dir=True, size=0, mtime=_mtime(self._com.stat()))
        place = self._place(path)
        if place is None:
            return None
        try:
            return _entry(place.name, place.stat())
        except NotADirectoryError:
            return None
        except FileNotFoundError:
            built = self._built(place.with_suffix("")) if path.endswith(_IDX) else []
            return built[0] if built else None

    def open_range(self, path: str, start: int, end: int) -> Iterator[bytes]:
        """See FileTree."""
        place = self._place(path)
        if place is None:
            raise FileNotFoundError(path)
        if path.endswith(_IDX) and not place.exists():
            yield (self._inventory(place.with_suffix("")) or "").encode()[start:end]
            return
        with place.open("rb") as stream:
            stream.seek(start)
            left = end - start
            while left > 0 and (chunk := stream.read(min(left, _CHUNK))):
                left -= len(chunk)
                yield chunk

    def messages(self, path: str) -> tuple[FileMessage, ...] | None:
        """See FileTree."""
        place = self._place(path)
        if place is None or not place.is_file():
            return None
        text = self._inventory(place)
        return None if text is None else read_inventory(text, place.stat().st_size)

    def cropped(self, path: str, messages: Sequence[FileMessage], box: CropBox) -> Iterator[bytes]:
        """See FileTree."""
        for message in messages:
            end = message.offset + message.length
            yield crop(b"".join(self.open_range(path, message.offset, end)), box)

    def _inventory(self, file: Path) -> str | None:
        """Return the .idx beside *file*, else one made from it; None where it is not GRIB2."""
        beside = file.with_name(file.name + _IDX)
        if beside.is_file():
            return beside.read_text("ascii", "replace")
        return self._inventories.text(file)

    def _built(self, file: Path) -> list[Entry]:
        """Return the entry of the .idx made for *file*: one, or none where it is not GRIB2."""
        text = self._inventories.text(file) if file.is_file() else None
        if text is None:
            return []
        return [Entry(file.name + _IDX, is_dir=False, size=len(text), mtime=_mtime(file.stat()))]

    def _place(self, path: str) -> Path | None:
        if path != COM and not path.startswith(f"{COM}/"):
            return None
        return self._com / path[len(COM) :].lstrip("/")


def _entry(name: str, stat: os.stat_result) -> Entry:
    is_dir = (stat.st_mode & 0o170000) == 0o040000
    return Entry(name, is_dir, 0 if is_dir else stat.st_size, _mtime(stat))


def _mtime(stat: os.stat_result) -> datetime:
    return datetime.fromtimestamp(int(stat.st_mtime), UTC)
