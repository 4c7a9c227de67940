"""One process at a time fills a published tree: two would overwrite each other's manifests."""

import errno
import fcntl
import os
from contextlib import suppress
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
        if (descriptor := self._open()) is None:
            return
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(descriptor, 20).decode(errors="replace").strip() or "another"
            os.close(descriptor)
            raise TreeInUse(
                f"{self._path.parent} is in use by process {holder};"
                " stop that first, or set TWF_PUBLISH_DIR to another directory"
            ) from None
        self._descriptor = descriptor
        with suppress(OSError):  # who we are is a courtesy that a full disk cannot take
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)

    def _open(self) -> int | None:
        """None: there is no such file, and none can be made, so that nobody can fill the tree."""
        try:
            return os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:
            if error.errno != errno.EROFS:
                raise
        with suppress(FileNotFoundError):  # a disk that turned read-only still has maps to show
            return os.open(self._path, os.O_RDONLY | os.O_CLOEXEC)
        return None

    def release(self) -> None:
        """Let others have it; may be called twice."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
