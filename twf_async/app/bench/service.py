"""A service of its own as a child process, what it says, and what its tree of processes holds."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson
import psutil

from twf_async.app.bench.tree import Tree, look
from twf_async.app.loopback import die_with_parent, end
from twf_async.errors import TwfError

SAMPLE_S = 0.5
STALLED_S = 300.0  # so long without a line: it hangs
DRAIN_S = 30.0
Line = dict[str, Any]


@dataclass
class Measured:
    """A running service under observation.

    began   time.monotonic() at its start
    lines   of its log so far
    trees   one every SAMPLE_S
    """

    process: "subprocess.Popen[str]"
    log: Path
    began: float
    lines: list[Line] = field(default_factory=list)
    trees: list[tuple[float, Tree]] = field(default_factory=list)
    _read: int = 0

    def until(self, event: str, **facts: object) -> Line:
        """Look at the tree until the log has this line.

        raises  TwfError when the service ends before, or says nothing for STALLED_S
        """
        heard = time.monotonic()
        while True:
            if self._listen():
                heard = time.monotonic()
            self.look()
            if found := self.said(event, **facts):
                return found[0]
            if self.process.poll() is not None:
                code = self.process.returncode
                raise TwfError(f"the service ended with {code}: {self._last()}")
            if time.monotonic() - heard > STALLED_S:
                raise TwfError(f"the service is silent for {STALLED_S:.0f} s: {self._last()}")
            time.sleep(SAMPLE_S)

    def look(self) -> None:
        """Note what the tree holds now."""
        with suppress(psutil.NoSuchProcess):
            tree = look(self.process.pid)
            if tree.processes:  # else it is ending
                self.trees.append((time.monotonic() - self.began, tree))

    def said(self, event: str, **facts: object) -> list[Line]:
        """Lines of the log of this name that say all of *facts*."""
        return [
            line for line in self.lines if line["event"] == event and facts.items() <= line.items()
        ]

    def _listen(self) -> bool:
        """Take the whole lines written since the last look; those of Python are none of ours."""
        with self.log.open("rb") as stream:
            stream.seek(self._read)
            text = stream.read()
        whole = text[: text.rfind(b"\n") + 1]
        self._read += len(whole)
        fresh = [orjson.loads(line) for line in whole.splitlines() if line.startswith(b"{")]
        self.lines += fresh
        return bool(fresh)

    def _last(self) -> str:
        text = self.log.read_text("utf-8", "replace").strip().splitlines()
        return text[-1] if text else "its log is empty"


def serve(config: Path) -> list[str]:
    """The command line of the service."""
    return [sys.executable, "-m", "twf_async", "serve", "--config", str(config)]


@contextmanager
def measured_service(
    command: Sequence[str], environ: Mapping[str, str], log: Path, cores: int
) -> Iterator[Measured]:
    """A service while the block runs, bound to so many processors, logging to *log*."""
    allowed = sorted(os.sched_getaffinity(0))[:cores]

    def prepare() -> None:
        die_with_parent()
        os.sched_setaffinity(0, allowed)

    with log.open("wb") as stderr:
        process = subprocess.Popen(  # noqa: S603 - our own program
            list(command),
            env=dict(environ),
            stderr=stderr,
            text=True,
            start_new_session=True,  # Ctrl-C is ours; we end it
            preexec_fn=prepare,  # noqa: PLW1509 - no thread exists yet
        )
    try:
        yield Measured(process, log, time.monotonic())
    finally:
        end(process, within_s=DRAIN_S)
