"""Directories for the length of a job. Of a process that was killed another removes them.

A lock on the directory itself tells whether anybody still works in it: it ends with the process,
however that ends, and holds between containers that share a disk but no process numbers.
"""

import fcntl
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

PREFIX = "twf-job-"
YOUNG_S = 60.0  # since it was made: perhaps not locked yet


@contextmanager
def scratch(parent: Path) -> Iterator[Path]:
    """A fresh directory below *parent*, gone at the end. OSError."""
    directory = Path(tempfile.mkdtemp(prefix=PREFIX, dir=parent))
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        with suppress(OSError):  # a file system without locks
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield directory
    finally:
        os.close(descriptor)
        shutil.rmtree(directory, ignore_errors=True)


def sweep(parent: Path, *, young_s: float = YOUNG_S) -> None:
    """Remove what processes that are gone left below *parent*."""
    for directory in parent.glob(f"{PREFIX}*"):
        with suppress(OSError):
            if time.time() - directory.stat().st_ctime < young_s:
                continue
            descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(directory, ignore_errors=True)
            finally:
                os.close(descriptor)
