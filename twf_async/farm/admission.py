"""Whether memory carries one more job: what it is expected to take, not what is free now. Pure.

What is free now knows nothing of the jobs that have just begun. So of what can be had, everything
is taken off that the running jobs are still expected to grow by. Whatever memory there is, one job
may always run: if it is somebody else's memory, waiting would last for ever.
"""

from collections.abc import Collection
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Load:
    """A job's memory: the peak it is expected to reach, and what its worker holds now, MB."""

    peak_mb: float
    held_mb: float = 0.0

    @property
    def growth_mb(self) -> float:
        """What it may still take."""
        return max(0.0, self.peak_mb - self.held_mb)


def admits(job: Load, running: Collection[Load], *, available_mb: float, budget_mb: float) -> bool:
    """Whether *job* may start beside those that are *running*.

    available_mb  what can be had now
    budget_mb     what all workers together may ever hold
    """
    if not running:
        return True
    together = [job, *running]
    return (
        sum(load.growth_mb for load in together) <= available_mb
        and sum(load.peak_mb for load in together) <= budget_mb
    )
