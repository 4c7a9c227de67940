"""How many workers a machine carries: the emergency plan's formula, our own cost per worker."""

from twf_async.settings.service import FarmSettings

GB = 1024**3


def worker_count(
    farm: FarmSettings, *, cores: int, memory_limit: int, memory_available: int
) -> int:
    """The number of slots.

    cores             processors this process may use
    memory_limit      bytes: the machine's memory or the tightest cgroup limit
    memory_available  bytes that can be had now

    (limit - reserve) / cost, at most one per core and `max_workers`, at least one; one only while
    what is available now carries no more.
    """
    if farm.workers != "auto":
        return farm.workers
    cost = farm.worker_gb * GB
    by_limit = int((memory_limit - farm.reserve_gb * GB) // cost)
    by_available = int(memory_available // cost)
    return max(1, min(cores, farm.max_workers, by_limit, by_available))
