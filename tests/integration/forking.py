"""The process that commands are forked from (prepared.py): all that they import is there.

`python -m tests.integration.forking SOCKET`: each message asks for one command, as JSON
(`{"arguments", "cwd", "environ"}`) with three files: where its process and then its exit code are
told, and its two streams.
"""

import gc
import importlib
import json
import os
import runpy
import socket
import sys
from contextlib import suppress

from tests.integration import forked_farm

LOADED = (
    *("cli.group", "cli.run", "cli.render", "cli.status", "cli.clean", "cli.serve"),
    *("app.oneoff", "app.daemon"),
)
COUNTS = ["bench", "run"]  # tells processes by their command lines, and a fork has its parent's
MOST = 1 << 20  # bytes of a request


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
        os.write(told, b"%d" % pid)
        _, status = os.waitpid(pid, 0)
        os.write(told, b"%d" % os.waitstatus_to_exitcode(status))
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
    forked_farm.load()  # first: it says how many threads may be
    for name in LOADED:
        importlib.import_module(f"twf_async.{name}")
    gc.collect()
    gc.freeze()
    with socket.socket(fileno=int(sys.argv[1])) as asked:
        arguments = serve(asked)
    if arguments is not None:
        if arguments[:2] != COUNTS:
            forked_farm.fork_the_first()
        sys.argv[1:] = arguments
        runpy.run_module("twf_async", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
