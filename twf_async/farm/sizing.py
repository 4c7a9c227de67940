"""How many workers a machine carries: the emergency plan's formula, with costs that were measured.

    (limit - reserve) / cost of a worker, at most one per core; one while memory is short

The plan counts 4 GB for every worker, whatever it draws. Here a worker costs what its model's jobs
were seen to take, so there are as many slots as the cheapest model can fill, and `budget_mb` holds
back jobs of a dearer one: of what may run together, the sum of the costs stays within the same
limit less the same reserve.
"""

from collections.abc import Iterable
from math import inf

from twf_async.settings.service import FarmSettings

GB = 1024**3
MB = 1024**2


def worker_count(
    farm: FarmSettings,
    *,
    cores: int,
    memory_limit: int,
    memory_available: int,
    costs_mb: Iterable[float] = (),
) -> int:
    """The number of slots.

    cores             processors this process may use
    memory_limit      bytes: the machine's memory or the tightest cgroup limit
    memory_available  bytes that can be had now
    costs_mb          of each model, what a job takes; none: `worker_gb` for all

    At most one per core and `max_workers`, at least one; one only while what is available now
    carries no more.
    """
    if farm.workers != "auto":
        return farm.workers
    cost = min(costs_mb, default=farm.worker_gb * 1024) * MB
    by_limit = int((memory_limit - farm.reserve_gb * GB) // cost)
    by_available = int(memory_available // cost)
    return max(1, min(cores, farm.max_workers, by_limit, by_available))


def budget_mb(farm: FarmSettings, memory_limit: int) -> float:
    """What all workers together may hold, MB; no bound where their number was set by hand."""
    if farm.workers != "auto":
        return inf
    return max(0.0, memory_limit / MB - farm.reserve_gb * 1024)
