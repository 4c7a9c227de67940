"""Levels of scales and lines as they are written in TOML: numbers, and rows of them in short."""

import re
from typing import Annotated

from pydantic import BeforeValidator

MOST_LEVELS = 255  # bins of a map are counted in a byte
MOST_COLOURS = 200  # of a map: its palette has 256 places, and lines and letters need some
FINEST = 1e-6  # levels that lie closer are one
_LARGEST = 1e12
_NUMBER = r"(?:\d{1,12}\.?\d{0,9}|\.\d{1,9})"
_STEPS = re.compile(rf"(-?{_NUMBER})\.\.(-?{_NUMBER}) step ({_NUMBER})")


def expand_levels(value: object) -> object:
    """Turn `[0.1, "0.5..2 step 0.5"]` into `(0.1, 0.5, 1.0, 1.5, 2.0)`."""
    if not isinstance(value, list | tuple):
        return value
    levels: list[float] = []
    for item in value:
        levels += _row(item) if isinstance(item, str) else [_level(item)]
        if len(levels) > MOST_LEVELS:
            raise ValueError(f"there are more than {MOST_LEVELS} levels; choose larger steps")
    return tuple(levels)


def _level(item: object) -> float:
    if isinstance(item, int | float) and not isinstance(item, bool) and abs(item) <= _LARGEST:
        return float(item)
    raise ValueError(f"level {item!r} is neither a number nor 'A..B step S'")


def _row(item: str) -> list[float]:
    """The levels of "A..B step S"; refused before they are made where they are too many."""
    match = _STEPS.fullmatch(item)
    if match is None:
        raise ValueError(f"level {item!r} is neither a number nor 'A..B step S'")
    first, last, step = (float(part) for part in match.groups())
    if step <= 0 or last < first:
        raise ValueError(f"levels {item!r} do not rise")
    if step < FINEST:
        raise ValueError(
            f"levels {item!r}: steps below 0.000001 are none; choose larger ones, or another unit"
        )
    if not (last - first) / step < MOST_LEVELS:
        raise ValueError(f"levels {item!r} are more than {MOST_LEVELS}; choose larger steps")
    count = round((last - first) / step)
    if abs(first + count * step - last) > FINEST:
        raise ValueError(f"levels {item!r}: no whole number of steps ends at {match[2]}")
    return [round(first + step * i, 6) for i in range(count + 1)]


Levels = Annotated[tuple[float, ...], BeforeValidator(expand_levels)]
