"""A GRIB2 file without the values of fields that nobody wants, every byte else in its place.

Whoever walks the copy finds the same messages at the same offsets on the same grids, and reads the
wanted fields bit for bit; only decoding another one would give nonsense. What is left out is a
hole of the file.
"""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from render_farm.domain.fields import MessageKey
from render_farm.domain.grib2 import GribError, walk
from render_farm.domain.gribstream import HEAD_BYTES

_WORTH_BYTES = 512  # a hole shorter than this saves nothing
_INDICATOR_OF_BITMAP = 1  # byte after the head of section 6, which a walk reads

Span = tuple[int, int]  # first byte, and the one after the last


@dataclass(frozen=True, slots=True)
class SparseFile:
    """What of a file is sent.

    path    as the job names it
    size    bytes of the whole file
    pieces  (offset, content), rising
    """

    path: str
    size: int
    pieces: tuple[tuple[int, bytes], ...]

    @property
    def sent_bytes(self) -> int:
        """Length of what is not a hole."""
        return sum(len(content) for _, content in self.pieces)


def wanted_spans(stream: BinaryIO, size: int, keys: Collection[MessageKey]) -> tuple[Span, ...]:
    """What of a file of *size* bytes its walk and the fields of *keys* are made of, rising.

    A file that is not whole is wanted whole from where it breaks. Raises OSError.
    """
    holes: set[Span] = set()
    needed: set[Span] = set()
    try:
        for head in walk(stream):
            *_, bitmap, data = ((at, at + length) for at, length in head.sections)
            if head.key in keys:
                needed |= {bitmap, data}
            else:
                holes |= {bitmap, data}
    except GribError as error:
        holes = {hole for hole in holes if hole[1] <= error.offset}
    return tuple(_between(sorted(holes - needed), size))


def _between(sections: Iterable[Span], size: int) -> Iterator[Span]:
    start = 0
    for begin, end in sections:
        hole = begin + HEAD_BYTES + _INDICATOR_OF_BITMAP
        if end - hole >= _WORTH_BYTES:
            yield start, hole
            start = end
    if start < size:
        yield start, size


def read_sparse(path: str, spans: Iterable[Span], size: int) -> SparseFile:
    """Read these *spans* of a file; raises OSError."""
    with Path(path).open("rb") as stream:
        pieces = []
        for begin, end in spans:
            stream.seek(begin)
            pieces.append((begin, stream.read(end - begin)))
    return SparseFile(path, size, tuple(pieces))


def write_sparse(file: SparseFile, path: Path) -> None:
    """Make the file anew at *path*; raises OSError."""
    with path.open("wb") as stream:
        for offset, content in file.pieces:
            stream.seek(offset)
            stream.write(content)
        stream.truncate(file.size)
