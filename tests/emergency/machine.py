"""A machine made small and slow for one program: control groups, small disks, files of /proc.

What needs rights that are not there is skipped with its reason.
"""

import ctypes
import os
import subprocess
import sys
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import pytest

from twf_async.upkeep.cgroup import own_group

MB = 1 << 20
JOINED = 'echo $$ > "$0/cgroup.procs" && exec "$@"'
COVERED = 'mount --bind "$0" "$1" && shift && exec "$@"'

HOG = """
import sys
hog = []
for line in sys.stdin:
    wanted = int(line)
    if wanted == 0:
        hog.clear()
    else:
        hog.append(b"x" * (wanted << 20))
    print(len(hog), flush=True)
"""


class MemoryGroup:
    """A control group with a limit of memory, of version 2 or 1."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._is_2 = (path / "memory.max").exists()

    def _write(self, name: str, value: int) -> None:
        (self.path / name).write_text(str(value))

    def limit(self, megabytes: int) -> None:
        self._write("memory.max" if self._is_2 else "memory.limit_in_bytes", megabytes * MB)
        with suppress(OSError):  # no swap accounting, no swap
            self._write(*(("memory.swap.max", 0) if self._is_2 else ("memory.swappiness", 0)))

    def peak_mb(self) -> float:
        name = "memory.peak" if self._is_2 else "memory.max_usage_in_bytes"
        return int((self.path / name).read_text()) / MB

    def oom_kills(self) -> int:
        name = "memory.events" if self._is_2 else "memory.oom_control"
        pairs = (line.split() for line in (self.path / name).read_text().splitlines())
        return int(dict(pairs)["oom_kill"])

    @property
    def join(self) -> tuple[str, ...]:
        """What goes before a command that is to live in the group."""
        return ("sh", "-c", JOINED, str(self.path))


def _memory_parents():
    yield own_group(), "memory.max"
    for line in Path("/proc/self/cgroup").read_text().splitlines():
        _, controllers, path = line.split(":", 2)
        if "memory" in controllers.split(","):
            yield Path("/sys/fs/cgroup/memory") / path.lstrip("/"), "memory.limit_in_bytes"


@contextmanager
def memory_group(megabytes: int):
    """A group below our own; None where none can be made."""
    for parent, limit in _memory_parents():
        path = parent and parent / f"twf-test-{os.getpid()}"
        if path is None or not _made(path):
            continue
        try:
            if not (path / limit).exists():
                continue
            group = MemoryGroup(path)
            group.limit(megabytes)
            yield group
            return
        finally:
            _removed(path)
    yield None


@contextmanager
def frozen(*pids: int):
    """Processes in uninterruptible sleep (state D): not even SIGKILL ends them meanwhile."""
    path = Path(f"/sys/fs/cgroup/freezer/twf-test-{os.getpid()}")
    if not (path.parent / "cgroup.procs").exists() or not _made(path):
        pytest.skip("no process can be frozen here: no freezer control group")
    try:
        for pid in pids:
            (path / "cgroup.procs").write_text(str(pid))
        (path / "freezer.state").write_text("FROZEN")
        yield
    finally:
        (path / "freezer.state").write_text("THAWED")
        _, alive = psutil.wait_procs([psutil.Process(p) for p in pids if psutil.pid_exists(p)], 60)
        for process in alive:
            (path.parent / "cgroup.procs").write_text(str(process.pid))
        _removed(path)


def has_ended(process: psutil.Process) -> bool:
    """Whether it has, be it buried or not: an orphan is when the first process gets to it."""
    try:
        return bool(process.status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True


def _made(path: Path) -> bool:
    try:
        path.mkdir()
    except OSError:
        return False
    return True


def _removed(path: Path) -> None:
    """With what is left in it of a test that failed; a killed process is counted a while longer."""
    left = [int(pid) for pid in (path / "cgroup.procs").read_text().split()]
    for process in [psutil.Process(pid) for pid in left if psutil.pid_exists(pid)]:
        with suppress(psutil.Error):
            process.kill()
            process.wait(60)
    path.rmdir()


def covering(fake: Path, real: Path) -> tuple[str, ...]:
    """What goes before a command that is to see *fake* in place of *real*, alone."""
    prefix = ("unshare", "--mount", "--propagation", "private", "sh", "-c", COVERED)
    done = subprocess.run([*prefix, fake, real, "true"], capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"no file can be covered here: {done.stderr.strip()}")
    return (*prefix, str(fake), str(real))


@contextmanager
def small_disk(directory: Path, megabytes: int):
    """A file system in memory, mounted at *directory*."""
    directory.mkdir(parents=True, exist_ok=True)
    libc = ctypes.CDLL(None, use_errno=True)
    size = f"size={megabytes}m".encode()
    if libc.mount(b"none", os.fsencode(directory), b"tmpfs", 0, size) != 0:
        pytest.skip("no file system may be mounted here")
    try:
        yield directory
    finally:
        libc.umount2(os.fsencode(directory), 2)  # at once, or when its last file is closed


def stuff(directory: Path) -> Path:
    """Fill what is left of a disk, to the last byte, with a file in *directory*: its path."""
    path = directory / "somebody-elses"
    with path.open("ab", buffering=0) as file, suppress(OSError):
        while file.write(bytes(1 << 12)):
            pass
    return path


class Hog:
    """A process that takes memory when told to."""

    def __init__(self, prefix: tuple[str, ...] = ()) -> None:
        self.process = subprocess.Popen(
            [*prefix, sys.executable, "-c", HOG],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def eat(self, megabytes: int) -> None:
        """Take so much more; 0: give everything back."""
        self.process.stdin.write(f"{megabytes}\n")
        self.process.stdin.flush()
        if not self.process.stdout.readline():
            pytest.fail("the hog died")

    def die(self) -> None:
        self.process.kill()
        self.process.communicate()
