"""Buries workers that have become our own children.

Those of a forkserver that has died do, where this process is the first of a container. Nobody else
would, and each goes on counting against the limit of processes whose want ended the forkserver.
"""

import os
from contextlib import suppress
from multiprocessing.context import ForkServerProcess
from multiprocessing.process import BaseProcess

import psutil


class Orphans:
    """Workers that were seen off and may still have to be buried."""

    def __init__(self) -> None:
        # Not their numbers, which are others' once they are buried.
        self._workers: set[psutil.Process] = set()

    def note(self, process: BaseProcess) -> None:
        """A worker is on its way out."""
        if isinstance(process, ForkServerProcess) and process.pid is not None:
            with suppress(psutil.NoSuchProcess):
                self._workers.add(psutil.Process(process.pid))

    def bury(self) -> None:
        """Bury those that have ended and are ours; forget those that are gone. Never blocks."""
        for worker in tuple(self._workers):
            ended = not worker.is_running()
            # Not ours: its forkserver buries it, or dies before it has, and leaves it to us.
            with suppress(ChildProcessError):
                ended = ended or os.waitpid(worker.pid, os.WNOHANG)[0] > 0
            if ended:
                self._workers.discard(worker)
