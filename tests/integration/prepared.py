"""Commands of which nobody asks how they load: `python -m twf_async`, forked with that behind it.

Python takes most of a second to import the service, longer than most commands take. A command is a
process of its own here too, which runs `__main__` from its first line in the directory, the
environment and with the streams that it is given, and ends as Python ends; its imports are there.
Whoever stops a command, or looks at how it begins, starts it from nothing.
"""

import json
import os
import runpy
import socket
import subprocess
import sys
import threading
from contextlib import suppress

LOADED = ("cli.group", "cli.run", "cli.render", "cli.status", "cli.clean", "app.oneoff")
MOST = 1 << 20  # bytes of a request


class Prepared:
    """Runs commands; to be closed."""

    def __init__(self, cwd):
        self._ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", __name__, str(theirs.fileno())],
                cwd=cwd,
                stdin=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
            )

    def run(self, arguments, *, cwd, env, timeout):
        """As `subprocess.run` of `python -m twf_async` with its output as text."""
        end, theirs = socket.socketpair()
        told = [os.pipe(), os.pipe()]
        request = {"arguments": [*arguments], "cwd": str(cwd), "environ": env}
        given = [theirs.fileno(), *(write for _, write in told)]
        with theirs:
            socket.send_fds(self._ours, [json.dumps(request).encode()], given)
        for _, write in told:
            os.close(write)
        texts = ["", ""]
        readers = [
            threading.Thread(target=_read, args=(texts, number, read), daemon=True)
            for number, (read, _) in enumerate(told)
        ]
        with end, end.makefile() as lines:
            pid = int(lines.readline())
            for thread in readers:
                thread.start()
            for thread in readers:
                thread.join(timeout)
            if any(thread.is_alive() for thread in readers):
                os.kill(pid, 9)
                raise subprocess.TimeoutExpired(request["arguments"], timeout)
            return subprocess.CompletedProcess(arguments, int(lines.readline()), *texts)

    def close(self):
        """End it; commands that run go on."""
        self._ours.close()
        self._process.wait(60)


def _read(texts, number, pipe):
    with os.fdopen(pipe) as stream:
        texts[number] = stream.read()


def serve(asked):
    """Start what is asked for, until nobody can ask. Returns in the process of a command alone."""
    while True:
        request, (*fds,), _, _ = socket.recv_fds(asked, MOST, 3)
        if not request:
            return None
        _reap()
        if os.fork() == 0:
            return _command(json.loads(request), *fds, asked)
        for fd in fds:
            os.close(fd)


def _command(request, told, out, err, asked):
    """The command's arguments, in its process; its parent tells how it ends and does no more."""
    asked.close()
    if pid := os.fork():
        os.close(out)
        os.close(err)
        os.write(told, b"%d\n" % pid)
        _, status = os.waitpid(pid, 0)
        os.write(told, b"%d\n" % os.waitstatus_to_exitcode(status))
        os._exit(0)
    os.close(told)
    os.dup2(out, 1)
    os.dup2(err, 2)
    os.close(out)
    os.close(err)
    os.chdir(request["cwd"])
    os.environ.clear()
    os.environ.update(request["environ"])
    return request["arguments"]


def _reap():
    with suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def main():
    import importlib

    for name in LOADED:
        importlib.import_module(f"twf_async.{name}")
    with socket.socket(fileno=int(sys.argv[1])) as asked:
        arguments = serve(asked)
    if arguments is not None:
        sys.argv[1:] = arguments
        runpy.run_module("twf_async", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
