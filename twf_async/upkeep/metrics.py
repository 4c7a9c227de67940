"""What the watchdog sees and does, for /metrics. What is not known is NaN, never a reassuring 0."""

from math import nan

from prometheus_client import Counter, Gauge

from twf_async.upkeep.disks import GB
from twf_async.upkeep.vitals import MB, Vitals

_AVAILABLE = Gauge(
    "twf_memory_available_bytes", "Memory that can still be had before a limit is met."
)
_LIMIT = Gauge(
    "twf_memory_limit_bytes", "The machine's memory, or the smallest limit of a control group."
)
_MEMORY_STALL = Gauge(
    "twf_memory_stall_ratio",
    "Share of the last 10 s in which every task waited for memory (PSI full avg10).",
)
_IO_STALL = Gauge(
    "twf_io_stall_ratio",
    "Share of the last 10 s in which every task waited for a disk (PSI full avg10).",
)
_IOWAIT = Gauge("twf_iowait_ratio", "Share of CPU time idle with disk requests open.")
_SWAP = Gauge("twf_swap_used_ratio", "Share of the swap that is in use.")
_BLOCKED = Gauge("twf_processes_blocked", "Processes of the machine that wait for a disk.")
_BLOCKED_WORKERS = Gauge("twf_workers_blocked", "Processes of ours in uninterruptible sleep.")
_DISK_FREE = Gauge(
    "twf_disk_free_bytes", "Free space where a directory of ours lies.", ["directory"]
)
_DISK_SIZE = Gauge("twf_disk_size_bytes", "Size of the file system it lies on.", ["directory"])
_DISK_FILES = Gauge(
    "twf_disk_files_free", "Files that can still be made there (inodes).", ["directory"]
)
_PAUSED = Gauge("twf_watchdog_paused", "1 while the watchdog lets nothing new start.")
_HELD = Gauge("twf_watchdog_fetch_held", "1 while nothing new is fetched for want of disk space.")
_UNSEEN = Gauge("twf_watchdog_unseen", "1 while the machine cannot be looked at.")
_SLOTS = Gauge("twf_farm_slots", "Slots for workers that there are.")
_CHANGES = Counter("twf_watchdog_changes", "Changes that the watchdog made, by event.", ["event"])


def show_vitals(vitals: Vitals) -> None:
    """Note a look."""
    _AVAILABLE.set(vitals.memory_available_mb * MB)
    _LIMIT.set(vitals.memory_limit_mb * MB)
    _MEMORY_STALL.set(_ratio(vitals.memory_stall_pct))
    _IO_STALL.set(_ratio(vitals.io_stall_pct))
    _IOWAIT.set(_ratio(vitals.iowait_pct))
    _SWAP.set(_ratio(vitals.swap_used_pct))
    _BLOCKED.set(vitals.blocked)
    _BLOCKED_WORKERS.set(vitals.blocked_workers)
    for disk in vitals.disks:
        for name in disk.names:
            _DISK_FREE.labels(name).set(nan if disk.fault else disk.free_gb * GB)
            _DISK_SIZE.labels(name).set(nan if disk.fault else disk.total_gb * GB)
            _DISK_FILES.labels(name).set(disk.files_free if disk.files_total else nan)


def show_state(*, paused: bool, held: bool, unseen: bool) -> None:
    """Note what holds after a look."""
    _PAUSED.set(paused)
    _HELD.set(held)
    _UNSEEN.set(unseen)


def show_slots(slots: int) -> None:
    """Note how many slots there are."""
    _SLOTS.set(slots)


def count_change(event: str) -> None:
    """Count a change of state by the name of its log event."""
    _CHANGES.labels(event).inc()


def _ratio(per_cent: float | None) -> float:
    return nan if per_cent is None else per_cent / 100.0
