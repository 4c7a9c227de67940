"""What a killed process leaves in the cache, and how to tell it from what a living one is writing.

Of downloads on their way (`NAME.PID.part`) and of records (`NAME.PID.tmp`) the name says whose they
are. Data without its record is between two renames, or was when its process ended.
"""

import contextlib
import os
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from twf_async.fetch.part import SUFFIX as PART

DATA = ".grib2"
RECORD = ".json"
ASIDE = ".tmp"
_SETTLED_S = 60.0  # another process may be between its two renames


def remove_leftovers(root: Path) -> int:
    """Remove them below *root*, a cache (blocking); returns how many. Never raises OSError."""
    removed = 0
    with contextlib.suppress(OSError):  # a start does not fail for rubbish
        for path in _leftovers(root.glob("*/*/*")):
            with contextlib.suppress(OSError):
                path.unlink()
                removed += 1
    return removed


def _leftovers(paths: Iterable[Path]) -> Iterator[Path]:
    """Files of dead processes, and data without a record or a record without data."""
    for path in paths:
        if path.suffix in {PART, ASIDE}:
            if _is_orphaned(path):
                yield path
        elif path.suffix in {DATA, RECORD}:
            other = path.with_suffix(RECORD if path.suffix == DATA else DATA)
            if not other.exists() and _is_settled(path):
                yield path


def _is_orphaned(path: Path) -> bool:
    """Whether a file `NAME.PID.part`, or of another ending, is of a process that runs no more."""
    owner = path.stem.rpartition(".")[2]
    if not owner.isdecimal():
        return True
    try:
        os.kill(int(owner), 0)
    except ProcessLookupError:
        return True
    except (PermissionError, OverflowError):
        return False
    return int(owner) == os.getpid()


def _is_settled(path: Path) -> bool:
    try:
        # Either way: a clock that was put back makes files of the future.
        return abs(time.time() - path.stat().st_mtime) > _SETTLED_S
    except OSError:
        return False
