"""Directories for the length of a job or a command. Of a process that was killed another removes
them.

A lock on the directory itself tells whether anybody still works in it: it ends with the process,
however that ends, and holds between containers that share a disk but no process numbers. A mark in
it tells that it is ours, and that it has been locked.
"""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

PREFIX = "twf-job-"
MARK = "twf-async"


@contextmanager
def scratch(parent: Path | None = None, prefix: str = PREFIX) -> Iterator[Path]:
    """A fresh directory below *parent* (None: TMPDIR), gone at the end. OSError.

    First removes what processes that are gone left of this kind.
    """
    parent = parent or Path(tempfile.gettempdir())
    sweep(parent, prefix)
    directory = Path(tempfile.mkdtemp(prefix=prefix, dir=parent))
    descriptor = None
    try:
        with suppress(OSError):  # a file system without locks
            descriptor = claim(directory)
        yield directory
    finally:
        shutil.rmtree(directory, ignore_errors=True)
        if descriptor is not None:
            os.close(descriptor)


def claim(directory: Path) -> int:
    """Lock a directory and mark it; returns what holds the lock until it is closed.

    raises  OSError where somebody else has it, or where there are no locks: then it is not marked,
            and nobody removes it
    """
    descriptor = _locked(directory)
    try:
        (directory / MARK).touch()  # last: whoever sees it finds the lock
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def sweep(parent: Path, prefix: str = PREFIX) -> None:
    """Remove what this user's processes that are gone left below *parent*."""
    for directory in parent.glob(f"{prefix}*"):
        with suppress(OSError):  # others' cannot even be looked into
            if directory.lstat().st_uid != os.geteuid() or not (directory / MARK).exists():
                continue
            descriptor = _locked(directory)
            try:
                _remove(directory)
            finally:
                os.close(descriptor)


def _remove(directory: Path) -> None:
    """Delete it; where a child of the dead still writes, the next sweep finds what stays."""
    shutil.rmtree(directory, ignore_errors=True)
    if directory.exists():
        (directory / MARK).touch()


def _locked(directory: Path) -> int:
    """What holds a lock on a directory until it is closed; OSError where somebody else has it."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor
