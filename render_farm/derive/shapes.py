"""What derivations refuse, and the checks that they share."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from render_farm.decode.fields import Field
    from render_farm.decode.grid import Grid

Array = NDArray[np.float32]


class DeriveError(ValueError):
    """The inputs of a derivation do not belong together or cannot give a true map."""


class ShapeMismatch(DeriveError):
    """Arrays that should be of one shape are not."""


class GridMismatch(DeriveError):
    """Fields that should lie on one grid do not."""


class InputMissing(DeriveError):
    """A role that the recipe needs has no field."""


def require_same_shape(**arrays: Array) -> None:
    """Raise ShapeMismatch, naming every shape, unless all arrays have the same."""
    if len({array.shape for array in arrays.values()}) > 1:
        shapes = {name: array.shape for name, array in arrays.items()}
        raise ShapeMismatch(f"grids differ in shape: {shapes}")


def common_grid(fields: Sequence["Field"]) -> "Grid":
    """The grid of all the fields.

    raises  GridMismatch naming two that differ; InputMissing for no field at all
    """
    if not fields:
        raise InputMissing("there is no field to take the grid from")
    first = fields[0]
    for other in fields[1:]:
        if other.grid != first.grid:
            raise GridMismatch(
                f"{first.key} is on a {first.grid.nx} x {first.grid.ny} {first.grid.kind} grid,"
                f" {other.key} on another of {other.grid.nx} x {other.grid.ny} points"
            )
    return first.grid
