"""From a message's key to its values: the weather under its GRIB name, in GRIB's units."""

from collections.abc import Callable

import numpy as np

from render_farm.domain.fields import MessageKey, Statistic
from twf_async.replica.atmosphere import moist, surface
from twf_async.replica.atmosphere.accumulation import Integral, Sums
from twf_async.replica.atmosphere.arrays import Array
from twf_async.replica.atmosphere.snapshot import Snapshot

_MASKS = {"CRAIN": 0, "CSNOW": 1, "CICEP": 2, "CFRZR": 3}
_HOURS = {"CRAIN": "rain_h", "CSNOW": "snow_h", "CICEP": "sleet_h", "CFRZR": "freezing_h"}
_NEW_SNOW = 100.0  # kg/m3: 10:1
_OLD_SNOW = 260.0
_TRACE = 0.5  # kg/m2: thinner snow is none


class Fields:
    """The fields of one (run, hour, window). KeyError for a message that there is none of.

    look  gives the snapshot at another lead of the same run, hours
    """

    def __init__(self, now: Snapshot, sums: Integral, look: Callable[[float], Snapshot]) -> None:
        self.now = now
        self._sums = sums
        self._look = look

    def values(self, key: MessageKey) -> Array:
        """Return the values of a message at the grid points, in the units of the message."""
        if key.statistic is not Statistic.INSTANT:
            return self._over(key)
        if key.level.endswith(" mb"):
            return self._at_level(key.parameter, int(key.level[:-3]))
        if key.parameter in _MASKS:
            return self._mask(key.parameter)
        return _SINGLE[key.parameter, key.level](self, key.end_h)

    def _at_level(self, name: str, level: int) -> Array:
        return self._stratopause() if level == 2 else _LEVEL[name](self.now, level)

    def _stratopause(self) -> Array:
        wave = self.now.weather.temperature(100)
        out: Array = np.float32(262.0) - np.float32(0.6) * (wave - np.float32(205.0))
        return out

    def _mask(self, name: str) -> Array:
        now = self.now
        if now.weather.flavour.exclusive:
            return (now.kinds[_MASKS[name]] & (now.rate > 0.0)).astype(np.float32)
        # HRRR marks every type that reaches the ground at all, and also what evaporates: near the
        # borders two masks are set, and some are where no rate is.
        near = now.rate + 0.02 * now.weather.fine_grain > 0.004
        warm = now.ground - np.float32(273.15)
        kind = now.kinds[_MASKS[name]]
        if name == "CSNOW":
            kind = kind | (now.kinds[0] & (warm < 2.1)) & (now.weather.temperature(850) < 273.0)
        elif name == "CRAIN":
            kind = kind | (now.kinds[1] & (warm > 0.9))
        elif name == "CICEP":
            kind = kind | (now.kinds[3] & (warm > -0.4))
        return (kind & near).astype(np.float32)

    def _over(self, key: MessageKey) -> Array:
        if key.parameter == "WIND":
            speeds = [np.hypot(*self.now.wind)]
            if key.end_h:
                speeds.append(np.hypot(*self._look(key.end_h - 0.5).wind))
                speeds.append(np.hypot(*self._look(key.start_h).wind))
            fastest: Array = np.float32(1.06) * np.maximum.reduce(speeds)
            return fastest
        sums = self._sums.until(key.end_h)
        if key.start_h:
            sums = sums.since(self._sums.until(key.start_h))
        hours = np.float32(max(1, key.end_h - key.start_h))
        if key.statistic is Statistic.AVERAGE and key.parameter in _HOURS:
            mean: Array = getattr(sums, _HOURS[key.parameter]) / hours
            return np.clip(mean, 0.0, 1.0)
        return _TOTALS[key.parameter, key.statistic](sums, hours)

    def _snow(self, hour: int) -> tuple[Array, Array]:
        """Return water kg/m2 and depth m of the snow on the ground."""
        old = surface.old_snow(self.now.weather)
        new = self._sums.until(hour).snow * (self.now.window.land > 0.5)
        water = old + new
        depth = old * np.float32(1.0 / _OLD_SNOW) + new * np.float32(1.0 / _NEW_SNOW)
        lies = water > _TRACE
        return np.where(lies, water, 0.0), np.where(lies, depth, 0.0)

    def _frozen_share(self) -> Array:
        """Percent of the precipitation that is frozen; 0 where none falls."""
        _, snow, sleet, _ = self.now.kinds
        out: Array = np.float32(100.0) * ((snow | sleet) & (self.now.rate > 0.0)).astype(np.float32)
        return out


