"""A GRIB file put together anew from another's messages: offsets, size and .idx are its own."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from twf_async.replica.faults.edits import PAD, Edit, rerun
from twf_async.replica.tree import FileMessage

_LINE = re.compile(r"(\d+)((?:\.\d+)?):(\d+):(.*)", re.DOTALL)
_CHUNK = 1 << 20
Read = Callable[[int, int], Iterator[bytes]]


@dataclass(frozen=True, slots=True)
class Piece:
    """Bytes start to end of the source. edit makes *longer* octets more of them; None: as it is."""

    start: int
    end: int
    edit: Edit | None = None
    longer: int = 0

    @property
    def length(self) -> int:
        """Bytes in the new file."""
        return self.end - self.start + self.longer


@dataclass(frozen=True, slots=True)
class Layout:
    """The pieces of a file in order; it is read piece by piece, never as a whole."""

    pieces: tuple[Piece, ...]

    @classmethod
    def of(cls, messages: Sequence[FileMessage], size: int) -> "Layout":
        """Return the layout of the source itself, a piece a message."""
        bounds = sorted({0, size} | {message.offset for message in messages})
        return cls(tuple(Piece(start, end) for start, end in pairwise(bounds)))

    @property
    def size(self) -> int:
        """Bytes of the new file."""
        return sum(piece.length for piece in self.pieces)

    def without(self, offset: int) -> "Layout":
        """Leave out the message that begins at *offset* in the source."""
        return Layout(tuple(piece for piece in self.pieces if piece.start != offset))

    def rerun(self) -> "Layout":
        """Let every message be the one of a later try: longer, and another."""
        return self.edited(rerun, PAD)

    def edited(self, edit: Edit, longer: int = 0) -> "Layout":
        """Do *edit*, which adds *longer* octets, to every message."""
        return Layout(
            tuple(
                replace(piece, edit=_chain(piece.edit, edit), longer=piece.longer + longer)
                for piece in self.pieces
            )
        )

    def offsets(self) -> dict[int, int]:
        """Return where in the new file each piece begins, by where it does in the source."""
        found, at = {}, 0
        for piece in self.pieces:
            found[piece.start] = at
            at += piece.length
        return found

    def messages(self, source: Sequence[FileMessage]) -> tuple[FileMessage, ...]:
        """Return the source's messages as they are in the new file."""
        offsets = self.offsets()
        lengths = {piece.start: piece.length for piece in self.pieces}
        return tuple(
            replace(m, offset=offsets[m.offset], length=lengths[m.offset])
            for m in source
            if m.offset in offsets
        )

    def read(self, source: Read, start: int, end: int) -> Iterator[bytes]:
        """Read bytes *start* to *end* of the new file."""
        at = 0
        for piece in self.pieces:
            first, after = max(start - at, 0), min(end - at, piece.length)
            at += piece.length
            if first >= after:
                continue
            if piece.edit is None:
                yield from source(piece.start + first, piece.start + after)
                continue
            data = piece.edit(b"".join(source(piece.start, piece.end)))[first:after]
            for begin in range(0, len(data), _CHUNK):
                yield data[begin : begin + _CHUNK]

    def idx(self, text: str) -> str:
        """Return the .idx of the new file, made from the source's."""
        offsets, lines, number, last = self.offsets(), [], 0, ""
        for line in text.splitlines(keepends=True):
            match = _LINE.fullmatch(line)
            if match is None or int(match[3]) not in offsets:
                continue
            number += match[1] != last
            last = match[1]
            lines.append(f"{number}{match[2]}:{offsets[int(match[3])]}:{match[4]}")
        return "".join(lines)


def past_end(text: str, size: int) -> str:
    """Return an .idx whose last third of lines, one at least, points past *size*."""
    lines = text.splitlines(keepends=True)
    kept = len(lines) - max(1, len(lines) // 3)
    for place in range(kept, len(lines)):
        if match := _LINE.fullmatch(lines[place]):
            lines[place] = f"{match[1]}{match[2]}:{size + int(match[3])}:{match[4]}"
    return "".join(lines)


def _chain(first: Edit | None, then: Edit) -> Edit:
    return then if first is None else lambda message: then(first(message))
