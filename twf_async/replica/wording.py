"""The lines of a wgrib2 inventory (.idx), read.

    n:offset:d=YYYYMMDDHH:VAR:level:forecast text:

Sub-messages share an offset ("3.1", "3.2"); ensembles add fields after the forecast text.
"""

import re
from itertools import pairwise

from render_farm.domain.fields import MessageKey, Statistic
from twf_async.replica.tree import FileMessage

_LINE = re.compile(
    r"(?P<number>\d+(?:\.\d+)?):(?P<offset>\d+):d=(?P<cycle>\d{10}):"
    r"(?P<parameter>[^:]+):(?P<level>[^:]+):(?P<forecast>[^:]+):.*"
)
_INSTANT = re.compile(r"(\d+) hour fcst")
_INTERVAL = re.compile(r"(\d+)-(\d+) (hour|day) (acc|ave|max|min) fcst")


def key_of(parameter: str, level: str, forecast: str) -> MessageKey | None:
    """Return the message named by three fields of an idx line; None for any other wording."""
    if forecast == "anl":
        return MessageKey(parameter, level, 0, 0, Statistic.INSTANT)
    if match := _INSTANT.fullmatch(forecast):
        hour = int(match[1])
        return MessageKey(parameter, level, hour, hour, Statistic.INSTANT)
    if match := _INTERVAL.fullmatch(forecast):
        hours = 24 if match[3] == "day" else 1
        start_h, end_h = int(match[1]) * hours, int(match[2]) * hours
        return MessageKey(parameter, level, start_h, end_h, Statistic(match[4]))
    return None


def read_inventory(text: str, file_size: int) -> tuple[FileMessage, ...]:
    """Return the messages of an .idx in its order; lines of another form are passed over.

    A message ends where the next higher offset begins, the last one with the file.
    """
    lines = [match for line in text.splitlines() if (match := _LINE.fullmatch(line))]
    bounds = sorted({int(line["offset"]) for line in lines} | {file_size})
    ends = dict(pairwise(bounds))
    found = []
    for line in lines:
        offset = int(line["offset"])
        parameter, level, forecast = line["parameter"], line["level"], line["forecast"]
        length = max(0, ends.get(offset, file_size) - offset)
        key = key_of(parameter, level, forecast)
        found.append(FileMessage(offset, length, parameter, level, forecast, key))
    return tuple(found)
