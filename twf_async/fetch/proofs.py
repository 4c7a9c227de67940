"""Which files of the cache are known to be the bytes that were verified: hashed once per process.

Blocking; may be asked from several threads.
"""

import os
from pathlib import Path

from twf_async.fetch.record import Record
from twf_async.fetch.verify import sha256_of

_FILES_REMEMBERED = 256  # before it is asked which of them are still there


class Proofs:
    """Remembers the files that were hashed, as long as they stay untouched."""

    def __init__(self) -> None:
        self._proven: dict[str, tuple[int, int]] = {}  # path -> (mtime_ns, size) when hashed
        self._remembered = _FILES_REMEMBERED

    def holds(self, record: Record) -> bool:
        """Whether a file is still the one that was verified. Raises OSError."""
        path = Path(record.path)
        found = path.stat()
        state = _state(found)
        if self._proven.get(str(path)) == state:
            return True
        if found.st_size != record.bytes or sha256_of(path) != record.sha256:
            return False
        self._proven[str(path)] = state
        return True

    def note(self, path: Path, status: os.stat_result) -> None:
        """Take a file, as *status* has it, for proven."""
        self._proven[str(path)] = _state(status)
        if len(self._proven) > self._remembered:
            self._forget_deleted()

    def forget(self, path: Path) -> None:
        """Have a file proven anew before it is trusted again."""
        self._proven.pop(str(path), None)

    def _forget_deleted(self) -> None:
        """Upkeep deletes files without a word; what was known of them would stay for ever."""
        for path in list(self._proven):  # other threads add to it
            if not Path(path).exists():
                self._proven.pop(path, None)
        self._remembered = max(_FILES_REMEMBERED, 2 * len(self._proven))


def _state(status: os.stat_result) -> tuple[int, int]:
    return status.st_mtime_ns, status.st_size
