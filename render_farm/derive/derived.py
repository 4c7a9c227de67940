"""What a recipe hands to drawing."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from render_farm.derive.shapes import Array

if TYPE_CHECKING:
    from render_farm.decode.fields import Field
    from render_farm.decode.grid import Grid


@dataclass(frozen=True, slots=True, eq=False)
class Derived:
    """The grids of one map, all on one grid.

    arrays    name -> (ny, nx) float32, SI, NaN where missing: "fill" is what the colours show;
              "u", "v" eastward and northward wind, m/s; others by the name that a line layer asks
    category  (ny, nx) uint8 or None: k > 0 is shown by the scale of roles[k - 1], 0 by "fill"
    roles     scale roles that `category` refers to
    """

    grid: "Grid"
    arrays: dict[str, Array]
    category: NDArray[np.uint8] | None = None
    roles: tuple[str, ...] = ()


Inputs = Mapping[str, "tuple[Field, ...]"]
Recipe = Callable[[Inputs], Derived]
