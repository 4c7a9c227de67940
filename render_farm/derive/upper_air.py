"""Recipes of the upper-air maps; see recipes.py for what a recipe is.

Roles that a recipe does not name itself are handed on under their own names, so that a product
can draw heights, sea-level pressure or ascent as lines without a recipe of its own.
"""

from render_farm.derive import circulation, humidity, inputs, pressure, wind
from render_farm.derive.derived import Derived, Inputs


def field_with_wind(fields: Inputs) -> Derived:
    """A field with wind symbols: value -> fill, u, v (m/s) -> earth-relative."""
    u, v = inputs.earth_wind(fields)
    return inputs.derived(
        fields,
        {
            **inputs.others(fields, "value", "u", "v"),
            "fill": inputs.array(fields, "value"),
            "u": u,
            "v": v,
        },
    )


def jet(fields: Inputs) -> Derived:
    """Wind speed aloft: u, v (m/s) -> fill: speed; u, v: earth-relative."""
    u, v = inputs.earth_wind(fields)
    others = inputs.others(fields, "u", "v")
    return inputs.derived(fields, {**others, "fill": wind.speed(u, v), "u": u, "v": v})


def vorticity(fields: Inputs) -> Derived:
    """Absolute vorticity of the wind: u, v (m/s) -> fill (1/s); u, v: earth-relative."""
    along = inputs.grid_wind(fields)
    fill = circulation.absolute_vorticity(
        *along, inputs.cells(fields, "u"), inputs.latitude(fields, "u")
    )
    u, v = inputs.earth_wind(fields)
    others = inputs.others(fields, "u", "v")
    return inputs.derived(fields, {**others, "fill": fill, "u": u, "v": v})


def temperature_advection(fields: Inputs) -> Derived:
    """Advection on a pressure level: value (K), u, v (m/s) -> fill (K/s).

    Also "frontogenesis" (K m-1 s-1), and u, v earth-relative.
    """
    temperature = inputs.array(fields, "value")
    along, cells = inputs.grid_wind(fields), inputs.cells(fields, "value")
    theta = circulation.potential_temperature(temperature, inputs.level_pa(fields, "value"))
    u, v = inputs.earth_wind(fields)
    return inputs.derived(
        fields,
        {
            **inputs.others(fields, "value", "u", "v"),
            "fill": circulation.advection(temperature, *along, cells),
            "frontogenesis": circulation.frontogenesis(theta, *along, cells),
            "u": u,
            "v": v,
        },
    )


def humidity_from_dewpoint(fields: Inputs) -> Derived:
    """Relative humidity: temperature, dewpoint (K) -> fill (%).

    With w (DZDT, m/s) also "omega" (Pa/s).
    """
    temperature = inputs.array(fields, "temperature")
    arrays = inputs.others(fields, "temperature", "dewpoint", "w")
    arrays["fill"] = humidity.from_dewpoint(temperature, inputs.array(fields, "dewpoint"))
    if fields.get("w"):
        arrays["omega"] = pressure.omega(
            inputs.array(fields, "w"), temperature, inputs.level_pa(fields, "w")
        )
    return inputs.derived(fields, arrays)


def humidity_from_specific(fields: Inputs) -> Derived:
    """Relative humidity: temperature (K), specific (kg/kg), one pressure level -> fill (%)."""
    fill = humidity.from_specific_humidity(
        inputs.array(fields, "temperature"),
        inputs.array(fields, "specific"),
        inputs.level_pa(fields, "specific"),
    )
    others = inputs.others(fields, "temperature", "specific")
    return inputs.derived(fields, {**others, "fill": fill})
