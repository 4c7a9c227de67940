"""Section 4 of a GRIB2 message: what the field is, at which level, over which time.

Turns the templates of code table 4.0 that forecasts at one level use into `ProductDefinition`.
Owns nothing of files and streams (see grib2.py) and never fails on a template that it does not
know: such a field has no key, only a text.
"""

import struct
from dataclasses import dataclass
from typing import NamedTuple

from render_farm.domain.fields import MessageKey, Statistic
from render_farm.domain.levels import Surface, level_text
from render_farm.domain.parameters import Code, abbreviation


class _Layout(NamedTuple):
    """Where a template has its parts: octets as WMO counts them, from 1 in section 4.

    time    unit of the forecast time; the forecast time and both surfaces follow it
    ranges  number of time ranges; None for a field at a point in time
    plain   whether it is the forecast itself: not a mean, probability or percentile of many
    """

    time: int
    ranges: int | None = None
    plain: bool = True


_LAYOUTS = {
    0: _Layout(18),
    1: _Layout(18),
    2: _Layout(18, plain=False),
    5: _Layout(18, plain=False),
    6: _Layout(18, plain=False),
    7: _Layout(18, plain=False),
    8: _Layout(18, 42),
    9: _Layout(18, 55, plain=False),
    10: _Layout(18, 43, plain=False),
    11: _Layout(18, 45),
    12: _Layout(18, 44, plain=False),
    15: _Layout(18, plain=False),
    40: _Layout(20),
    41: _Layout(20),
    42: _Layout(20, 44),
    43: _Layout(20, 47),
    48: _Layout(42),
}

_STATISTICS = {
    0: Statistic.AVERAGE,
    1: Statistic.ACCUMULATION,
    2: Statistic.MAXIMUM,
    3: Statistic.MINIMUM,
}

_UNIT_MINUTES = {0: 1, 1: 60, 2: 1440, 10: 180, 11: 360, 12: 720}  # code table 4.4
_SECOND = 13
_MISSING = 255


@dataclass(frozen=True, slots=True)
class ProductDefinition:
    """What section 4 says.

    key   None where the field is not one that a `MessageKey` can name exactly: a window that is
          not whole hours, another statistic, a mean or probability of an ensemble
    text  `VAR:level:forecast` as in an idx; with a key the same as `str(key)`
    """

    code: Code
    template: int
    surfaces: tuple[Surface, Surface]
    key: MessageKey | None
    text: str


def parse_product_definition(
    section: bytes, *, discipline: int, center: int, master_table: int, local_table: int
) -> ProductDefinition:
    """Read section 4, its five octets of length and number included.

    raises  ValueError where it is shorter than its template
    """
    try:
        (template,) = struct.unpack_from(">H", section, 7)
        code = Code(discipline, section[9], section[10])
        name = abbreviation(code, center=center, master_table=master_table, local_table=local_table)
        layout = _LAYOUTS.get(template)
        if layout is None:
            text = f"{name}:template 4.{template}"
            nowhere = (Surface(_MISSING), Surface(_MISSING))
            return ProductDefinition(code, template, nowhere, None, text)
        return _parse(section, code, name, template, layout, center)
    except (struct.error, IndexError) as error:
        raise ValueError(f"section 4 of {len(section)} bytes is too short") from error


def _parse(
    section: bytes, code: Code, name: str, template: int, layout: _Layout, center: int
) -> ProductDefinition:
    at = layout.time - 1
    surfaces = _surface(section, at + 5), _surface(section, at + 11)
    level = level_text(*surfaces, center=center)
    start_min = _minutes(section[at], _signed(section, at + 1, 4))
    if layout.ranges is None:
        statistic: Statistic | None = Statistic.INSTANT
        length_min: float | None = 0
    else:
        count = section[layout.ranges - 1]
        process = layout.ranges + 4
        # Several ranges are a statistic of statistics; no idx text of ours has them.
        statistic = _STATISTICS.get(section[process]) if count == 1 else None
        length_min = _minutes(section[process + 2], _unsigned(section, process + 3))
    key = None
    if layout.plain and statistic is not None and start_min is not None and length_min is not None:
        start_h, length_h = start_min / 60, length_min / 60
        if start_h.is_integer() and length_h.is_integer():
            key = MessageKey(name, level, int(start_h), int(start_h + length_h), statistic)
    text = (
        str(key)
        if key is not None
        else f"{name}:{level}:{start_min} min + {length_min} min, template 4.{template}"
    )
    return ProductDefinition(code, template, surfaces, key, text)


def _surface(section: bytes, at: int) -> Surface:
    kind, factor = section[at], section[at + 1]
    if factor == _MISSING or section[at + 2 : at + 6] == b"\xff\xff\xff\xff":
        return Surface(kind)
    value, decimals = _signed(section, at + 2, 4), _signed(section, at + 1, 1)
    # Dividing by a whole power of ten gives the number as it is written (0.33, not 0.3300…2).
    return Surface(kind, value / 10**decimals if decimals > 0 else float(value * 10**-decimals))


def _signed(section: bytes, at: int, size: int) -> int:
    """GRIB's signed integers: the first bit is the sign, the rest the magnitude."""
    if at + size > len(section):
        raise IndexError
    raw = int.from_bytes(section[at : at + size], "big")
    sign = 1 << (8 * size - 1)
    return -(raw & ~sign) if raw & sign else raw


def _unsigned(section: bytes, at: int) -> int:
    value: int = struct.unpack_from(">I", section, at)[0]
    return value


def _minutes(unit: int, count: int) -> float | None:
    if unit == _SECOND:
        return count / 60
    minutes = _UNIT_MINUTES.get(unit)
    return None if minutes is None else count * minutes
