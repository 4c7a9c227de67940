"""Spans of bytes as the headers Range and Content-Range word them (RFC 9110, section 14)."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

_CONTENT_RANGE = re.compile(r"bytes ([0-9]{1,15})-([0-9]{1,15})/([0-9]{1,15})")
LONGEST_HEADER = 3800  # characters; servers and proxies take at least 4096 in all


@dataclass(frozen=True, slots=True)
class Span:
    """Bytes *start* (inclusive) to *end* (exclusive) of a file; None: to its end."""

    start: int
    end: int | None

    def __str__(self) -> str:
        return f"{self.start}-{'' if self.end is None else self.end - 1}"


@dataclass(frozen=True, slots=True)
class ContentRange:
    """Bytes *start* (inclusive) to *end* (exclusive) of a file of *total* bytes are coming."""

    start: int
    end: int
    total: int

    def __str__(self) -> str:
        return f"bytes {self.start}-{self.end - 1}/{self.total}"


def range_header(spans: Sequence[Span]) -> str:
    """The value of Range that asks for *spans*."""
    return f"bytes={','.join(map(str, spans))}"


def read_content_range(text: str) -> ContentRange | None:
    """What a Content-Range says; None for anything but a span that lies in a file of known size."""
    match = _CONTENT_RANGE.fullmatch(text)
    if match is None:
        return None
    first, last, total = (int(group) for group in match.groups())
    return ContentRange(first, last + 1, total) if first <= last < total else None
