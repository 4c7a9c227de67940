"""The wgrib2 inventory (`.idx`) that lies beside every GRIB file: which field begins at which byte.

    3.1:2660369:d=2026012912:TMP:2 m above ground:6-12 hour ave fcst:ENS=+1

Turns its text into lines or says by type why it cannot be trusted; a caller never gets a part of
an inventory. Where fields end is told by the next line, so one line lost means wrong bytes.
"""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from render_farm.domain.fields import MessageKey, Statistic

_TEXT = "[ -9;-~]+"  # printable ASCII but the colon: anything else means that bytes were damaged
_LINE = re.compile(
    r"(?P<number>[0-9]{1,6})(?:\.(?P<part>[0-9]{1,4}))?"
    r":(?P<offset>[0-9]{1,15}):d=(?P<cycle>[0-9]{10})"
    rf":(?P<parameter>{_TEXT}):(?P<level>{_TEXT}):(?P<forecast>{_TEXT})(?::(?P<extra>[ -~]*))?"
)
_INSTANT = re.compile(r"([0-9]{1,6}) hour fcst")
_INTERVAL = re.compile(r"([0-9]{1,6})-([0-9]{1,6}) (hour|day) (acc|ave|max|min) fcst")
_MEMBER = re.compile(r"ENS=[^:]*:?")  # a mean, spread or probability of members is another field
UNNAMED = "var "  # "var discipline=0 center=7 ...": a parameter that wgrib2 has no name for
LONGEST = 1 << 20  # characters; the longest of the models' inventories have 42,000
_PAGE = "<"
_QUOTED = 60


class IdxError(ValueError):
    """An inventory that must not be used; reading it again may give a good one."""


class IdxEmpty(IdxError):
    """Nothing in it: the file has been created, not written."""


class IdxTooLong(IdxError):
    """It is many times longer than any inventory: something else, or repeated without end."""


class IdxNotText(IdxError):
    """It is an HTML page."""


class IdxCut(IdxError):
    """It ends in the middle of a line."""


class IdxUnreadable(IdxError):
    """A line is not of the grammar."""


class IdxDisordered(IdxError):
    """Lines are missing, shuffled, from two runs, or their offsets do not rise."""


@dataclass(frozen=True, slots=True)
class IdxLine:
    """One field of the file.

    number     of the message in the file, from 1
    offset     byte at which its message begins; the parts of one message share it
    cycle      "2026012912"
    parameter, level, forecast  as wgrib2 words them
    key        the same, exactly; None where a `MessageKey` cannot say it
    part       of the message, from 1; 0 where the message is one field
    extra      what follows the forecast ("ENS=+1"), mostly nothing
    """

    number: int
    offset: int
    cycle: str
    parameter: str
    level: str
    forecast: str
    key: MessageKey | None
    part: int = 0
    extra: str = ""


def parse_idx(text: str) -> tuple[IdxLine, ...]:
    """The lines of an inventory, all of them, in file order.

    text    a whole `.idx` file; unknown wordings are lines without a key
    raises  IdxEmpty, IdxTooLong, IdxNotText, IdxCut, IdxUnreadable, IdxDisordered
    """
    if len(text) > LONGEST:
        raise IdxTooLong(f"the idx has {len(text)} characters, more than {LONGEST}")
    if not text.strip():
        raise IdxEmpty("the idx is empty")
    if text.lstrip().startswith(_PAGE):
        raise IdxNotText(f"the idx is a page: {text.strip()[:_QUOTED]!r}")
    if not text.endswith("\n"):
        raise IdxCut(f"the idx ends inside a line: {text[-_QUOTED:]!r}")
    lines = tuple(_line(row) for row in text[:-1].split("\n"))
    for problem in _disorder(lines):
        raise IdxDisordered(problem)
    return lines


def parse_forecast(text: str) -> tuple[int, int, Statistic] | None:
    """First hour, last hour and statistic of a forecast text; the inverse of MessageKey.forecast.

    None for wordings in other units ("15 min fcst") or of other kinds.
    """
    if text == "anl":
        return 0, 0, Statistic.INSTANT
    if (instant := _INSTANT.fullmatch(text)) is not None:
        return int(instant[1]), int(instant[1]), Statistic.INSTANT
    interval = _INTERVAL.fullmatch(text)
    if interval is None or int(interval[1]) > int(interval[2]):
        return None
    hours = 24 if interval[3] == "day" else 1
    return int(interval[1]) * hours, int(interval[2]) * hours, Statistic(interval[4])


def _line(row: str) -> IdxLine:
    match = _LINE.fullmatch(row)
    if match is None:
        raise IdxUnreadable(f"not a line of an idx: {row[:_QUOTED]!r}")
    extra = match["extra"]
    if extra is None:  # every line that wgrib2 ends here is closed by a colon
        raise IdxCut(f"a line of the idx ends early: {row[-_QUOTED:]!r}")
    return IdxLine(
        number=int(match["number"]),
        offset=int(match["offset"]),
        cycle=match["cycle"],
        parameter=match["parameter"],
        level=match["level"],
        forecast=match["forecast"],
        key=_key(match["parameter"], match["level"], match["forecast"], extra),
        part=int(match["part"] or 0),
        extra=extra,
    )


def _key(parameter: str, level: str, forecast: str, extra: str) -> MessageKey | None:
    if extra and _MEMBER.fullmatch(extra) is None:
        return None
    parsed = parse_forecast(forecast)
    if parsed is None:
        return None
    start_h, end_h, statistic = parsed
    return MessageKey(parameter, level, start_h, end_h, statistic)


def _disorder(lines: tuple[IdxLine, ...]) -> Iterator[str]:
    first = lines[0]
    if (first.number, first.offset) != (1, 0) or first.part > 1:
        yield f"the first line of the idx is {first.number}:{first.offset}, not 1:0"
    fields = Counter(line.number for line in lines)
    for number in (line.number for line in lines if line.part and fields[line.number] == 1):
        yield f"message {number} has one part, {number}.1, and lacks the others"
    for before, line in pairwise(lines):
        if line.cycle != before.cycle:
            yield f"line {line.number} is of cycle {line.cycle}, the one before of {before.cycle}"
        if line.number == before.number:
            if line.part != before.part + 1 or before.part == 0 or line.offset != before.offset:
                yield f"part {line.number}.{line.part} follows {before.number}.{before.part}"
        elif line.number != before.number + 1 or line.part > 1:
            yield f"line {line.number} follows line {before.number}"
        elif line.offset <= before.offset:
            yield f"line {line.number} begins at {line.offset}, not after {before.offset}"
