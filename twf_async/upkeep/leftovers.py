"""What dead processes left half done: staged frames, runs being deleted, unfinished files.

Each has the process that made it in its name (`...4711-3`, `....4711.part`). Blocking.
"""

import os
import re
import shutil
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

_STAGED = re.compile(r".*\.([0-9]{1,9})-[0-9]+")  # no kernel counts further
_UNFINISHED = re.compile(r".*\.([0-9]{1,9})\.(?:part|tmp)")


@dataclass(frozen=True, slots=True)
class Leftover:
    """A file, or a directory with all that is in it."""

    path: Path
    bytes: int

    def delete(self) -> None:
        """Remove it; what cannot be removed stays for the next time."""
        if self.path.is_dir() and not self.path.is_symlink():
            shutil.rmtree(self.path, ignore_errors=True)
        else:
            with suppress(OSError):
                self.path.unlink()


def find_leftovers(staging: Path, caches: Iterable[Path]) -> tuple[Leftover, ...]:
    """Everything below whose process does not run any more."""
    return tuple(_staged(staging)) + tuple(found for root in caches for found in _unfinished(root))


def _staged(staging: Path) -> Iterator[Leftover]:
    for path in sorted(staging.glob("*")):
        if _is_left(_STAGED, path):
            yield Leftover(path, sum(map(_size, (path, *_files(path)))))


def _unfinished(root: Path) -> Iterator[Leftover]:
    for path in sorted(_files(root)):
        if _is_left(_UNFINISHED, path):
            yield Leftover(path, _size(path))


def _files(root: Path) -> Iterator[Path]:
    """Everything below but directories; nothing of those that are just going or cannot be seen."""
    return (Path(place, name) for place, _, names in os.walk(root) for name in names)


def _is_left(pattern: re.Pattern[str], path: Path) -> bool:
    """Whether a process is named at the end and is gone."""
    match = pattern.fullmatch(path.name)
    return match is not None and not psutil.pid_exists(int(match[1]))


def _size(path: Path) -> int:
    try:
        return path.lstat().st_size if path.is_symlink() or not path.is_dir() else 0
    except OSError:
        return 0
