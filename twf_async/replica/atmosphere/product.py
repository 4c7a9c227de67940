"""Sections 1 and 4 of messages: whose they are, what, where and when (templates 4.0 and 4.8).

Octet by octet as NCEP writes them, checked against real files.
"""

import struct
from datetime import datetime, timedelta

from render_farm.domain.fields import MessageKey, Statistic
from render_farm.domain.levels import Surface, surfaces
from render_farm.domain.parameters import Code, parameter
from twf_async.replica.atmosphere.models import Model
from twf_async.replica.sections import section, signed

_PROCESSES = {
    Statistic.AVERAGE: 0,
    Statistic.ACCUMULATION: 1,
    Statistic.MAXIMUM: 2,
    Statistic.MINIMUM: 3,
}
_WMO_TYPES = {"CSNOW", "CICEP", "CFRZR", "CRAIN"}  # HRRR writes WMO's numbers, GFS NCEP's own
_HOUR = 1  # code table 4.4
_NO_SURFACE = 255


def section_4_length(key: MessageKey) -> int:
    """Return the octets of section 4 of a message."""
    return 34 if key.statistic is Statistic.INSTANT else 58


def code_of(model: Model, key: MessageKey) -> Code:
    """Return discipline, category and number. KeyError for a parameter nobody knows."""
    known = parameter(key.parameter)
    if known is None:
        raise KeyError(key.parameter)
    if model.key == "hrrr" and key.parameter in _WMO_TYPES:
        return next(code for code in known.codes if not code.local)
    return known.codes[0]


def section_1(cycle: datetime) -> bytes:
    """Return the identification: NCEP, a forecast, of *cycle*."""
    moment = struct.pack(
        ">HBBBBB", cycle.year, cycle.month, cycle.day, cycle.hour, cycle.minute, cycle.second
    )
    return section(1, struct.pack(">HHBBB", 7, 0, 2, 1, 1) + moment + bytes((0, 1)))


def section_4(model: Model, cycle: datetime, hour: int, key: MessageKey) -> bytes:
    """Return the product definition of *key* in the file of *hour*."""
    code = code_of(model, key)
    levels = surfaces(key.level)
    if levels is None:
        raise KeyError(key.level)
    instant = key.statistic is Statistic.INSTANT
    process = model.process[0] if hour == 0 else model.process[1]
    # The forecast time of an interval is its start.
    body = struct.pack(
        ">HHBBBBBHBBI", 0, 0 if instant else 8, code.category, code.number,
        2, 0, process, 0, 0, _HOUR, key.start_h,
    )  # fmt: skip
    body += _surface(levels[0]) + _surface(levels[1])
    if not instant:
        end = cycle + timedelta(hours=key.end_h)
        body += struct.pack(
            ">HBBBBBBIBBBIBI", end.year, end.month, end.day, end.hour, 0, 0,
            1, 0, _PROCESSES[key.statistic], 2, _HOUR, key.end_h - key.start_h, 255, 0,
        )  # fmt: skip
    return section(4, body)


def _surface(surface: Surface) -> bytes:
    """Encode a fixed surface with as few decimals as its value needs."""
    value, decimals = surface.value or 0.0, 0
    while abs(value * 10**decimals - round(value * 10**decimals)) > 1e-6:
        decimals += 1
    return bytes((surface.kind, decimals)) + signed(round(value * 10**decimals), 4)
