"""How much memory this process has held at most."""

import re
import resource
from pathlib import Path

_HIGHEST = re.compile(r"^VmHWM:\s+(\d+) kB$", re.MULTILINE)


def peak_rss_mb() -> float:
    """This process's highest resident set since its start, or since it was last counted anew, MB.

    From /proc where there is one: what getrusage says includes the process that this one was
    forked from before it became another program.
    """
    try:
        found = _HIGHEST.search(Path("/proc/self/status").read_text("ascii"))
    except OSError:
        found = None
    if found is not None:
        return int(found[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
