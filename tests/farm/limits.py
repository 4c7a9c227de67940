"""What a system can run out of."""

import resource
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def no_descriptors_left():
    """Meanwhile this process can open nothing."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    held = [int(entry.name) for entry in Path("/proc/self/fd").iterdir()]
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(set(range(soft)).difference(held)), hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
