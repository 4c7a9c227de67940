"""A file while it is being downloaded: `NAME.PID.part` beside its place, never taken for good.

Written in pieces of 1 MiB, each a hop to a thread: smaller ones cost more than the disk does.
"""

import asyncio
import contextlib
import errno
import os
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiofiles

from twf_async.errors import FetchError
from twf_async.fetch.errors import DiskFailed, DiskUnusable, NoSpace

SUFFIX = ".part"
_PIECE = 1 << 20
_FULL = {errno.ENOSPC, errno.EDQUOT}
_LASTS = {errno.EROFS, errno.ENOTDIR, errno.EACCES, errno.EPERM, errno.ELOOP, errno.ENAMETOOLONG}


class Part:
    """Bytes on their way to the disk. Made by `open_part`, which says what an OSError means."""

    def __init__(self, path: Path, stream: Any) -> None:  # noqa: ANN401 - aiofiles has no type
        self.path = path
        self._stream = stream
        self._buffer = bytearray()
        self._written = 0  # the place in the file that the stream stands at

    @property
    def size(self) -> int:
        """Bytes taken so far; of a file that is not written in order, where the last ones end."""
        return self._written + len(self._buffer)

    async def put(self, place: int, chunk: bytes) -> None:
        """Take bytes that belong at *place* of the file, in whatever order they come."""
        if place != self.size:
            await self._drain()
            await self._stream.seek(place)
            self._written = place
        await self.write(chunk)

    async def write(self, chunk: bytes) -> None:
        """Take more bytes."""
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
        await unbroken(self._pour(memoryview(piece)))

    async def _pour(self, left: memoryview) -> None:
        while left:
            # Unbuffered files take what there is room for; only the next write says "disk full".
            taken = await self._stream.write(left)
            self._written += taken
            left = left[taken:]


@asynccontextmanager
async def open_part(target: Path) -> AsyncIterator[Part]:
    """Begin the file that will be renamed to *target*; gone at the end unless it was renamed.

    raises  NoSpace, DiskFailed for an OSError of its own or of the block
    """
    path = target.with_name(f"{target.name}.{os.getpid()}{SUFFIX}")
    try:
        await asyncio.to_thread(path.parent.mkdir, parents=True, exist_ok=True)
        # Unbuffered: a second buffer below ours would hide a full disk until it is too late.
        stream = await _opened(path)
        try:
            yield Part(path, stream)
        finally:
            await unbroken(stream.close())
    except OSError as error:
        raise disk_error(path, error) from error
    finally:
        # One unlink is too short to be worth a thread, and a thread could outlive a cancellation.
        # Where it fails the next start removes the file.
        with contextlib.suppress(OSError):
            path.unlink()


async def _opened(path: Path) -> Any:  # noqa: ANN401 - aiofiles has no type
    """The file, open for writing; closed again where we are cancelled meanwhile."""

    async def work() -> Any:  # noqa: ANN401
        return await aiofiles.open(path, "wb", buffering=0)

    opening = asyncio.ensure_future(work())
    try:
        return await asyncio.shield(opening)
    except asyncio.CancelledError:
        await unbroken(_closed(opening))
        raise


async def _closed(opening: asyncio.Future[Any]) -> None:
    with contextlib.suppress(OSError):
        await (await opening).close()


async def unbroken(work: Coroutine[Any, Any, None]) -> None:
    """Await *work* to its end even where we are cancelled: no cancellation reaches a thread."""
    task = asyncio.ensure_future(work)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait({task})
        if not task.cancelled():
            task.exception()  # taken, so that nobody is told of it at the task's end
        raise


def disk_error(path: Path, error: OSError) -> FetchError:
    """What trouble with the disk at *path* means to whoever wanted a download."""
    kind = NoSpace if error.errno in _FULL else DiskFailed
    if error.errno in _LASTS:
        kind = DiskUnusable
    return kind(f"{path}: {error.strerror or error}")
