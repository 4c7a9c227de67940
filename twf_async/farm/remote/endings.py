"""How a worker of a cluster ended, from what its nanny writes. Pure.

dask tells nobody else. A worker without a nanny, one whose nanny is gone with it (a machine that
was lost) and one whose nanny writes less than dask's usual lines leave it unknown.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Ending:
    """exit_code: negative for a signal; for_memory: the nanny itself ended it, for that."""

    exit_code: int
    for_memory: bool = False


def ending_of(pid: int, lines: Iterable[str]) -> Ending | None:
    """How the process *pid* ended by the nanny's *lines*, newest first; None: they do not say."""
    ended = re.compile(rf"Worker process {pid} (was killed by signal|exited with status) (\d+)")
    too_large = re.compile(rf"\(pid={pid}\) exceeded \d+% memory budget")
    exit_code = None
    for line in lines:
        if exit_code is not None and too_large.search(line):
            return Ending(exit_code, for_memory=True)
        if found := ended.search(line):
            if exit_code is not None:  # another process of this number, earlier
                break
            number = int(found[2])
            exit_code = -number if "signal" in found[1] else number
    return None if exit_code is None else Ending(exit_code)
