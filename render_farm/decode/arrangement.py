"""How the values of a message lie on its grid, and the turns that bring them into our order."""

from dataclasses import dataclass
from typing import TypeVar

import eccodes
import numpy as np
from numpy.typing import NDArray

from render_farm.decode.grid import Grid
from render_farm.decode.gridkeys import GridError, flag, grid_of

_ALONG_AXES = 8  # fifth bit of flag table 3.3
_NO_BITMAP = 255  # code table 6.0

F = TypeVar("F", np.float32, np.float64)


@dataclass(frozen=True, slots=True)
class Arrangement:
    """How the values of a message lie on its grid.

    flip_rows, flip_columns  against `Grid`'s order (row 0 north, column 0 west)
    columns_first   consecutive values run along a column
    alternate       every other run of consecutive values goes backwards, as a plough does
    earth_relative  wind components are eastward and northward, not along the grid's axes
    """

    grid: Grid
    flip_rows: bool
    flip_columns: bool
    columns_first: bool
    alternate: bool
    earth_relative: bool

    def arrange(self, values: NDArray[F]) -> NDArray[F]:
        """Values in message order, (ny * nx,), as (ny, nx) in our order: a view where one can be.

        raises  GridError where their number is not that of the grid's points
        """
        ny, nx = self.grid.shape
        if values.size != nx * ny:
            raise GridError(f"{values.size} values do not fill a grid of {nx} x {ny} points")
        runs = values.reshape(nx, ny) if self.columns_first else values.reshape(ny, nx)
        if self.alternate:
            runs = runs.copy()
            runs[1::2] = runs[1::2, ::-1].copy()
        field = runs.T if self.columns_first else runs
        if self.flip_rows:
            field = field[::-1]
        if self.flip_columns:
            field = field[:, ::-1]
        return field


def arrangement(handle: int) -> Arrangement:
    """Read section 3 of an eccodes handle.

    raises  GridError for other grid types, for staggered rows and for impossible numbers;
            eccodes.CodesInternalError where keys are missing
    """
    grid = grid_of(handle)
    # Not uvRelativeToGrid: eccodes has no such key for polar stereographic grids.
    components = eccodes.codes_get_long(handle, "resolutionAndComponentFlags")
    return Arrangement(
        grid,
        flip_rows=flag(handle, "jScansPositively"),
        flip_columns=flag(handle, "iScansNegatively"),
        columns_first=flag(handle, "jPointsAreConsecutive"),
        alternate=flag(handle, "alternativeRowScanning"),
        earth_relative=not components & _ALONG_AXES,
    )


def require_values(handle: int, arranged: Arrangement) -> None:
    """GridError unless the message packs as many values as its grid has points.

    Before they are unpacked: room for as many as it claims would be taken first.
    """
    ny, nx = arranged.grid.shape
    count = eccodes.codes_get_long(handle, "numberOfValues")
    with_gaps = eccodes.codes_get_long(handle, "bitMapIndicator") != _NO_BITMAP
    if count > nx * ny or (count < nx * ny and not with_gaps):
        raise GridError(f"{count} values do not fill a grid of {nx} x {ny} points")
