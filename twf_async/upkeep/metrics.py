"""What the watchdog sees and does, for /metrics."""

from prometheus_client import Counter, Gauge

from twf_async.upkeep.vitals import GB, MB, Vitals

_AVAILABLE = Gauge("twf_memory_available_bytes", "Memory that can still be had, by the limit")
_LIMIT = Gauge("twf_memory_limit_bytes", "The machine's memory, or a control group's limit")
_MEMORY_STALL = Gauge("twf_memory_stall_percent", "Pressure stall information, full avg10")
_IO_STALL = Gauge("twf_io_stall_percent", "Pressure stall information, full avg10")
_IOWAIT = Gauge("twf_iowait_percent", "CPU time idle with disk requests open")
_SWAP = Gauge("twf_swap_used_percent", "Swap in use")
_BLOCKED = Gauge("twf_processes_blocked", "Processes of the machine that wait for a disk")
_BLOCKED_WORKERS = Gauge("twf_workers_blocked", "Processes of ours in uninterruptible sleep")
_DISK_FREE = Gauge("twf_disk_free_bytes", "Free space on the fullest disk of ours")
_PAUSED = Gauge("twf_watchdog_paused", "1 while the watchdog lets nothing new start")
_HELD = Gauge("twf_watchdog_fetch_held", "1 while nothing new is fetched for want of disk space")
_SLOTS = Gauge("twf_farm_slots", "Slots for workers")
_CHANGES = Counter("twf_watchdog_changes", "What the watchdog did", ["event"])


def show_vitals(vitals: Vitals) -> None:
    """Note a look."""
    _AVAILABLE.set(vitals.memory_available_mb * MB)
    _LIMIT.set(vitals.memory_limit_mb * MB)
    _MEMORY_STALL.set(vitals.memory_stall_pct or 0.0)
    _IO_STALL.set(vitals.io_stall_pct or 0.0)
    _IOWAIT.set(vitals.iowait_pct)
    _SWAP.set(vitals.swap_used_pct)
    _BLOCKED.set(vitals.blocked)
    _BLOCKED_WORKERS.set(vitals.blocked_workers)
    _DISK_FREE.set(vitals.disk_free_gb * GB)


def show_state(*, paused: bool, held: bool) -> None:
    """Note what holds after a look."""
    _PAUSED.set(paused)
    _HELD.set(held)


def show_slots(slots: int) -> None:
    """Note how many slots there are."""
    _SLOTS.set(slots)


def count_change(event: str) -> None:
    """Count a change of state by the name of its log event."""
    _CHANGES.labels(event).inc()
