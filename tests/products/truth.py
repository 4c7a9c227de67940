"""What each product must show, from raw fields in float64: MetPy, or the rule as it is written."""

from types import SimpleNamespace

import metpy.calc as mpcalc
import numpy as np
from metpy.units import units
from scipy.ndimage import gaussian_filter

from tests.products.raw import raw

TYPES = ("rain", "snow", "sleet", "freezing_rain")
ROUNDING = 2e-6  # float32 against float64, relative
INNER = np.s_[2:-2, 2:-2]
EVERYWHERE = np.s_[:, :]


class Truth:
    """The raw fields of a task by role, and what follows from them.

    grids       name -> (ny, nx) float64
    tolerances  name -> (relative, absolute in SI, the window that is compared)
    category    None, or the type of precipitation at every point: 0 none or unknown, 1.. of TYPES
    """

    def __init__(self, task):
        self._fields = {
            role: [raw(source.path, str(source.key)) for source in sources]
            for role, sources in task.inputs.items()
        }
        self.grid = next(fields[0] for fields in self._fields.values() if fields)
        self._levels = {
            role: float(sources[0].key.level.removesuffix(" mb"))
            for role, sources in task.inputs.items()
            if sources and sources[0].key.level.endswith(" mb")
        }
        self._task = task
        self.grids, self.tolerances = {}, {}
        self.category = None
        RULES[task.product.recipe](self)
        taken = {"value", "rate", "amount", "u", "v", *TYPES, *SNOW_ROLES}
        for role, fields in self._fields.items():  # what is handed on for lines and symbols
            is_drawn = any(layer.field == role for layer in _layers(task.product))
            if is_drawn and role not in taken and role not in self.grids:
                # Packing leaves 0.02 J/kg of inhibition above zero, where none can be.
                values = self._smooth(fields[0])
                self.set(role, np.minimum(values, 0) if role == "cin" else values)

    def one(self, role):
        (field,) = self._fields[role]
        return self._smooth(field)

    def all(self, role):
        return [field.values for field in self._fields[role]]

    def _smooth(self, field):
        km = self._task.product.smooth_km
        if not km:
            return field.values
        _, _, _, step = field.plane
        return gaussian_filter(field.values, km * 1000 / step, mode="nearest", truncate=4)

    def has(self, role):
        return bool(self._fields.get(role))

    def set(self, name, values, rtol=ROUNDING, atol=0.0, where=EVERYWHERE):
        self.grids[name] = np.asarray(values, float)
        self.tolerances[name] = SimpleNamespace(rtol=rtol, atol=atol, where=where)

    def wind(self, names=("u", "v")):
        return [self.one(name) * units("m/s") for name in names]

    def turned(self):
        """u, v over ground: the grid's own axes turned by the bearing of its columns."""
        angle = self.grid.north_of_grid()
        u, v = self.one("u"), self.one("v")
        self.set("u", u * np.cos(angle) + v * np.sin(angle), rtol=0, atol=2e-3)
        self.set("v", v * np.cos(angle) - u * np.sin(angle), rtol=0, atol=2e-3)

    def inside(self):
        """Where both sides have central differences: neither the edge nor a pole."""
        return np.s_[8:-8, 2:-2] if self.grid.cyclic else INNER

    def pressure(self, role):
        return self._levels[role] * units.hPa


def _layers(product):
    return (*product.lines, *product.hatching)


def identity(t):
    t.set("fill", t.one("value"))


def wind_speed(t):
    t.set("fill", mpcalc.wind_speed(*t.wind()).m)
    t.turned()


def field_with_wind(t):
    identity(t)
    t.turned()


def total_window(t):
    earlier = t.one("earlier") if t.has("earlier") else 0.0
    t.set("fill", np.maximum(t.one("value") - earlier, 0), atol=2e-5)


def by_type(t, where):
    """Freezing rain before sleet before snow before rain, where anything falls."""
    if any(t.has(kind) for kind in TYPES):
        flags = [t.one(kind) >= 0.5 for kind in reversed(TYPES)]
        t.category = np.where(where, np.select(flags, (4, 3, 2, 1), 0), 0)


def mslp_ptype(t):
    t.set("fill", t.one("rate"))
    if t.has("z500"):
        t.set("thickness", t.one("z500") - t.one("z1000"), atol=2e-3)
    by_type(t, t.one("rate") > 0)


def mslp_mean_rate(t):
    ((source,),) = [t._task.inputs["amount"]]
    hours = source.key.end_h - source.key.start_h
    t.set("fill", t.one("amount") / (3600 * hours))
    t.set("thickness", t.one("z500") - t.one("z1000"), atol=2e-3)


