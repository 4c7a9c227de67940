"""Files of the cache: which there are, which are due to go, and how they go. Blocking."""

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

_DATA, _RECORD = ".grib2", ".json"


@dataclass(frozen=True, slots=True)
class CachedFile:
    """A file of the cache, with the record beside it.

    bytes   of both
    age_s   since its last change
    active  of a run being worked on
    """

    path: Path
    bytes: int
    age_s: float
    active: bool

    def delete(self) -> None:
        """Remove it: its record first, for what has none is never taken."""
        self.path.with_suffix(_RECORD).unlink(missing_ok=True)
        self.path.unlink(missing_ok=True)


def files_to_delete(
    files: Sequence[CachedFile], *, max_age_s: float, max_bytes: float
) -> tuple[CachedFile, ...]:
    """What goes, oldest first; files of active runs never. Pure."""
    oldest_first = sorted((f for f in files if not f.active), key=lambda f: -f.age_s)
    excess = sum(file.bytes for file in files) - max_bytes
    going: list[CachedFile] = []
    for file in oldest_first:
        if file.age_s <= max_age_s and excess <= 0:
            break
        going.append(file)
        excess -= file.bytes
    return tuple(going)


def delete_files(files: Iterable[CachedFile]) -> tuple[tuple[CachedFile, ...], str]:
    """Remove *files*; those that are gone, and why one of the others is not. Blocking."""
    gone: list[CachedFile] = []
    fault = ""
    for file in files:
        try:
            file.delete()
        except OSError as error:
            fault = str(error)
        else:
            gone.append(file)
    return tuple(gone), fault


def find_files(
    root: Path, *, active: Iterable[tuple[str, str]], now_s: float
) -> tuple[CachedFile, ...]:
    """Everything in `root/{model}/{cycle}/`, the runs of *active* marked.

    What another cleaning deletes meanwhile is passed over, and so is what the disk does not show.
    """
    runs = frozenset(active)
    found: dict[Path, CachedFile] = {}
    for path in (Path(place, name) for place, _, names in os.walk(root) for name in names):
        try:
            stat = path.lstat()
        except OSError:
            continue
        data = path.with_suffix(_DATA) if path.suffix == _RECORD else path
        other = found.get(data)
        size, age_s = stat.st_size, now_s - stat.st_mtime
        if other is not None:
            size, age_s = size + other.bytes, min(age_s, other.age_s)
        found[data] = CachedFile(data, size, age_s, path.relative_to(root).parts[:2] in runs)
    return tuple(found.values())


def remove_if_empty(directory: Path, roots: Sequence[Path]) -> None:
    """Remove a directory below *roots*, and those above it that are empty then."""
    while directory not in roots:
        try:
            directory.rmdir()
        except OSError:  # not empty
            return
        directory = directory.parent
