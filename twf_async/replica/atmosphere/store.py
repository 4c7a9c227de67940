"""The messages of static files that have been made, kept on disk.

One file a message, written under a temporary name and renamed, so that whatever is there is whole.
The oldest are removed when there are too many.
"""

import os
import threading
from collections.abc import Callable
from pathlib import Path
from tempfile import NamedTemporaryFile

# Part of every name: raise it when the weather changes, and nothing old is served.
VERSION = 1
_SUFFIX = ".message"  # directories are named after files, which end in .grib2


class Store:
    """Messages below *directory*; made at most once at a time each. Safe to use from threads."""

    def __init__(self, directory: Path, max_bytes: int = 2 << 30) -> None:
        self._directory = directory / f"atmosphere-{VERSION}"
        self._max_bytes = max_bytes
        self._held: int | None = None
        self._lock = threading.Lock()
        self._making: dict[Path, threading.Lock] = {}

    def message(self, file: str, number: int, make: Callable[[], bytes]) -> bytes:
        """Return message *number* of *file* (its path below com), made now if it is not kept."""
        place = self._directory / file / f"{number:03d}{_SUFFIX}"
        with self._lock:
            lock = self._making.setdefault(place, threading.Lock())
        with lock:
            try:
                return place.read_bytes()
            except FileNotFoundError:
                data = make()
                self._keep(place, data)
                return data
            finally:
                with self._lock:
                    self._making.pop(place, None)

    def _keep(self, place: Path, data: bytes) -> None:
        place.parent.mkdir(parents=True, exist_ok=True)
        with NamedTemporaryFile(dir=place.parent, prefix=".", delete=False) as stream:
            stream.write(data)
        Path(stream.name).replace(place)
        with self._lock:
            if self._held is None:
                self._held = sum(size for _, size, _ in self._kept())
            else:
                self._held += len(data)
            if self._held > self._max_bytes:
                self._held = self._prune()

    def _kept(self) -> list[tuple[float, int, Path]]:
        found = []
        for path in self._directory.rglob(f"*{_SUFFIX}"):
            stat = path.stat()
            found.append((stat.st_mtime, stat.st_size, path))
        return sorted(found)

    def _prune(self) -> int:
        """Remove the oldest until three quarters of the room are used; return the bytes left."""
        kept = self._kept()
        held = sum(size for _, size, _ in kept)
        for _, size, path in kept:
            if held <= self._max_bytes * 3 // 4:
                break
            os.unlink(path)  # noqa: PTH108 - a reader that has it open keeps it
            held -= size
        return held
