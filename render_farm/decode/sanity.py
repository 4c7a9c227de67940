"""Values that cannot be: refuse a field rather than draw a lie, and take packing noise off.

eccodes decodes flipped data bytes to numbers like 1e10 without an error, so what comes out of a
message is checked against wide physical limits of its parameter, and against the jumps that a
smooth one can have. And a field that is the same everywhere, of a quantity that never is so, was
not forecast but filled in.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from render_farm.decode.grid import Grid
from render_farm.decode.jumps import spikes
from render_farm.decode.smoothness import smoothness
from render_farm.domain.fields import MessageKey, Statistic


class BadValues(ValueError):
    """The values of a message cannot be true."""


class Limits(NamedTuple):
    """What a parameter may hold, in its GRIB unit.

    lowest, highest  beyond them the field is refused
    floor, ceiling   values between them and the limits are packing noise and are set to them
    """

    lowest: float
    highest: float
    floor: float | None = None
    ceiling: float | None = None


_ANY = Limits(-1e9, 1e9)
_FLAG = Limits(-0.1, 1.1, 0.0, 1.0)
_PERCENT = Limits(-5.0, 105.0, 0.0, 100.0)
# Below -0.3 mm a total is no packing noise but a mix of runs.
_AMOUNT = Limits(-0.3, 1e4, 0.0)
# mm, and mm more an hour: the records are 305 mm in 1 h, 1,825 in a day, 5,000 in five.
_CLOUDBURST, _DOWNPOUR = 500.0, 100.0
_WIND = Limits(-400.0, 400.0)
_SPEED = Limits(-1.0, 400.0, 0.0)
_PRESSURE_MSL = Limits(8e4, 1.15e5)
_TEMPERATURE = Limits(100.0, 400.0)
_REFLECTIVITY = Limits(-1000.0, 110.0)

_LIMITS: dict[str, Limits] = {
    "TMP": _TEMPERATURE,
    "DPT": Limits(30.0, 400.0),
    "TMAX": _TEMPERATURE,
    "TMIN": _TEMPERATURE,
    "APTMP": _TEMPERATURE,
    "PRES": Limits(0.0, 1.2e5),
    "PRMSL": _PRESSURE_MSL,
    "MSLET": _PRESSURE_MSL,
    "MSLMA": _PRESSURE_MSL,
    "HGT": Limits(-2e4, 2e5),
    "RH": Limits(-5.0, 250.0, 0.0, 100.0),  # models let ice clouds supersaturate
    "TCDC": _PERCENT,
    "LCDC": _PERCENT,
    "MCDC": _PERCENT,
    "HCDC": _PERCENT,
    "SNOWC": _PERCENT,
    "SPFH": Limits(-1e-3, 0.1, 0.0),
    "UGRD": _WIND,
    "VGRD": _WIND,
    "GUST": _SPEED,
    "WIND": _SPEED,
    "PRATE": Limits(-1e-3, 0.3, 0.0),  # kg m-2 s-1: 1,080 mm/h
    "CPRAT": Limits(-1e-3, 0.3, 0.0),
    "APCP": _AMOUNT,
    "ACPCP": _AMOUNT,
    "NCPCP": _AMOUNT,
    "WEASD": Limits(-0.3, 1e5, 0.0),
    "ASNOW": Limits(-0.03, 100.0, 0.0),
    "SNOD": Limits(-0.03, 1e3, 0.0),
    "FROZR": _AMOUNT,
    "FRZR": _AMOUNT,
    "PWAT": Limits(-1.0, 200.0, 0.0),
    "CRAIN": _FLAG,
    "CSNOW": _FLAG,
    "CICEP": _FLAG,
    "CFRZR": _FLAG,
    "REFC": _REFLECTIVITY,
    "REFD": _REFLECTIVITY,
    "MAXREF": _REFLECTIVITY,
    "CAPE": Limits(-10.0, 2e4, 0.0),
    "CIN": Limits(-2e4, 100.0, None, 0.0),
    "ABSV": Limits(-0.2, 0.2),
    "RELV": Limits(-1.0, 1.0),
    "VVEL": Limits(-500.0, 500.0),
    "DZDT": Limits(-200.0, 200.0),
    "VIS": Limits(-10.0, 1e6, 0.0),
}


UNMATCHED = 8.0  # times the third highest value that sticks out; windows of 24 x 24 reach 4
_OF_ONE_DAMAGE = 2
ENOUGH_TO_VARY = 64  # points; fewer may by chance be equal to the precision of their packing
_EVERYWHERE = {"PRES", "PRMSL", "MSLET", "MSLMA", "UGRD", "VGRD", "GUST", "WIND", "PWAT"}
# What these differ by, at least, among so many points: a flipped scale makes them all but equal.
_MANY = 1000
_LEAST_SPREAD = {
    **dict.fromkeys(("PRES", "PRMSL", "MSLET", "MSLMA"), 5.0),
    **dict.fromkeys(("UGRD", "VGRD", "GUST", "WIND"), 0.1),
    "PWAT": 0.05,
}
_ALL_OR_NOTHING = {
    *("APCP", "ACPCP", "NCPCP", "PRATE", "CPRAT", "REFC", "REFD", "MAXREF"),
    *("CAPE", "RH", "TCDC", "LCDC", "MCDC", "HCDC"),
}
_OFF_THE_GROUND = {"TMP", "DPT", "TMAX", "TMIN", "APTMP"}
_ALOFT = {"HGT", "ABSV", "RELV", "VVEL", "DZDT"}


def limits_of(key: MessageKey) -> Limits:
    """The limits for this message."""
    limits = _LIMITS.get(key.parameter, _ANY)
    if key.statistic is Statistic.ACCUMULATION:
        if limits is _FLAG:
            return _ANY  # a duration, not 0..1
        if limits is _AMOUNT:
            most = _CLOUDBURST + _DOWNPOUR * (key.end_h - key.start_h)
            return limits._replace(highest=min(limits.highest, most))
    return limits


def can_be_everywhere(value: float, key: MessageKey) -> bool:
    """Whether a field of this message can have one value all over a box of some size.

    Rain, echoes and instability can be absent, clouds and humidity absent or full, and nothing
    between; snow may lie at one depth (on ice), the ground at one height (the sea), and melt at
    one temperature. What is not known here can be anything.
    """
    if key.parameter in _ALL_OR_NOTHING:
        full = limits_of(key).ceiling
        return value <= 0 or (full is not None and value >= full)
    if key.parameter in _ALOFT:
        return not key.level.endswith(" mb")
    if key.parameter in _OFF_THE_GROUND:
        return key.level == "surface"
    return key.parameter not in _EVERYWHERE


def require_possible(low: float, high: float, points: int, key: MessageKey) -> None:
    """Refuse a message whose values cannot be true.

    low, high  of the values that are not missing; NaN where all are
    points     values of the message, missing ones included
    raises     BadValues: all missing, infinite, beyond the parameter's limits, or all the same
               where the parameter cannot be
    """
    if np.isnan(low):
        raise BadValues("every value is missing")
    limits = limits_of(key)
    for extreme in (low, high):
        if not limits.lowest <= extreme <= limits.highest:
            raise BadValues(
                f"a value of {extreme:.6g} is outside the possible"
                f" {limits.lowest:g}..{limits.highest:g}"
            )
    if low == high and points >= ENOUGH_TO_VARY and not can_be_everywhere(low, key):
        raise BadValues(f"all {points} points have the value {low:.6g}, which cannot be")
    if points >= _MANY and high - low < _LEAST_SPREAD.get(key.parameter, 0.0):
        raise BadValues(
            f"all {points} points lie between {low:.6g} and {high:.6g}, which cannot be"
        )


def require_smooth(values: NDArray[np.float32], grid: Grid, key: MessageKey) -> None:
    """Refuse a field with a value that stands alone, where the parameter is smooth.

    values  (ny, nx) contiguous, on *grid*, missing = NaN: what is shown, no more
    raises  BadValues, with the place of the highest such value
    """
    limits = smoothness(key, grid.cell_km)
    if limits is None:
        return
    for spike in spikes(values, min(limits.alone, limits.at_most, limits.unmatched)):
        if spike.height <= limits.at_most and (
            spike.height <= limits.times * spike.spread
            or (spike.height <= limits.alone and _is_matched(spike.height, values))
        ):
            continue
        value, place = float(values[spike.row, spike.column]), f"{spike.row}, {spike.column}"
        raise BadValues(
            f"a value of {value:.6g} at row and column {place} stands {spike.height:.4g} beyond"
            f" all around it, which lie within {spike.spread:.4g}"
        )


def _is_matched(height: float, values: NDArray[np.float32]) -> bool:
    """Whether others stick out likewise. Two may be of one damage: a byte can be part of two."""
    others = spikes(values, height / UNMATCHED)
    return len(others) > _OF_ONE_DAMAGE


def take_noise_off(values: NDArray[np.float32], key: MessageKey) -> None:
    """Set what packing left beyond the parameter's floor or ceiling to it, in place; NaN stays."""
    limits = limits_of(key)
    if limits.floor is not None:
        np.maximum(values, np.float32(limits.floor), out=values)
    if limits.ceiling is not None:
        np.minimum(values, np.float32(limits.ceiling), out=values)
