"""The file systems that our directories lie on: how much room each has, and whether it takes any.

Blocking. State, cache and published tree may lie on one disk or on three, and what is deleted on
one makes no room on another.
"""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

GB = 1 << 30


@dataclass(frozen=True, slots=True)
class Disk:
    """One file system.

    names        the settings whose directories lie on it: "cache_dir", ...
    free_gb      what we may still write; what is reserved for root is not ours
    files_free, files_total   of how many files it can hold; 0 in all: as many as one likes
    read_only    nothing can be written whatever is free (a kernel does so after an I/O error)
    fault        why it could not be asked; the figures then say nothing
    """

    names: tuple[str, ...]
    free_gb: float = 0.0
    total_gb: float = 0.0
    files_free: int = 0
    files_total: int = 0
    read_only: bool = False
    fault: str = ""


def look_at_disks(directories: Mapping[str, Path]) -> tuple[Disk, ...]:
    """Each file system once, with the names of the directories on it; never raises OSError.

    A directory that is not there, or not any more, counts where it would be made.
    """
    names: dict[int, list[str]] = {}
    seen: dict[int, os.statvfs_result] = {}
    faults: list[Disk] = []
    for name, path in directories.items():
        try:
            place = _existing(path)
            device = place.stat().st_dev
            seen[device] = os.statvfs(place)
        except OSError as error:
            faults.append(Disk((name,), fault=error.strerror or str(error)))
        else:
            names.setdefault(device, []).append(name)
    return (*(_disk(names[device], seen[device]) for device in names), *faults)


def fullest(disks: Iterable[Disk]) -> Disk | None:
    """The one with the least free space; None where none is known."""
    return min((d for d in disks if not d.fault), key=lambda disk: disk.free_gb, default=None)


def _existing(path: Path) -> Path:
    absolute = Path(os.path.abspath(path))  # noqa: PTH100 - a link is followed by who opens it
    for place in (absolute, *absolute.parents):
        try:
            place.stat()
        except (FileNotFoundError, NotADirectoryError):
            continue
        return place
    raise FileNotFoundError(2, "No such file or directory", str(path))


def _disk(names: Iterable[str], found: os.statvfs_result) -> Disk:
    return Disk(
        tuple(names),
        free_gb=found.f_bavail * found.f_frsize / GB,
        total_gb=found.f_blocks * found.f_frsize / GB,
        files_free=found.f_favail,
        files_total=found.f_files,
        read_only=bool(found.f_flag & os.ST_RDONLY),
    )
