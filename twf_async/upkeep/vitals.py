"""How the machine is: memory, swap, pressure, waiting for disks, free space. Blocking, ~3 ms."""

import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

import psutil

from twf_async.upkeep.cgroup import memory_room, own_group
from twf_async.upkeep.disks import Disk, fullest, look_at_disks

MB = 1 << 20
_FULL_AVG10 = re.compile(r"^full\b.*?\bavg10=(\d+(?:\.\d+)?)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Vitals:
    """One look. Memory is what the machine and every control group above us leave.

    memory_stall_pct, io_stall_pct   PSI `full avg10`; None where the kernel has none
    iowait_pct   share of CPU time idle with disk requests open, since the look before
    blocked   processes of the whole machine that wait for a disk
    blocked_workers   of ours in uninterruptible sleep: nothing ends them before the disk answers
    disks    the file systems of our directories
    """

    memory_limit_mb: float
    memory_available_mb: float
    swap_used_pct: float = 0.0
    swap_total_mb: float = 0.0
    memory_stall_pct: float | None = None
    io_stall_pct: float | None = None
    iowait_pct: float = 0.0
    blocked: int = 0
    blocked_workers: int = 0
    disks: tuple[Disk, ...] = ()

    @property
    def available_share(self) -> float:
        """Available memory as a share of the limit; a limit of nothing leaves nothing."""
        return self.memory_available_mb / self.memory_limit_mb if self.memory_limit_mb else 0.0

    @property
    def disk_free_gb(self) -> float | None:
        """Of the fullest disk; None where none could be seen."""
        disk = fullest(self.disks)
        return None if disk is None else round(disk.free_gb, 2)

    def document(self) -> dict[str, Any]:
        """JSON-ready, for the status page."""
        return {**asdict(self), "disk_free_gb": self.disk_free_gb}

    def figures(self) -> dict[str, float | None]:
        """What a log line says of it."""
        return {
            "available_mb": round(self.memory_available_mb),
            "limit_mb": round(self.memory_limit_mb),
            "swap_used_pct": self.swap_used_pct,
            "swap_total_mb": round(self.swap_total_mb),
            "memory_stall_pct": self.memory_stall_pct,
            "io_stall_pct": self.io_stall_pct,
            "iowait_pct": self.iowait_pct,
            "blocked": self.blocked,
            "blocked_workers": self.blocked_workers,
            "disk_free_gb": self.disk_free_gb,
        }


class Sampler(Protocol):
    """Looks at the machine."""

    def sample(self) -> Vitals:
        """One look."""


class SystemSampler:
    """The real machine, as psutil, the control groups and PSI show it."""

    def __init__(self, directories: Mapping[str, Path], *, proc: Path = Path("/proc")) -> None:
        """*directories*: by the settings that name them."""
        self._directories = directories
        self._proc = proc
        self._cpu = _cpu_times()

    def sample(self) -> Vitals:
        """One look; what the kernel does not offer is left out."""
        host, swap = psutil.virtual_memory(), psutil.swap_memory()
        limit, available = host.total, host.available
        room = memory_room(self._proc)
        if room is not None:
            limit, available = min(limit, room.limit), min(available, room.available)
        return Vitals(
            memory_limit_mb=limit / MB,
            memory_available_mb=available / MB,
            swap_used_pct=swap.percent,
            swap_total_mb=swap.total / MB,
            memory_stall_pct=self._stall("memory"),
            io_stall_pct=self._stall("io"),
            iowait_pct=self._iowait_pct(),
            blocked=self._blocked(),
            blocked_workers=_blocked_children(),
            disks=look_at_disks(self._directories),
        )

    def _iowait_pct(self) -> float:
        """Since the last look; psutil's own percentages are since anybody's last question."""
        before, self._cpu = self._cpu, _cpu_times()
        waited, whole = (now - then for now, then in zip(self._cpu, before, strict=True))
        return round(100.0 * waited / whole, 1) if whole > 0 else 0.0

    def _blocked(self) -> int:
        try:
            lines = (self._proc / "stat").read_text(encoding="utf-8").splitlines()
        except OSError:
            return 0
        found = (line.split() for line in lines if line.startswith("procs_blocked "))
        return next((int(fields[1]) for fields in found), 0)

    def _stall(self, resource: str) -> float | None:
        """PSI of our own control group where it has one, else of the host."""
        group = own_group(self._proc)
        places = [self._proc / "pressure" / resource]
        if group is not None:
            places.insert(0, group / f"{resource}.pressure")
        for place in places:
            try:
                text = place.read_text(encoding="utf-8")
            except OSError:  # ENOTSUP: compiled in, switched off
                continue
            if (stall := full_avg10(text)) is not None:
                return stall
        return None


def _cpu_times() -> tuple[float, float]:
    """Seconds of all processors idle with disk requests open, and in all."""
    times = psutil.cpu_times()
    guests = getattr(times, "guest", 0.0) + getattr(times, "guest_nice", 0.0)  # in user, nice too
    return getattr(times, "iowait", 0.0), sum(times) - guests


def _blocked_children() -> int:
    count = 0
    for child in psutil.Process().children(recursive=True):
        with suppress(psutil.Error):
            count += child.status() == psutil.STATUS_DISK_SLEEP
    return count


def full_avg10(text: str) -> float | None:
    """`full avg10` of a pressure file, per cent; None if it is not in there."""
    found = _FULL_AVG10.search(text)
    return float(found[1]) if found else None
