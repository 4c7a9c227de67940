"""Small file systems in memory, made as a test wants them; skipped where none may be mounted."""

import ctypes
import os
from contextlib import contextmanager

import pytest

READ_ONLY, REMOUNT, BIND, DETACH = 1, 32, 4096, 2
_libc = ctypes.CDLL(None, use_errno=True)


@contextmanager
def mounted(directory, options):
    """`size=40m`, `nr_inodes=50`, ... at *directory*."""
    directory.mkdir(parents=True, exist_ok=True)
    if _libc.mount(b"none", os.fsencode(directory), b"tmpfs", 0, options.encode()) != 0:
        pytest.skip("no file system may be mounted here")
    try:
        yield directory
    finally:
        while _libc.umount2(os.fsencode(directory), DETACH) == 0:  # what lies over it as well
            pass


def make_read_only(directory, *, again=True):
    """As a kernel does after an I/O error, whoever has files open; *again* False: take it back."""
    place = os.fsencode(directory)
    if not again:
        assert _libc.umount2(place, DETACH) == 0
        return
    assert _libc.mount(place, place, None, BIND, None) == 0
    assert _libc.mount(None, place, None, REMOUNT | BIND | READ_ONLY, None) == 0
