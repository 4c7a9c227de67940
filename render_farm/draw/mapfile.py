"""Arrays on disk that several workers map into memory: pixel maps and base layers.

One file holds a JSON header, padded to a page, and the arrays page by page, each with its
checksum. Written under a temporary name, flushed and renamed, so a reader sees a whole file or
none. Anything wrong with a file (cut short, bits changed, another format) reads as None: the
caller computes it anew.
"""

import hashlib
import json
import mmap
import os
import struct
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import deflate
import numpy as np
from numpy.typing import NDArray

FORMAT = 2
UNUSED_S = 30 * 86400.0
MARKED_EVERY_S = 86400.0  # a use is noted once a day, not with every frame
PAGE = 4096
_LENGTH = struct.Struct("<QI")  # bytes of the header, its checksum

Arrays = dict[str, NDArray[Any]]


def file_key(*parts: object) -> str:
    """A file name part for everything that the content depends on; hex, 24 digits."""
    text = "\n".join(str(part) for part in (FORMAT, *parts))
    return hashlib.sha256(text.encode()).hexdigest()[:24]


def save(path: Path, meta: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> None:
    """Write atomically; OSError as the file system gives it."""
    layout = []
    offset = 0
    for name, array in arrays.items():
        data = np.ascontiguousarray(array)
        crc = deflate.crc32(data.data.cast("B")) if data.size else 0
        entry = {"name": name, "dtype": data.dtype.str, "shape": data.shape, "crc": crc}
        layout.append({**entry, "offset": offset})
        offset += _padded(data.nbytes)
    header = json.dumps({"format": FORMAT, "meta": dict(meta), "arrays": layout}).encode() + b"\n"
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        with part.open("wb") as stream:
            stream.write(_LENGTH.pack(len(header), deflate.crc32(header)))
            stream.write(header.ljust(_start(len(header)) - _LENGTH.size, b" "))
            for array in arrays.values():
                data = np.ascontiguousarray(array)
                stream.write(data.data.cast("B") if data.size else b"")
                stream.write(bytes(_padded(data.nbytes) - data.nbytes))
            stream.flush()
            os.fsync(stream.fileno())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def load(path: Path) -> tuple[dict[str, Any], Arrays] | None:
    """Meta and read-only arrays backed by the file; None where it is absent or damaged.

    Notes in the file's time of change that it is in use, see `drop_unused`.
    """
    try:
        with path.open("rb") as stream:
            status = os.fstat(stream.fileno())
            size = status.st_size
            length, crc = _LENGTH.unpack(stream.read(_LENGTH.size))
            if not 0 < length <= size:
                return None
            text = stream.read(length)
            if deflate.crc32(text) != crc:
                return None
            header = json.loads(text)
            if header["format"] != FORMAT:
                return None
            mapped = mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)
        start = _start(length)
        arrays = {}
        for entry in header["arrays"]:
            shape = tuple(entry["shape"])
            count = int(np.prod(shape, dtype=np.int64))
            array = np.frombuffer(mapped, entry["dtype"], count, start + entry["offset"])
            if count and deflate.crc32(array.data.cast("B")) != entry["crc"]:
                return None
            arrays[entry["name"]] = array.reshape(shape)
        if time.time() - status.st_mtime > MARKED_EVERY_S:
            with suppress(OSError):
                os.utime(path)
        return header["meta"], arrays
    except (OSError, ValueError, KeyError, TypeError, struct.error):
        return None


def drop_unused(directory: Path, pattern: str) -> None:
    """Remove files that nobody has loaded for `UNUSED_S`.

    They are of regions, sizes, grids or versions that are gone. A worker that still has one mapped
    goes on with it.
    """
    oldest = time.time() - UNUSED_S
    for file in directory.glob(pattern):
        with suppress(OSError):  # another worker was faster
            if file.stat().st_mtime < oldest:
                file.unlink()


def rest(array: NDArray[Any]) -> None:
    """Have the pages of a loaded file count as no memory of this process until they are used again.

    They stay in the system's cache: to let go of 17 MB and look at them anew costs 0.7 ms. Without
    effect on arrays of other origin.
    """
    origin: object = array
    while isinstance(origin, np.ndarray):
        origin = origin.base
    if isinstance(origin, memoryview):
        origin = origin.obj
    if isinstance(origin, mmap.mmap) and hasattr(mmap, "MADV_DONTNEED"):
        origin.madvise(mmap.MADV_DONTNEED)


def _start(header_bytes: int) -> int:
    """Where the first array begins."""
    return _padded(_LENGTH.size + header_bytes)


def _padded(size: int) -> int:
    return -(-size // PAGE) * PAGE
