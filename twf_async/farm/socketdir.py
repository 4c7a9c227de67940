"""The directory of the forkserver's socket. Of a service that was killed the next one removes it.

multiprocessing makes it below TMPDIR and removes it at a usual end. We claim it as a scratch
directory of ours, so that it can be told from those of other programs and from those in use.
"""

import atexit
import os
import tempfile
from contextlib import suppress
from multiprocessing import util
from pathlib import Path

from render_farm.worker import scratch
from twf_async.errors import FarmError

PREFIX = "pymp-"  # multiprocessing's
LONGEST = 107 - len("/listener-12345678")  # of a socket's path on Linux, less what it calls ours
_claimed: dict[Path, int] = {}  # directory -> what holds its lock


class NoPlace(FarmError):
    """There can be no socket for the forkserver."""


def claim() -> None:
    """Have the directory made and claimed, and anew where somebody has removed it.

    Where the file system knows no locks nobody removes it.

    raises  NoPlace where none can be made
    """
    place = _made()
    if len(os.fsencode(place)) > LONGEST:
        raise NoPlace(
            f"TMPDIR: {tempfile.gettempdir()} is too long for a socket in it; set TMPDIR to a"
            " directory with a shorter name"
        )
    if place in _claimed and place.is_dir():
        return
    with suppress(OSError):
        place.mkdir(mode=0o700, parents=True, exist_ok=True)
        if place in _claimed:
            os.close(_claimed.pop(place))
        _claimed[place] = scratch.claim(place)


def _made() -> Path:
    try:
        return Path(util.get_temp_dir())
    except OSError as error:
        raise NoPlace(
            f"no directory for temporary files can be written ({error.strerror}); make room"
            " there, or set TMPDIR to one that can"
        ) from error


@atexit.register  # before multiprocessing removes it, for that complains where it is gone
def _put_back() -> None:
    for place in _claimed:
        with suppress(OSError):
            place.mkdir(mode=0o700, parents=True, exist_ok=True)


def sweep(parent: Path | None = None) -> None:
    """Remove what this user's processes that are gone left below *parent* (None: TMPDIR)."""
    scratch.sweep(parent or Path(tempfile.gettempdir()), PREFIX)
