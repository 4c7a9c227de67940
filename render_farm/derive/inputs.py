"""Picking arrays out of a recipe's fields by role."""

from typing import TYPE_CHECKING

from render_farm.derive import wind
from render_farm.derive.calculus import Cells
from render_farm.derive.derived import Derived, Inputs
from render_farm.derive.shapes import Array, DeriveError, InputMissing, common_grid
from render_farm.domain.levels import surfaces

if TYPE_CHECKING:
    from render_farm.decode.fields import Field

_ISOBARIC = 100


def array(inputs: Inputs, role: str) -> Array:
    """The values of the one field of a role; InputMissing if there is none or are several."""
    return _field(inputs, role).values


def others(inputs: Inputs, *used: str) -> dict[str, Array]:
    """The arrays of all roles that a recipe does not use itself, for lines and symbols."""
    return {role: array(inputs, role) for role in inputs if role not in used and inputs[role]}


def derived(inputs: Inputs, arrays_by_name: dict[str, Array]) -> Derived:
    """The result on the grid of all inputs; GridMismatch if they lie on several."""
    return Derived(common_grid([f for fields in inputs.values() for f in fields]), arrays_by_name)


def earth_wind(inputs: Inputs) -> tuple[Array, Array]:
    """Eastward and northward wind from the roles u and v."""
    u, v = _components(inputs)
    if u.earth_relative:
        return u.values, v.values
    return wind.to_earth(u.values, v.values, u.grid.rotation())


def grid_wind(inputs: Inputs) -> tuple[Array, Array]:
    """Wind along rising columns and towards grid north from the roles u and v."""
    u, v = _components(inputs)
    if not u.earth_relative or u.grid.kind in {"latlon", "mercator"}:
        return u.values, v.values
    return wind.to_earth(u.values, v.values, -u.grid.rotation())


def cells(inputs: Inputs, role: str) -> Cells:
    """The cells of the grid of a role's field."""
    grid = _field(inputs, role).grid
    return Cells(*grid.spacing(), grid.cyclic)


def latitude(inputs: Inputs, role: str) -> Array:
    """Latitudes of the grid of a role's field, degrees."""
    return _field(inputs, role).grid.latitude()


def level_pa(inputs: Inputs, role: str) -> float:
    """The pressure level of a role's field, Pa; DeriveError if it is on no such level."""
    key = _field(inputs, role).key
    pair = surfaces(key.level)
    if pair is None or pair[0].kind != _ISOBARIC or not pair[0].value:
        raise DeriveError(f"{key} is not on a pressure level")
    return pair[0].value


def _field(inputs: Inputs, role: str) -> "Field":
    fields = inputs.get(role, ())
    if len(fields) != 1:
        raise InputMissing(f"the recipe needs one field as {role!r}, not {len(fields)}")
    return fields[0]


def _components(inputs: Inputs) -> "tuple[Field, Field]":
    u, v = _field(inputs, "u"), _field(inputs, "v")
    common_grid([u, v])
    if u.earth_relative != v.earth_relative:
        raise DeriveError(f"{u.key} and {v.key} are along different axes")
    return u, v
