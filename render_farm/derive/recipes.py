"""Recipes by name: the fields of a product, by role, become the grids of its map.

The names are those of `recipe` in products.toml. A recipe picks arrays out of fields, checks that
they lie on one grid and calls the formulas of its sibling modules; the formulas know no fields.
Every recipe raises DeriveError for inputs that cannot give a true map.
"""

from render_farm.derive import increments, precipitation, pressure, snow, upper_air
from render_farm.derive.derived import Derived, Inputs, Recipe
from render_farm.derive.inputs import array, derived, others
from render_farm.derive.shapes import Array
from render_farm.domain.recipes import TYPES

_SECONDS_PER_HOUR = 3600


def _thickness(inputs: Inputs) -> Array:
    return pressure.thickness(array(inputs, "z500"), array(inputs, "z1000"))


def _by_type(inputs: Inputs, result: Derived, *, dry: bool) -> Derived:
    """Add the category from the flags that there are; *dry*: none where fill is 0 or less."""
    flags = {kind: array(inputs, kind) for kind in TYPES if inputs.get(kind)}
    if not flags:
        return result
    where = result.arrays["fill"] > 0 if dry else None
    kinds = precipitation.category(flags, where)
    return Derived(result.grid, result.arrays, kinds, TYPES)


def identity(inputs: Inputs) -> Derived:
    """The field itself. value -> fill, same unit; any further role under its own name."""
    return derived(inputs, {**others(inputs, "value"), "fill": array(inputs, "value")})


def mslp_ptype(inputs: Inputs) -> Derived:
    """Rate by type: mslp (Pa), rate (kg m-2 s-1), z500, z1000 (gpm), optional flags by type."""
    arrays_by_name = {
        "fill": array(inputs, "rate"),
        "mslp": array(inputs, "mslp"),
        "thickness": _thickness(inputs),
    }
    return _by_type(inputs, derived(inputs, arrays_by_name), dry=True)


def mslp_mean_rate(inputs: Inputs) -> Derived:
    """Mean rate of a bucket, type unknown: mslp (Pa), amount (kg m-2), z500, z1000 (gpm)."""
    amount = array(inputs, "amount")
    key = inputs["amount"][0].key
    rate = precipitation.mean_rate(amount, (key.end_h - key.start_h) * _SECONDS_PER_HOUR)
    return derived(
        inputs,
        {"fill": rate, "mslp": array(inputs, "mslp"), "thickness": _thickness(inputs)},
    )


def window(inputs: Inputs) -> Derived:
    """What fell between two hours: value, earlier (run totals, kg m-2) -> fill.

    An empty earlier window (the first hours of a run) counts as zero.
    """
    value = array(inputs, "value")
    if inputs.get("earlier"):
        value = precipitation.window(value, array(inputs, "earlier"))
    return derived(inputs, {"fill": value})


def reflectivity_by_type(inputs: Inputs) -> Derived:
    """Reflectivity coloured by type: value (dBZ), optional flags by type.

    Where it echoes and no flag is set, the type is unknown: rain aloft need not reach the ground.
    """
    return _by_type(inputs, derived(inputs, {"fill": array(inputs, "value")}), dry=False)


def snow_from_buckets(inputs: Inputs) -> Derived:
    """Ten-to-one snowfall: amount (kg m-2), snow (0..1), bucket by bucket -> fill (m)."""
    return derived(inputs, {"fill": increments.total(inputs, increments.bucket_snow)})


def snow_from_water(inputs: Inputs) -> Derived:
    """Ten-to-one snowfall: water (kg m-2 of snow since hour 0) -> fill (m)."""
    return derived(inputs, {"fill": snow.depth(array(inputs, "water"))})


def snow_kuchera(inputs: Inputs) -> Derived:
    """Snowfall by Kuchera's ratio, increment by increment -> fill (m).

    water, or amount (kg m-2) and snow (0..1): one field for each increment
    every other role: temperatures (K) of one level, one field for the end of each increment
    """
    return derived(inputs, {"fill": increments.total(inputs, increments.kuchera_snow)})


RECIPES: dict[str, Recipe] = {
    "identity": identity,
    "wind_speed": upper_air.jet,
    "mslp_ptype": mslp_ptype,
    "mslp_mean_rate": mslp_mean_rate,
    "total": identity,
    "window": window,
    "upper_temperature": upper_air.field_with_wind,
    "field_with_wind": upper_air.field_with_wind,
    "reflectivity_by_type": reflectivity_by_type,
    "snow_from_buckets": snow_from_buckets,
    "snow_from_water": snow_from_water,
    "snow_kuchera": snow_kuchera,
    "vorticity": upper_air.vorticity,
    "temperature_advection": upper_air.temperature_advection,
    "humidity_from_dewpoint": upper_air.humidity_from_dewpoint,
    "humidity_from_specific": upper_air.humidity_from_specific,
}
