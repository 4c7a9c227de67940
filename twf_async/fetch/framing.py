"""The bytes of a file out of the body of a 206, piece by piece: one range, or several in parts.

Multipart by RFC 2046 and RFC 9110, section 14.6, read strictly: every part says its range and is as
long as that says, so that no boundary is searched for in data, and nothing is held but heads.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from twf_async.fetch.errors import BrokenStream, RangesUnclear, TooMuch
from twf_async.fetch.spans import ContentRange, read_content_range

_MOST_HEAD = 2048  # of one part, its boundary included
_CRLF = b"\r\n"
_MULTIPART = re.compile(r"multipart/byteranges\s*;(.*)", re.IGNORECASE | re.DOTALL)
_BOUNDARY = re.compile(
    r"(?:^|;)\s*boundary="
    r"""(?:"([0-9A-Za-z'()+_,./:=? -]{1,70})"|([0-9A-Za-z'+_./:-]{1,70}))\s*(?:;|$)""",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Begun:
    """A span of the file begins."""

    range: ContentRange


@dataclass(frozen=True, slots=True)
class Bytes:
    """Bytes of the file, from its byte *at* on."""

    at: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Ended:
    """The span that began last is whole."""


Event = Begun | Bytes | Ended


class Framing(Protocol):
    """Makes events of a body."""

    def feed(self, chunk: bytes) -> Iterator[Event]:
        """What the next bytes of the body tell. To be read to its end."""

    def finish(self) -> Iterator[Event]:
        """What the end of the body tells; BrokenStream where it comes too early."""


class OneRange:
    """A body that is one span of the file."""

    def __init__(self, span: ContentRange) -> None:
        self._span = span
        self._at: int | None = None

    def feed(self, chunk: bytes) -> Iterator[Event]:
        """TooMuch where more comes than was promised."""
        if self._at is None:
            self._at = self._span.start
            yield Begun(self._span)
        if self._at + len(chunk) > self._span.end:
            raise TooMuch(f"more than the promised {self._span}")
        yield Bytes(self._at, chunk)
        self._at += len(chunk)

    def finish(self) -> Iterator[Event]:
        """The span is whole only now: nothing came behind it."""
        if self._at != self._span.end:
            raise BrokenStream(f"{self._span} ended early")
        yield Ended()


class Multipart:
    """A body of parts, each a span of the file."""

    def __init__(self, boundary: str) -> None:
        self._delimiter = b"\r\n--" + boundary.encode("ascii")
        self._held = bytearray()  # between two spans: boundary and head, as far as they came
        self._at = self._end = 0  # of the span that is coming
        self._begun = self._told = self._closed = False

    def feed(self, chunk: bytes) -> Iterator[Event]:
        """RangesUnclear for everything but parts as they should be."""
        done = 0
        while done < len(chunk):
            if self._at < self._end:
                data = chunk[done : done + self._end - self._at]
                yield Bytes(self._at, data)
                self._at += len(data)
                done += len(data)
                continue
            taken = chunk[done : done + _MOST_HEAD]
            self._held += taken
            done += len(taken)
            yield from self._between()
            if self._at < self._end:  # a part begins: what was taken too much is of it
                done -= len(self._held)
                self._held.clear()

    def finish(self) -> Iterator[Event]:
        """BrokenStream before the boundary that closes all."""
        if not self._closed:
            raise BrokenStream("an answer in parts ended before its last boundary")
        yield from ()

    def _between(self) -> Iterator[Event]:
        """Read what is held: a boundary and the head behind it, or the end of all."""
        if not self._begun and not _CRLF.startswith(self._held[:2]):
            self._held[:0] = _CRLF  # before the first boundary the end of a line may be missing
        after = len(self._delimiter) + 2
        if not self._delimiter.startswith(self._held[: after - 2]):
            raise RangesUnclear(f"no boundary where a part ends: {bytes(self._held[:40])!r}")
        if len(self._held) < after:
            return
        if self._begun and not self._told:
            self._told = True
            yield Ended()
        if self._held[after - 2 : after] == b"--":
            self._close(bytes(self._held[after:]))
            return
        end = self._held.find(b"\r\n\r\n", after - 2)
        if end < 0:
            if len(self._held) > _MOST_HEAD:
                raise RangesUnclear(f"the head of a part is over {_MOST_HEAD} bytes long")
            return
        span = _head(bytes(self._held[after - 2 : end]))
        del self._held[: end + 4]
        self._at, self._end = span.start, span.end
        self._begun, self._told = True, False
        yield Begun(span)

    def _close(self, behind: bytes) -> None:
        if not self._begun:
            raise RangesUnclear("an answer in parts without a part")
        if not _CRLF.startswith(behind):
            raise RangesUnclear(f"more behind the last boundary: {behind[:40]!r}")
        self._closed = True


def boundary_of(content_type: str) -> str | None:
    """What separates the parts of a multipart/byteranges; None for any other type of content."""
    multipart = _MULTIPART.fullmatch(content_type)
    found = _BOUNDARY.search(multipart[1]) if multipart else None
    return None if found is None else (found[1] or found[2]).rstrip(" ")


def _head(text: bytes) -> ContentRange:
    """The span of a part, from what is between its boundary and the empty line."""
    padding, *lines = text.split(_CRLF)
    if padding.strip(b" \t"):
        raise RangesUnclear(f"more in the line of a boundary: {padding[:40]!r}")
    told = []
    for line in lines:
        name, colon, value = line.partition(b":")
        if not colon or not name or name.split() != [name]:
            raise RangesUnclear(f"no header of a part: {line[:40]!r}")
        if name.lower() == b"content-range":
            told.append(value.strip(b" \t").decode("ascii", "replace"))
    span = read_content_range(told[0]) if len(told) == 1 else None
    if span is None:
        raise RangesUnclear(f"a part of Content-Range {', '.join(told)[:60]!r}")
    return span