def reflectivity(t):
    t.set("fill", t.one("value"))
    by_type(t, np.True_)


SNOW_ROLES = ("water", "amount", "snow", "t2m", "t925", "t850", "t700", "t600", "t500")


def _snow_water(t):
    if t.has("water"):
        return t.all("water")
    return [amount * part for amount, part in zip(t.all("amount"), t.all("snow"), strict=True)]


def ten_to_one(t):
    t.set("fill", sum(_snow_water(t)) * 10 / 1000, rtol=1e-5)


def kuchera(t):
    depth = 0.0
    levels = [role for role in SNOW_ROLES[3:] if t.has(role)]
    for k, water in enumerate(_snow_water(t)):
        warmest = np.maximum.reduce([t.all(role)[k] for role in levels])
        ratio = np.where(warmest > 271.16, 12 + 2 * (271.16 - warmest), 12 + (271.16 - warmest))
        depth = depth + water * np.maximum(ratio, 0) / 1000
    t.set("fill", depth, rtol=1e-4, atol=1e-6)


def vorticity(t):
    u, v = t.wind()
    relative = mpcalc.vorticity(u, v, **t.grid.metpy_place())
    planetary = mpcalc.coriolis_parameter(t.grid.latitude * units.degree)
    atol = 1e-6 if t.grid.latitude.shape[0] < 100 and t.grid.cyclic else 4e-7
    t.set("fill", (relative + planetary).m, rtol=0, atol=atol, where=t.inside())
    t.turned()


def advection(t):
    u, v = t.wind()
    temperature = t.one("value") * units.K
    place = t.grid.metpy_place()
    t.set(
        "fill", mpcalc.advection(temperature, u, v, **place).m,
        rtol=0, atol=0.02 / 10800, where=t.inside(),
    )  # fmt: skip
    theta = mpcalc.potential_temperature(t.pressure("value"), temperature)
    fronts = mpcalc.frontogenesis(theta, u, v, **place).m
    # A hundredth of the greatest, or of the faintest line that is drawn.
    size = max(np.nanmax(np.abs(fronts[t.inside()])), 1 / 1.08e9)
    t.set("frontogenesis", fronts, rtol=0, atol=0.01 * size, where=t.inside())
    t.turned()


def _bolton(kelvin):
    """Saturation vapour pressure, hPa: Bolton (1980), eq. 10."""
    return 6.112 * np.exp(17.67 * (kelvin - 273.15) / (kelvin - 273.15 + 243.5))


def _humidity(t, percent, metpy):
    """By Bolton's paper for what is painted; MetPy's Ambaum (2020) is within 0.6 % of it."""
    t.set("fill", np.clip(percent, 0, 100), rtol=0, atol=2e-3)
    np.testing.assert_allclose(t.grids["fill"], np.clip(metpy.to("percent").m, 0, 100), atol=0.6)


def from_dewpoint(t):
    temperature, dewpoint = t.one("temperature"), t.one("dewpoint")
    metpy = mpcalc.relative_humidity_from_dewpoint(temperature * units.K, dewpoint * units.K)
    _humidity(t, 100 * _bolton(dewpoint) / _bolton(temperature), metpy)
    omega = mpcalc.vertical_velocity_pressure(
        t.one("w") * units("m/s"), t.pressure("w"), temperature * units.K
    )
    t.set("omega", omega.m, rtol=1e-3, atol=1e-4)


def from_specific(t):
    temperature, specific = t.one("temperature"), t.one("specific")
    metpy = mpcalc.relative_humidity_from_specific_humidity(
        t.pressure("specific"), temperature * units.K, specific
    )
    ratio = 18.01528 / 28.96546  # molar masses of water and of dry air
    vapour = specific * t.pressure("specific").m / (ratio + (1 - ratio) * specific)
    _humidity(t, 100 * vapour / _bolton(temperature), metpy)


RULES = {
    "identity": identity,
    "total": identity,
    "wind_speed": wind_speed,
    "field_with_wind": field_with_wind,
    "upper_temperature": field_with_wind,
    "window": total_window,
    "mslp_ptype": mslp_ptype,
    "mslp_mean_rate": mslp_mean_rate,
    "reflectivity_by_type": reflectivity,
    "snow_from_buckets": ten_to_one,
    "snow_from_water": ten_to_one,
    "snow_kuchera": kuchera,
    "vorticity": vorticity,
    "temperature_advection": advection,
    "humidity_from_dewpoint": from_dewpoint,
    "humidity_from_specific": from_specific,
}
