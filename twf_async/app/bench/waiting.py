"""How long the machine has waited for its disks: I/O wait, and pressure (PSI) where there is it."""

import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Self

_TICK_S = 1.0 / os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Waiting:
    """Seconds since the machine's start; two of them tell of what lay between.

    at_s      the clock that only rises
    cpu_s     of all processors, idle ones too; busy_s with something to do, iowait_s idle with
              requests to disks open
    some_s, full_s  in which some, or all, processes stood waiting for disks (PSI); None: the
              kernel does not say
    """

    at_s: float
    cpu_s: float
    busy_s: float
    iowait_s: float
    some_s: float | None
    full_s: float | None

    @classmethod
    def now(cls, proc: Path = Path("/proc")) -> Self:
        """As the kernel has it now."""
        first = (proc / "stat").read_text("ascii").splitlines()[0].split()[1:]
        user, nice, system, idle, iowait, irq, softirq, steal = (
            int(field) * _TICK_S for field in first[:8]
        )
        busy = user + nice + system + irq + softirq
        stalled = _stalled(proc / "pressure" / "io")
        return cls(
            time.monotonic(),
            busy + idle + iowait + steal,
            busy,
            iowait,
            stalled.get("some"),
            stalled.get("full"),
        )


def share_pct(part_s: float | None, before_s: float | None, whole_s: float) -> float | None:
    """How much of *whole_s* seconds lies between two readings, per cent."""
    if part_s is None or before_s is None or whole_s <= 0:
        return None
    return 100.0 * (part_s - before_s) / whole_s


def _stalled(path: Path) -> dict[str, float]:
    try:
        lines = path.read_text("ascii").splitlines()
    except OSError:  # ENOTSUP: compiled in, switched off
        return {}
    totals = ((line.split()[0], line.rpartition("total=")[2]) for line in lines)
    return {kind: int(micro) / 1e6 for kind, micro in totals}
