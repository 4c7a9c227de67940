"""The Range header of a request for bytes (RFC 9110, section 14)."""

import re
from dataclasses import dataclass

_SPEC = re.compile(r"(\d*)-(\d*)")
_MOST = 200  # Apache's MaxRanges: beyond it the whole file comes


@dataclass(frozen=True, slots=True)
class Span:
    """Bytes start (inclusive) to end (exclusive) of a file."""

    start: int
    end: int

    def content_range(self, size: int) -> str:
        """Word the span as the value of a Content-Range header."""
        return f"bytes {self.start}-{self.end - 1}/{size}"


class Unsatisfiable(ValueError):
    """No part of the ranges lies in the file: 416."""


def parse_range(header: str | None, size: int) -> tuple[Span, ...] | None:
    """Return the spans asked for, in the order asked, cut to *size* bytes.

    None: no Range, or one to be ignored (another unit, bad syntax, too many): the whole file.
    Unsatisfiable where the syntax is right and nothing of it is in the file. Spans beyond the end
    are dropped while another one is inside.
    """
    unit, equals, specs = (header or "").partition("=")
    if not equals or unit.strip().lower() != "bytes":
        return None
    spans: list[Span] = []
    parts = [part.strip() for part in specs.split(",") if part.strip()]
    if not parts or len(parts) > _MOST:
        return None
    for part in parts:
        match = _SPEC.fullmatch(part)
        if match is None or match[0] == "-":
            return None
        first, last = match[1], match[2]
        if not first:
            start, end = max(0, size - int(last)), size
        elif last and int(last) < int(first):
            return None
        else:
            start, end = int(first), min(size, int(last) + 1) if last else size
        if start < end:
            spans.append(Span(start, end))
    if not spans:
        raise Unsatisfiable(specs)
    return tuple(spans)
