"""CF names of fields: what their variables, dimensions and attributes are called in a Dataset."""

import re

from render_farm.domain.fields import MessageKey, Statistic
from render_farm.domain.grib2 import MessageHead
from render_farm.domain.levels import NO_SURFACE
from render_farm.domain.parameters import parameter

_CELL_METHODS = {
    Statistic.INSTANT: "time: point",
    Statistic.ACCUMULATION: "time: sum",
    Statistic.AVERAGE: "time: mean",
    Statistic.MAXIMUM: "time: maximum",
    Statistic.MINIMUM: "time: minimum",
}

_ALONG_GRID = {"eastward_wind": "x_wind", "northward_wind": "y_wind"}

# Surfaces whose number counts along an axis: kind -> (dimension, unit, factor from GRIB's unit).
_AXES: dict[int, tuple[str, str, float, dict[str, str]]] = {
    20: ("isotherm", "K", 1.0, {}),
    100: (
        "isobaric",
        "hPa",
        0.01,
        {"standard_name": "air_pressure", "positive": "down", "axis": "Z"},
    ),
    102: (
        "altitude",
        "m",
        1.0,
        {"standard_name": "altitude", "positive": "up", "axis": "Z"},
    ),
    103: (
        "height_above_ground",
        "m",
        1.0,
        {"standard_name": "height", "positive": "up", "axis": "Z"},
    ),
    104: (
        "sigma",
        "1",
        1.0,
        {"standard_name": "atmosphere_sigma_coordinate", "positive": "down", "axis": "Z"},
    ),
    105: ("hybrid", "1", 1.0, {"positive": "down", "axis": "Z"}),
    106: ("depth", "m", 1.0, {"standard_name": "depth", "positive": "down", "axis": "Z"}),
    107: ("isentropic", "K", 1.0, {"standard_name": "air_potential_temperature", "axis": "Z"}),
}


def vertical(head: MessageHead) -> tuple[str, float] | None:
    """The vertical dimension of a field and its place on it; None for layers and named levels."""
    first, second = head.product.surfaces
    axis = _AXES.get(first.kind)
    if axis is None or second.kind != NO_SURFACE or first.value is None:
        return None
    return axis[0], round(first.value * axis[2], 6)


def vertical_attributes(dimension: str) -> dict[str, str]:
    """CF attributes of a vertical coordinate."""
    _, unit, _, attributes = next(axis for axis in _AXES.values() if axis[0] == dimension)
    return {"units": unit, **attributes}


def variable_name(head: MessageHead) -> str:
    """A name that is valid anywhere: "TMP_isobaric", "APCP_surface_acc_0_6h"."""
    key = head.key
    if key is None:
        return _slug(head.text)
    place = vertical(head)
    parts = [key.parameter, place[0] if place else key.level]
    if key.statistic is not Statistic.INSTANT:
        parts.append(f"{key.statistic}_{key.start_h}_{key.end_h}h")
    return _slug("_".join(parts))


def attributes(head: MessageHead, units: str, *, earth_relative: bool) -> dict[str, str]:
    """CF attributes of a field: units, names, cell methods, and its own idx texts.

    units           what eccodes says, for parameters that our table does not know
    earth_relative  see `Field`; decides whether a wind is called eastward or along x
    """
    known = parameter(head.key.parameter) if head.key is not None else None
    found = {
        "units": known.unit if known is not None else units,
        "long_name": known.name if known is not None else head.text,
        "grib_key": head.text,
    }
    if known is not None and known.standard_name:
        name = known.standard_name
        found["standard_name"] = name if earth_relative else _ALONG_GRID.get(name, name)
    if head.key is not None:
        found["level"] = head.key.level
        found["cell_methods"] = _cell_methods(head.key)
    return found


def _cell_methods(key: MessageKey) -> str:
    method = _CELL_METHODS[key.statistic]
    if key.statistic is Statistic.INSTANT:
        return method
    return f"{method} (interval: {key.end_h - key.start_h} hours)"


def _slug(text: str) -> str:
    # PV=-2e-06 and PV=2e-06 are two levels.
    return re.sub(r"\W+", "_", text.replace("=-", " minus ")).strip("_")
