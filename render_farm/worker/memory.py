"""Gives memory back to the system after a job. Figures and arrays leave garbage, not leaks."""

import ctypes
import gc
import resource
from contextlib import suppress
from pathlib import Path

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3  # of glibc's malloc.h
_KEPT_BYTES = 64 << 20
_LARGEST_ON_HEAP = 32 << 20  # glibc takes no more


def _load(name: str) -> "ctypes._NamedFuncPointer | None":
    try:
        found: ctypes._NamedFuncPointer = getattr(ctypes.CDLL("libc.so.6"), name)
    except (OSError, AttributeError):  # musl, macOS
        return None
    return found


_trim = _load("malloc_trim")


def keep_within_a_job() -> None:
    """Have malloc keep what arrays gave back, until `give_back`.

    Otherwise it returns large pieces at once, and the kernel clears every page anew: 8 ms for each
    HRRR message, 2 for each frame (measured).
    """
    tune = _load("mallopt")
    if tune is not None:
        tune(_M_MMAP_THRESHOLD, _LARGEST_ON_HEAP)
        tune(_M_TRIM_THRESHOLD, _KEPT_BYTES)


def limit_memory(limit_mb: float) -> bool:
    """Have allocations beyond *limit_mb* of this process's own data fail: MemoryError in Python.

    What is allocated counts whether it is written to or not; maps of files that are only read do
    not. A limit above the one that the system sets is cut to that. False where the system refuses.
    """
    limit = int(limit_mb * (1 << 20))
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    if hard != resource.RLIM_INFINITY:
        limit = min(limit, hard)
    try:
        resource.setrlimit(resource.RLIMIT_DATA, (limit, hard))
    except OSError:  # a filter of system calls
        return False
    return True


def give_back() -> None:
    """Collect cycles and return free heap pages; about 6 ms after one `gc.freeze()`."""
    gc.collect()
    if _trim is not None:
        _trim(0)


def forget_peak() -> None:
    """Have the kernel count this process's highest resident set anew (Linux; else no effect).

    A worker draws HRRR over a continent and then GFS over a county: each job shall tell its own.
    """
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
