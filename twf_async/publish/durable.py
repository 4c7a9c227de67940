"""Files that survive a crash: written aside, flushed, renamed. Blocking; call it in a thread."""

import contextlib
import os
from collections.abc import Iterable
from pathlib import Path


def write_atomically(path: Path, content: bytes) -> None:
    """Replace *path* so that a reader sees the old or the new content, also after a power cut."""
    aside = path.with_name(f"{path.name}.tmp")
    try:
        with aside.open("wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        aside.replace(path)
    except OSError:
        with contextlib.suppress(OSError):  # half of it only takes room on a disk that has none
            aside.unlink()
        raise
    flush_directories((path.parent,))


def make_directory(path: Path) -> set[Path]:
    """Create *path* and what is missing above it; returns the directories whose entries changed."""
    changed: set[Path] = set()
    missing = path
    while not missing.is_dir():
        changed.add(missing.parent)
        missing = missing.parent
    if changed:
        path.mkdir(parents=True, exist_ok=True)
    return changed


def flush_directories(directories: Iterable[Path]) -> None:
    """Make renames in these directories last; file systems that cannot are skipped."""
    for directory in directories:
        descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
        try:
            with contextlib.suppress(OSError):  # EINVAL: the file system has no such thing
                os.fsync(descriptor)
        finally:
            os.close(descriptor)
