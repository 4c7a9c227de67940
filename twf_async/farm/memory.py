"""What memory a process holds, from /proc. Where there is none, or the process is gone: zeros."""

import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_MB = 1 << 20
_PAGE = os.sysconf("SC_PAGESIZE")


@dataclass(frozen=True, slots=True)
class Held:
    """rss counts a page that processes share in each of them, pss its share, MB."""

    rss_mb: float = 0.0
    pss_mb: float = 0.0


def rss_mb(pid: int | None) -> float:
    """The resident set of a process; some 20 us."""
    with suppress(OSError):
        return int(Path(f"/proc/{pid}/statm").read_text("ascii").split()[1]) * _PAGE / _MB
    return 0.0


def held(pid: int | None) -> Held:
    """Both; the kernel walks the page tables for it: 2 ms, so not on a loop."""
    found = {"Rss": 0, "Pss": 0}
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text("ascii").splitlines():
            name, _, rest = line.partition(":")
            if name in found:
                found[name] = int(rest.split()[0])
    return Held(found["Rss"] / 1024, found["Pss"] / 1024)
