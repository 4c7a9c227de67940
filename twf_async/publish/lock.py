"""One process at a time fills a published tree: two would overwrite each other's manifests."""

import fcntl
import os
from pathlib import Path

from twf_async.errors import TwfError


class TreeInUse(TwfError):
    """Another process has the tree open."""

    exit_code = 2


class TreeLock:
    """An advisory lock that the kernel takes back however the process ends. Blocking, briefly."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor: int | None = None

    def take(self) -> None:
        """Hold the lock from now on; TreeInUse names the process that has it."""
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(descriptor, 20).decode(errors="replace").strip() or "another"
            os.close(descriptor)
            raise TreeInUse(
                f"{self._path.parent} is in use by process {holder};"
                " stop that first, or set TWF_PUBLISH_DIR to another directory"
            ) from None
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        self._descriptor = descriptor

    def release(self) -> None:
        """Let others have it; may be called twice."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