def _upward(now: Snapshot, level: int) -> Array:
    """Return the vertical wind, m/s: -omega / (density g)."""
    density = np.float32(100.0 * level / 287.05) / now.weather.temperature(level)
    out: Array = -now.ascent(level) / (density * np.float32(9.80665))
    return out


_LEVEL: dict[str, Callable[[Snapshot, int], Array]] = {
    "TMP": lambda now, level: now.weather.temperature(level),
    "HGT": lambda now, level: now.weather.height(level),
    "UGRD": lambda now, level: now.weather.wind(level)[0],
    "VGRD": lambda now, level: now.weather.wind(level)[1],
    "RH": lambda now, level: 100.0 * now.air_humidity(level),
    "DPT": lambda now, level: moist.dewpoint(
        now.weather.temperature(level), now.air_humidity(level)
    ),
    "SPFH": lambda now, level: moist.specific(
        now.weather.temperature(level), now.air_humidity(level), level
    ),
    "VVEL": lambda now, level: now.ascent(level),
    "DZDT": _upward,
    "ABSV": lambda now, level: now.vorticity(level),
}
_TOTALS: dict[tuple[str, Statistic], Callable[[Sums, np.float32], Array]] = {
    ("APCP", Statistic.ACCUMULATION): lambda s, _: s.water,
    ("PRATE", Statistic.AVERAGE): lambda s, h: s.water / (h * np.float32(3600.0)),
    ("WEASD", Statistic.ACCUMULATION): lambda s, _: s.snow,
    ("ASNOW", Statistic.ACCUMULATION): lambda s, _: s.snow / np.float32(_NEW_SNOW),
    ("FROZR", Statistic.ACCUMULATION): lambda s, _: s.sleet,
    ("FRZR", Statistic.ACCUMULATION): lambda s, _: s.freezing,
}
_COLUMN = "entire atmosphere (considered as a single layer)"
_SINGLE: dict[tuple[str, str], Callable[[Fields, int], Array]] = {
    ("PRMSL", "mean sea level"): lambda f, _: 100.0 * f.now.pressure,
    ("MSLMA", "mean sea level"): lambda f, _: 100.0 * f.now.pressure,
    ("PRES", "surface"): lambda f, _: 100.0 * f.now.ground_pressure,
    ("TMP", "2 m above ground"): lambda f, _: f.now.ground,
    ("DPT", "2 m above ground"): lambda f, _: f.now.dewpoint,
    ("RH", "2 m above ground"): lambda f, _: 100.0 * f.now.humidity,
    ("SPFH", "2 m above ground"): lambda f, _: moist.specific(
        f.now.ground, f.now.humidity, f.now.ground_pressure
    ),
    ("UGRD", "10 m above ground"): lambda f, _: f.now.wind[0],
    ("VGRD", "10 m above ground"): lambda f, _: f.now.wind[1],
    ("GUST", "surface"): lambda f, _: f.now.gust,
    ("PRATE", "surface"): lambda f, _: f.now.rate / np.float32(3600.0),
    ("CPOFP", "surface"): lambda f, _: f._frozen_share(),  # noqa: SLF001
    ("REFC", "entire atmosphere"): lambda f, _: f.now.echo,
    ("VIS", "surface"): lambda f, _: f.now.visibility,
    ("TCDC", "entire atmosphere"): lambda f, _: 100.0 * f.now.cover,
    ("PWAT", _COLUMN): lambda f, _: f.now.vapour,
    ("CAPE", "surface"): lambda f, _: f.now.buoyancy[0],
    ("CIN", "surface"): lambda f, _: f.now.buoyancy[1],
    ("HGT", "0C isotherm"): lambda f, _: f.now.freezing_level,
    ("HGT", "surface"): lambda f, _: f.now.window.elevation,
    ("LAND", "surface"): lambda f, _: (f.now.window.land > 0.5).astype(np.float32),
    ("WEASD", "surface"): lambda f, hour: f._snow(hour)[0],  # noqa: SLF001
    ("SNOD", "surface"): lambda f, hour: f._snow(hour)[1],  # noqa: SLF001
}
