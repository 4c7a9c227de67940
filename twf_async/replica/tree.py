"""What the loopback NOMADS serves: a tree of files, some of them GRIB2.

The server knows only this protocol. `directory_tree.DirectoryTree(root)` serves real files,
`atmosphere.synthetic_tree.SyntheticTree(clock, cache_dir)` makes its own, all hours of each run it
knows; `release_tree.ReleaseTree` lets either appear hour by hour. Wrapping a tree is also the way
to let files be wrong: a stale .idx, a missing message, another run's date.

Paths are absolute and POSIX, start at the server's root ("/pub/data/nccf/com/gfs/prod/...") and
hold neither "." nor ".." nor a closing slash. Every method may be called from several threads at
once and may block: the server calls them in threads, never on the loop. A tree raises
PermissionError for what is there but no longer handed out (an aged-out directory): the server
answers 403.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import isfinite
from typing import Protocol

from render_farm.domain.fields import MessageKey

COM = "/pub/data/nccf/com"


class Unreadable(ValueError):
    """A message cannot be decoded."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One name of a directory.

    size   bytes; 0 for a directory
    mtime  aware UTC, whole seconds: becomes Last-Modified
    """

    name: str
    is_dir: bool
    size: int
    mtime: datetime


@dataclass(frozen=True, slots=True)
class FileMessage:
    """One line of a GRIB file's .idx.

    offset, length  bytes in the file as `open_range` serves it
    parameter       fourth field of the line, as wgrib2 prints it ("TMP")
    level           fifth field ("2 m above ground")
    forecast        sixth field ("0-1 day acc fcst")
    key             the same, parsed; None where the wording is not one we know
    """

    offset: int
    length: int
    parameter: str
    level: str
    forecast: str
    key: MessageKey | None = None


@dataclass(frozen=True, slots=True)
class CropBox:
    """The sub-region of a filter request, degrees, edges inclusive.

    west is in 0..360 and west <= east <= west + 360: a box across Greenwich has an east beyond 360,
    the whole circle an east of west + 360. south <= north. Make it with `CropBox.of`.
    """

    west: float
    east: float
    south: float
    north: float

    @classmethod
    def of(cls, *, left: float, right: float, bottom: float, top: float) -> "CropBox":
        """Make the box of leftlon, rightlon, bottomlat, toplat by wgrib2's small_domain rules.

        Both longitude conventions are taken; a right edge west of the left one lies a circle
        further. ValueError, in wgrib2's words, where it would stop.
        """
        if not all(map(isfinite, (left, right, bottom, top))):
            raise ValueError("small_grib: bounds are not numbers")
        if bottom > top:
            raise ValueError("small_grib: latS > latN")
        if right - left > 360.0:
            raise ValueError("small_domain: longitude range is greater than 360 degrees")
        west = left % 360.0
        span = right - left if right >= left else (right - left) % 360.0
        return cls(west, west + span, bottom, top)


class FileTree(Protocol):
    """Files laid out as on NOMADS."""

    def listdir(self, path: str) -> list[Entry] | None:
        """List what is in directory *path*, in any order; None where there is no such directory."""

    def stat(self, path: str) -> Entry | None:
        """Return the entry at *path* (file or directory); None where there is nothing."""

    def open_range(self, path: str, start: int, end: int) -> Iterator[bytes]:
        """Read bytes *start* (inclusive) to *end* (exclusive) of a file, in chunks of up to 1 MiB.

        May yield less than asked where the file ends early. FileNotFoundError where there is none.
        """

    def messages(self, path: str) -> tuple[FileMessage, ...] | None:
        """Return the messages of a GRIB file in file order; None where there is no such file."""

    def cropped(self, path: str, messages: Sequence[FileMessage], box: CropBox) -> Iterator[bytes]:
        """Cut each of *messages* (taken from `messages(path)`, in that order) to *box*.

        Yields one complete GRIB2 message each: rows south to north (jScansPositively=1), longitudes
        0..360, simple packing of at most 16 bits with the original decimal and binary scale. Where
        no grid point lies in the box, the whole original grid. Unreadable for damaged data.
        """
