"""The byte ranges that bring what is wanted of one file: exact, but always the whole grid. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from render_farm.domain.fields import MessageKey
from twf_async.plan.idx import IdxLine

# A request costs a second of the budget of 60 a minute; rather than spend one, we take this many
# bytes that nobody wants.
REQUEST_BYTES = 256 * 1024
RANGES_AT_ONCE = 100  # that one request may name; Apache refuses 200
PART_BYTES = 256  # the head of a range among several costs about as much


@dataclass(frozen=True, slots=True)
class ByteRange:
    """Whole neighbouring messages of a file: bytes *start* (inclusive) to *end* (exclusive).

    end is None where the range runs to the end of a file whose size is not known yet.
    """

    start: int
    end: int | None
    lines: tuple[IdxLine, ...]


def merged_ranges(
    lines: Sequence[IdxLine],
    wanted: frozenset[MessageKey],
    *,
    total_bytes: int | None = None,
    gap_bytes: int = REQUEST_BYTES,
    held: frozenset[MessageKey] = frozenset(),
) -> tuple[ByteRange, ...]:
    """Stretches of the file that hold each of *wanted* once, in file order.

    gap_bytes  stretches that lie closer are taken in one, with what is between unless it is *held*
    """
    messages = _messages(lines)
    ends = [message[0].offset for message in messages[1:]] + [total_bytes]
    left = set(wanted)
    ranges: list[ByteRange] = []
    between: list[IdxLine] = []
    for message, end in zip(messages, ends, strict=True):
        found = {line.key for line in message if line.key in left}
        if not found:
            between += message
            continue
        left -= found
        start = message[0].offset
        last = ranges[-1] if ranges else None
        again = any(line.key in held for line in between)
        near = max(gap_bytes, 1) if not again else 1
        if last is not None and last.end is not None and start - last.end < near:
            ranges[-1] = ByteRange(last.start, end, (*last.lines, *between, *message))
        else:
            ranges.append(ByteRange(start, end, message))
        between = []
    return tuple(ranges)


def _messages(lines: Sequence[IdxLine]) -> list[tuple[IdxLine, ...]]:
    grouped: dict[int, list[IdxLine]] = {}
    for line in lines:
        grouped.setdefault(line.number, []).append(line)
    return [tuple(group) for group in grouped.values()]
