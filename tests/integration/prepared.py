"""Commands of which nobody asks how they load: `python -m twf_async`, forked with that behind it.

Python takes most of a second to import the service, and as long again for what draws: longer than
most commands take. A command is a process of its own here too, which runs `__main__` from its first
line in the directory, the environment and with the streams that it is given, and ends as Python
ends; its imports are there (forking.py). Whoever stops a command that is at its beginning, or looks
at how it begins, starts it from nothing.
"""

import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
from contextlib import suppress

SERVER = "tests.integration.forking"
ONE_NUMBER = 32  # bytes, at most


class Prepared:
    """Runs commands; to be closed."""

    def __init__(self, cwd):
        self._ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", SERVER, str(theirs.fileno())],
                cwd=cwd,
                stdin=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
            )

    def start(self, arguments, *, cwd, env, stdout, stderr):
        """As `subprocess.Popen` of `python -m twf_async`; its streams are numbers of open files."""
        end, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        request = {"arguments": [*map(str, arguments)], "cwd": str(cwd), "environ": env}
        with theirs:
            given = [theirs.fileno(), stdout, stderr]
            socket.send_fds(self._ours, [json.dumps(request).encode()], given)
        return Forked(end)

    def run(self, arguments, *, cwd, env, timeout):
        """As `subprocess.run` of `python -m twf_async` with its output as text."""
        told = [os.pipe(), os.pipe()]
        out, err = (write for _, write in told)
        process = self.start(arguments, cwd=cwd, env=env, stdout=out, stderr=err)
        for _, write in told:
            os.close(write)
        texts = ["", ""]
        readers = [
            threading.Thread(target=_read, args=(texts, number, read), daemon=True)
            for number, (read, _) in enumerate(told)
        ]
        for thread in readers:
            thread.start()
        for thread in readers:
            thread.join(timeout)
        if any(thread.is_alive() for thread in readers):
            process.kill()
            process.wait()
            raise subprocess.TimeoutExpired(arguments, timeout)
        return subprocess.CompletedProcess(arguments, process.wait(), *texts)

    def close(self):
        """End it; commands that run go on."""
        self._ours.close()
        self._process.wait(60)


class Forked:
    """A command that runs; to be waited for."""

    def __init__(self, end):
        self._end = end
        self.pid = int(end.recv(ONE_NUMBER))
        self.returncode = None

    def wait(self, timeout=None):
        """Its exit code once it has ended, or less than 0: the signal that killed it."""
        if self.returncode is None:
            if not select.select([self._end], [], [], timeout)[0]:
                raise subprocess.TimeoutExpired("twf-async", timeout)
            with self._end as end:
                self.returncode = int(end.recv(ONE_NUMBER))
        return self.returncode

    def poll(self):
        with suppress(subprocess.TimeoutExpired):
            self.wait(0)
        return self.returncode

    def send_signal(self, number):
        if self.poll() is None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def kill(self):
        self.send_signal(signal.SIGKILL)


def _read(texts, number, pipe):
    with os.fdopen(pipe) as stream:
        texts[number] = stream.read()
