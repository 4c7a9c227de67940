"""What a tree of processes holds and has used: memory, processor time, descriptors, threads.

Memory is PSS: a page that several processes share counts once in their sum, as it does in the
machine's memory. RSS would count the forkserver's libraries again in every worker.
"""

import os
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import psutil

_KB = 1024.0
_TICK_S = 1.0 / os.sysconf("SC_CLK_TCK")


class Role(StrEnum):
    """What a process is for."""

    SERVICE = "service"
    FORKSERVER = "forkserver"
    WORKER = "worker"
    TRACKER = "resource tracker"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Process:
    """One process at a moment.

    pss_mb    its share of the memory; anon_mb of it anonymous: no file is behind it
    rss_mb    what it has resident, shared or not: unlike its share no other process changes that
    hwm_mb    the most it was ever resident with (RSS)
    cpu_s     of its own, user and system; children_cpu_s of those children that it has buried
    disk_read_mb, disk_written_mb  what really went to and from disks
    """

    pid: int
    role: Role
    pss_mb: float
    anon_mb: float
    rss_mb: float
    hwm_mb: float
    cpu_s: float
    children_cpu_s: float
    fds: int
    threads: int
    disk_read_mb: float
    disk_written_mb: float


@dataclass(frozen=True, slots=True)
class Tree:
    """A service and all that it has started, at a moment; the service first."""

    processes: tuple[Process, ...]

    @property
    def pss_mb(self) -> float:
        """Memory of all together."""
        return sum(process.pss_mb for process in self.processes)

    def of(self, role: Role) -> tuple[Process, ...]:
        """The processes of one kind."""
        return tuple(process for process in self.processes if process.role is role)

    @property
    def workers_cpu_s(self) -> float:
        """Of all workers, those that have ended included: the forkserver has buried them."""
        alive = sum(worker.cpu_s for worker in self.of(Role.WORKER))
        return alive + sum(server.children_cpu_s for server in self.of(Role.FORKSERVER))

    def cpu_s(self, role: Role) -> float:
        """Of the processes of one kind that are alive."""
        return sum(process.cpu_s for process in self.of(role))


def look(pid: int) -> Tree:
    """The tree below *pid* now; processes that end meanwhile are left out. Linux.

    Takes some 2 ms a process: the kernel walks the page tables. raises psutil.NoSuchProcess
    """
    root = psutil.Process(pid)
    family = [root, *root.children(recursive=True)]
    servers = {
        process.pid for process in family if _is_running(process, "multiprocessing.forkserver")
    }
    found = []
    for process in family:
        with suppress(OSError, psutil.Error, ValueError, IndexError):
            found.append(_process(process.pid, _role(process, root.pid, servers)))
    return Tree(tuple(found))


def _role(process: psutil.Process, root: int, servers: set[int]) -> Role:
    if process.pid == root:
        return Role.SERVICE
    if process.ppid() in servers:  # a fork: it has the forkserver's own command line
        return Role.WORKER
    if process.pid in servers:
        return Role.FORKSERVER
    tracks = _is_running(process, "multiprocessing.resource_tracker")
    return Role.TRACKER if tracks else Role.OTHER


def _is_running(process: psutil.Process, module: str) -> bool:
    try:
        return any(module in word for word in process.cmdline())
    except psutil.Error:
        return False


def _process(pid: int, role: Role) -> Process:
    proc = Path(f"/proc/{pid}")
    memory = _kilobytes(proc / "smaps_rollup", ("Pss", "Pss_Anon", "Rss"))
    status = _kilobytes(proc / "status", ("VmHWM", "Threads"))
    # After the name, which may hold spaces: fields 3 and on.
    fields = (proc / "stat").read_text("ascii", "replace").rpartition(")")[2].split()
    utime, stime, cutime, cstime = (int(field) * _TICK_S for field in fields[11:15])
    read, written = _disk(proc / "io")
    return Process(
        pid,
        role,
        pss_mb=memory["Pss"] / _KB,
        anon_mb=memory["Pss_Anon"] / _KB,
        rss_mb=memory["Rss"] / _KB,
        hwm_mb=status["VmHWM"] / _KB,
        cpu_s=utime + stime,
        children_cpu_s=cutime + cstime,
        fds=len(os.listdir(proc / "fd")),  # noqa: PTH208 - the names are not wanted
        threads=status["Threads"],
        disk_read_mb=read,
        disk_written_mb=written,
    )


def _disk(path: Path) -> tuple[float, float]:
    """Megabytes read and written; of processes that may not be asked none."""
    try:
        found = _kilobytes(path, ("read_bytes", "write_bytes"))
    except PermissionError:
        return 0.0, 0.0
    return found["read_bytes"] / _KB / _KB, found["write_bytes"] / _KB / _KB


def _kilobytes(path: Path, names: Iterable[str]) -> dict[str, int]:
    """Numbers of lines `Name:  123 kB`, as they stand there; 0 where a line is missing."""
    found = dict.fromkeys(names, 0)
    for line in path.read_text("ascii", "replace").splitlines():
        name, _, rest = line.partition(":")
        if name in found:
            found[name] = int(rest.split()[0])
    return found
