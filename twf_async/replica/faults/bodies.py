"""Answers with other bytes in them: cut, thinned out, flipped. The framing stays in order."""

from random import Random

from twf_async.replica.answers import Streamed
from twf_async.replica.faults.director import Cue
from twf_async.replica.faults.kinds import Kind

_HEAD = 16
_LONGEST = 1 << 28  # larger bodies are sent as they are: nobody should ask for them


async def spoil(answer: Streamed, cue: Cue) -> bool:
    """Do what the fault says to the body; False where there is nothing to do it to."""
    if answer.length is not None and answer.length > _LONGEST:
        return False
    body = await answer.collect()
    spoiled = _spoiled(body, cue)
    if spoiled == body:
        return False
    answer.replace(spoiled)
    return True


def _spoiled(body: bytes, cue: Cue) -> bytes:
    spans = messages_in(body)
    if cue.fault.kind is Kind.FLIP:
        return _flipped(body, spans, cue)
    if cue.fault.kind is Kind.TRUNCATE_INSIDE:
        return _cut_inside(body, spans, cue.fault.at)
    if not spans:
        return body
    if cue.fault.kind is Kind.DROP_MESSAGE:
        start, end = spans[cue.luck % len(spans)]
        return body[:start] + body[end:]
    kept = min(len(spans) - 1, round(len(spans) * cue.fault.at))
    return body[: spans[kept][0]]


def messages_in(body: bytes) -> list[tuple[int, int]]:
    """Find the whole GRIB2 messages in a body: (start, end) of each."""
    found = []
    at = body.find(b"GRIB")
    while at >= 0:
        end = at + int.from_bytes(body[at + 8 : at + _HEAD], "big")
        whole = at + _HEAD < end <= len(body) and body[end - 4 : end] == b"7777"
        if whole and body[at + 7] == 2:
            found.append((at, end))
            at = body.find(b"GRIB", end)
        else:
            at = body.find(b"GRIB", at + 4)
    return found


def _cut_inside(body: bytes, spans: list[tuple[int, int]], share: float) -> bytes:
    """End at a share of the body, but never where a message ends."""
    cut = min(len(body) - 1, round(len(body) * share)) if body else 0
    return body[: cut - 1] if any(cut == end for _, end in spans) else body[:cut]


def _flipped(body: bytes, spans: list[tuple[int, int]], cue: Cue) -> bytes:
    """Flip bits of data sections, which carry no checksum; of anything where there are none."""
    rooms = [room for start, end in spans if (room := _data(body, start, end))]
    rooms = rooms or ([(0, len(body))] if body else [])
    random, spoiled = Random(cue.luck), bytearray(body)  # noqa: S311 - chance, no secret
    weights = [end - start for start, end in rooms]
    for _ in range(cue.fault.count if rooms else 0):
        (start, end), *_ = random.choices(rooms, weights)
        spoiled[random.randrange(start, end)] ^= 1 << random.randrange(8)
    return bytes(spoiled)


def _data(body: bytes, start: int, end: int) -> tuple[int, int] | None:
    """Return the room of the first data section of a message, past its five octets."""
    at = start + _HEAD
    while at + 5 <= end - 4:
        length, number = int.from_bytes(body[at : at + 4], "big"), body[at + 4]
        if length < 5:
            return None
        if number == 7:
            return (at + 5, at + length) if length > 5 else None
        at += length
    return None
