"""Files of the tree read whole, when they are what ours are: regular, and of a bounded size.

Whatever else lies in a file's place (a pipe that nobody writes to, a sparse file of gigabytes)
must neither hold a start up nor fill the memory of a service. Blocking; call it in a thread.
"""

import errno
import os
import stat
from pathlib import Path

MOST_BYTES = 64 << 20  # a large run's manifest has 1.2 MB, a picture 0.3


def read_whole(path: Path, *, most: int = MOST_BYTES) -> bytes:
    """What is in a file; OSError for what is no file of ours, as for one that cannot be read."""
    with open(path, "rb", opener=_at_once) as stream:
        found = os.fstat(stream.fileno())
        if not stat.S_ISREG(found.st_mode):
            raise OSError(errno.EINVAL, "not a regular file", str(path))
        if found.st_size > most:
            raise OSError(errno.EFBIG, f"{found.st_size} bytes where {most} at most are", str(path))
        return stream.read(most)


def _at_once(path: str, flags: int) -> int:
    """Opening a pipe would wait for somebody who writes."""
    return os.open(path, flags | os.O_NONBLOCK)
