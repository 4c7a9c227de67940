import os
from concurrent.futures import ProcessPoolExecutor

import pytest

from render_farm.worker import entry
from twf_async.farm.boot import boot


class Worker:
    """One worker as the service has it: forked from the forkserver, one job at a time."""

    def __init__(self):
        self._pool = ProcessPoolExecutor(
            1, mp_context=boot(), initializer=entry.initialise, initargs=(0, "error", False)
        )

    def render(self, job):
        return self._pool.submit(entry.render, job).result(timeout=60)

    @property
    def pid(self):
        return self._pool.submit(os.getpid).result(timeout=60)

    def close(self):
        self._pool.shutdown()


@pytest.fixture(scope="session")
def worker():
    worker = Worker()
    yield worker
    worker.close()
