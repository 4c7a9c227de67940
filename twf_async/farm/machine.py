"""What the farm asks about the machine that it runs on."""

from collections.abc import Callable
from dataclasses import dataclass
from math import inf


def _never() -> int:
    return 0


def _always() -> bool:
    return True


@dataclass(frozen=True, slots=True)
class Room:
    """What memory there is for workers, MB.

    available_mb   what can be had now, of the tightest limit
    budget_mb      what all workers together may hold; without one what is available decides alone
    """

    available_mb: float = inf
    budget_mb: float = inf


@dataclass(frozen=True, slots=True)
class Machine:
    """Asked before a job starts and after a worker died; every call must be quick.

    room           what memory there is; limits may be changed while we run
    oom_kills      how many processes the kernel has killed so far because memory ran out
    is_calm        whether more than one job may run; what waits in the queue heeds it too
    """

    room: Callable[[], Room] = Room
    oom_kills: Callable[[], int] = _never
    is_calm: Callable[[], bool] = _always
