"""Puts a verified file and its record into their places, and takes both away (blocking).

The record takes its place last and goes first, each step on the disk before the next: after a kill
at any moment a file with a record is the one that was verified.
"""

import contextlib
import os
from pathlib import Path

from twf_async.fetch.leftovers import ASIDE, RECORD


def place(part: Path, path: Path, record: bytes) -> os.stat_result:
    """Rename *part* to *path* and write *record* beside it; the status of the file in its place.

    raises  OSError; then neither is there
    """
    sidecar = path.with_suffix(RECORD)
    aside = sidecar.with_name(f"{sidecar.name}.{os.getpid()}{ASIDE}")
    unfinished = [aside]  # would take room where there is none
    try:
        with aside.open("wb") as stream:
            stream.write(record)
            stream.flush()
            os.fsync(stream.fileno())
        sidecar.unlink(missing_ok=True)  # that of another file of this name must not outlive it
        unfinished += [sidecar, path]
        part.replace(path)
        _flush(path.parent)
        aside.replace(sidecar)
        _flush(path.parent)
        return path.stat()
    except OSError:
        for left in unfinished:
            with contextlib.suppress(OSError):
                left.unlink()
        raise


def remove(path: Path) -> None:
    """Remove the record of a file, then the file; OSError. What is gone already is no fault."""
    path.with_suffix(RECORD).unlink(missing_ok=True)
    path.unlink(missing_ok=True)


def _flush(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
