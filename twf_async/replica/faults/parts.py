"""Answers to several ranges at once that are not what was asked for, or not what they say."""

import re
from random import Random

from twf_async.replica.answers import Streamed
from twf_async.replica.faults.director import Cue
from twf_async.replica.faults.kinds import Kind
from twf_async.replica.file_answers import BOUNDARY
from twf_async.replica.ranges import Span

_RANGE = re.compile(rb"\r\nContent-Range: bytes (\d+)-(\d+)/(\d+)\r\n")
Spans = tuple[Span, ...]


def other_spans(spans: Spans, cue: Cue) -> Spans:
    """Return what is sent instead of several spans asked for: fewer, joined, in another order."""
    match cue.fault.kind:
        case Kind.FIRST_RANGE:
            return spans[:1]
        case Kind.JOINED_RANGES:
            return (Span(min(span.start for span in spans), max(span.end for span in spans)),)
        case Kind.LOST_PART:
            lost = cue.luck % len(spans)
            return (*spans[:lost], *spans[lost + 1 :])
        case Kind.SWAPPED_PARTS:
            return spans[::-1]
    return spans


async def spoil_heads(answer: Streamed, cue: Cue) -> bool:
    """Let a boundary, or the range of a part, be another; False where the answer has no parts."""
    if not answer.headers.get("Content-Type", "").startswith("multipart/"):
        return False
    body = await answer.collect()
    spoiled = _HEADS[cue.fault.kind](body, cue)
    answer.replace(spoiled)
    return spoiled != body


def _other_boundary(body: bytes, cue: Cue) -> bytes:
    """One of the boundaries, the last one too, ends with another letter than announced."""
    mark = f"\r\n--{BOUNDARY}".encode()
    places = [found.end() - 1 for found in re.finditer(re.escape(mark), body)]
    at = places[cue.luck % len(places)]
    return body[:at] + b"x" + body[at + 1 :]


def _other_range(body: bytes, cue: Cue) -> bytes:
    """One part says that it is another stretch of the file, as long as before, or shorter."""
    random = Random(cue.luck)  # noqa: S311 - chance, no secret
    found = random.choice(list(_RANGE.finditer(body)))
    first, last, total = (int(group) for group in found.groups())
    first, last = random.choice([(first + 1, last + 1), (first, last - 1), (last + 1, last + 99)])
    head = f"\r\nContent-Range: bytes {first}-{last}/{total}\r\n".encode()
    return body[: found.start()] + head + body[found.end() :]


_HEADS = {Kind.OTHER_BOUNDARY: _other_boundary, Kind.OTHER_RANGE: _other_range}
