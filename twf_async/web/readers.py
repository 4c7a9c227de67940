"""The threads that work for readers: they read maps, and compress what is large.

The other threads of the process bring maps online and keep the state. Neither a disk that does not
answer nor a thousand readers at once may take those.
"""

import asyncio
import hashlib
from concurrent.futures import Executor, ThreadPoolExecutor
from pathlib import Path

from aiohttp import web

from twf_async import stops
from twf_async.publish.manifest import HASH_DIGITS
from twf_async.publish.whole import read_whole

NAME = f"{stops.LEFT_ALONE}-web-reader"
THREADS = 4
PACKERS = 2  # what is compressed is in memory, and waits for no disk
PATIENCE_S = 20.0  # that a reader waits for the disk, and for those before him


class ReaderThreads:
    """A few threads, shared by all readers: *executor* reads, *packer* compresses."""

    def __init__(self, threads: Executor | None = None, *, patience_s: float = PATIENCE_S) -> None:
        self.executor = threads or ThreadPoolExecutor(THREADS, thread_name_prefix=NAME)
        self.packer = ThreadPoolExecutor(PACKERS, thread_name_prefix=NAME)
        self._patience_s = patience_s

    async def read(self, path: Path) -> tuple[bytes, str]:
        """What is in a file, and its hash.

        raises  OSError where it cannot be read; TimeoutError, which is one, where not in time
        """
        async with asyncio.timeout(self._patience_s):
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self.executor, _read, path)

    def close(self) -> None:
        """Read no more. What hangs is left to itself: the end must not wait for it."""
        for executor in (self.executor, self.packer):
            executor.shutdown(wait=False, cancel_futures=True)


READERS = web.AppKey("readers", ReaderThreads)


def _read(path: Path) -> tuple[bytes, str]:
    content = read_whole(path)
    return content, hashlib.sha256(content).hexdigest()[:HASH_DIGITS]
