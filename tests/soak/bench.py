"""What the long rehearsals share: the replica's clock, and how full a folder is."""

from datetime import datetime
from pathlib import Path

from twf_async.clock import Clock


class Lead:
    """The replica's clock: the service's, once that is known."""

    def __init__(self, start: datetime) -> None:
        self._start = start
        self.clock: Clock | None = None

    def now(self) -> datetime:
        return self._start if self.clock is None else self.clock.now()


def megabytes(folder: Path) -> float:
    """Of all files in *folder*, while others make and delete some."""
    total = 0
    for path in folder.rglob("*"):
        try:
            total += path.lstat().st_size if path.is_file() else 0
        except FileNotFoundError:
            continue
    return total / 1e6
