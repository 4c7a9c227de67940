"""What the values of a field can be: how low, how high, how close together. Data.

Wide, physical limits of every parameter: beyond them lies damage, not weather.
"""

from typing import NamedTuple

from render_farm.domain.fields import MessageKey, Statistic


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


def least_spread(key: MessageKey, points: int) -> float:
    """By how much the highest of so many values of this message is above the lowest, at least."""
    return _LEAST_SPREAD.get(key.parameter, 0.0) if points >= _MANY else 0.0


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
