"""A dask cluster of real processes."""

import contextlib
import os
import secrets
import socket
import subprocess
import sys

import psutil


def unused_port():
    """One that is not given to others meanwhile: the kernel hands out those from 32,768 only."""
    while True:
        port = 20_000 + secrets.randbelow(12_000)
        with contextlib.suppress(OSError), socket.socket() as probe:
            probe.bind(("127.0.0.1", port))
            return port


class Cluster:
    """`dask scheduler` and `dask worker`, as an operator starts them."""

    def __init__(self, directory, port):
        self.directory, self.port = directory, port
        self.address = f"tcp://127.0.0.1:{port}"
        self.processes = []

    def start_scheduler(self):
        options = ["--host", "127.0.0.1", "--port", str(self.port), "--no-dashboard"]
        return self._start("scheduler", *options)

    def start_workers(self, count, *more, **environment):
        options = ["--nworkers", str(count), "--nthreads", "1", "--no-dashboard"]
        options += ["--local-directory", str(self.directory / "local"), "--death-timeout", "60"]
        options += more
        return self._start("worker", self.address, *options, **environment)

    def stop(self):
        """At once: what dask does when it ends in peace is not looked at here."""
        found = [
            child
            for process in self.processes
            if process.poll() is None
            for child in psutil.Process(process.pid).children(recursive=True)
        ]
        for process in (*self.processes, *found):
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        for process in self.processes:
            process.wait()

    def _start(self, role, *options, **environment):
        with (self.directory / f"{role}.log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "dask", role, *options],
                env={
                    **os.environ,
                    "TWF_CACHE_DIR": str(self.directory / "cache"),
                    "PYTHONWARNINGS": "ignore",
                    **environment,
                },
                stderr=log,
                cwd=self.directory,
            )
        self.processes.append(process)
        return process
