"""A file while it is being downloaded: `NAME.PID.part` beside its place, never taken for good.

Written in pieces of 1 MiB, each a hop to a thread: smaller ones cost more than the disk does.
"""

import asyncio
import contextlib
import errno
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiofiles

from twf_async.fetch.errors import NoSpace

SUFFIX = ".part"
_PIECE = 1 << 20
_FULL = {errno.ENOSPC, errno.EDQUOT}


class Part:
    """Bytes on their way to the disk. Made by `open_part`."""

    def __init__(self, path: Path, stream: Any) -> None:  # noqa: ANN401 - aiofiles has no type
        self.path = path
        self._stream = stream
        self._buffer = bytearray()
        self._written = 0

    @property
    def size(self) -> int:
        """Bytes taken so far."""
        return self._written + len(self._buffer)

    async def write(self, chunk: bytes) -> None:
        """Take more bytes. NoSpace where the disk is full."""
        self._buffer += chunk
        if len(self._buffer) >= _PIECE:
            await self._drain()

    async def cut(self, size: int) -> None:
        """Forget everything after the first *size* bytes."""
        await self._drain()
        await self._stream.truncate(size)
        await self._stream.seek(size)
        self._written = size

    async def flush(self) -> None:
        """Return when every byte is on the disk itself."""
        await self._drain()
        await self._stream.flush()
        await asyncio.to_thread(os.fsync, self._stream.fileno())

    async def _drain(self) -> None:
        piece, self._buffer = self._buffer, bytearray()
        if not piece:
            return
        try:
            await self._stream.write(piece)
        except OSError as error:
            if error.errno in _FULL:
                raise NoSpace(f"{self.path}: {error.strerror}") from error
            raise
        self._written += len(piece)


@asynccontextmanager
async def open_part(target: Path) -> AsyncIterator[Part]:
    """Begin the file that will be renamed to *target*; gone at the end unless it was renamed."""
    path = target.with_name(f"{target.name}.{os.getpid()}{SUFFIX}")
    await asyncio.to_thread(path.parent.mkdir, parents=True, exist_ok=True)
    try:
        # Unbuffered: a second buffer below ours would hide a full disk until it is too late.
        async with aiofiles.open(path, "wb", buffering=0) as stream:
            yield Part(path, stream)
    finally:
        # One unlink is too short to be worth a thread, and a thread could outlive a cancellation.
        with contextlib.suppress(FileNotFoundError):
            path.unlink()


def left_behind(path: Path) -> bool:
    """Whether a `.part` file belongs to a process that no longer runs."""
    owner = path.name.removesuffix(SUFFIX).rpartition(".")[2]
    if not owner.isdecimal():
        return True
    try:
        os.kill(int(owner), 0)
    except ProcessLookupError:
        return True
    except (PermissionError, OverflowError):
        return False
    return int(owner) == os.getpid()
