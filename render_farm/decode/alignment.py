"""Fields that were cut from one grid by different hands, brought to the cells that all have.

An hour that came from the mirror holds the whole grid, its neighbours hold what the grib filter cut
out: the same points, but more of them.
"""

import math
from collections.abc import Sequence
from dataclasses import replace

from render_farm.decode.fields import Field
from render_farm.decode.grid import Grid
from render_farm.decode.window import Window

_SAME_STEP = 1e-6  # share of a cell; over a thousand cells a thousandth of one
# Of a cell: messages cut the first point of a grid to a millionth of a degree.
_SAME_PLACE = 0.01


def aligned(fields: Sequence[Field]) -> tuple[Field, ...]:
    """The fields on the largest grid that is a part of all of theirs.

    As they are where their grids are equal, or have no common part: who combines them says so.
    """
    grids = list(dict.fromkeys(field.grid for field in fields))
    if len(grids) < 2:
        return tuple(fields)
    common = _common(grids)
    if common is None:
        return tuple(fields)
    cut = tuple(cut_to(field, common) for field in fields)
    return tuple(fields) if None in cut else tuple(field for field in cut if field is not None)


def cut_to(field: Field, grid: Grid) -> Field | None:
    """The field on *grid*, where that is a part of its own; else None."""
    if field.grid == grid:
        return field
    place = _place(field.grid, grid)
    if place is None:
        return None
    left, top = place
    if left < 0 or top < 0 or left + grid.nx > field.grid.nx or top + grid.ny > field.grid.ny:
        return None
    values = Window(left, top, grid.nx, grid.ny).cut(field.values)
    values.flags.writeable = False
    return replace(field, values=values, grid=grid)


def _common(grids: Sequence[Grid]) -> Grid | None:
    """The rectangle that all have; one of them itself where it is that."""
    first = grids[0]
    left, top, right, bottom = 0, 0, first.nx, first.ny
    for other in grids[1:]:
        place = _place(first, other)
        if place is None:
            return None
        left, top = max(left, place[0]), max(top, place[1])
        right, bottom = min(right, place[0] + other.nx), min(bottom, place[1] + other.ny)
    if right - left < 2 or bottom - top < 2:
        return None
    shape = bottom - top, right - left
    itself = next((grid for grid in grids if grid.shape == shape), None)
    return itself or Window(left, top, right - left, bottom - top).cut_grid(first)


def _place(grid: Grid, other: Grid) -> tuple[int, int] | None:
    """Column and row of *grid* at which *other* begins; None where its points lie elsewhere."""
    if (grid.kind, grid.crs) != (other.kind, other.crs) or grid.cyclic or other.cyclic:
        return None
    same_steps = (
        math.isclose(grid.dx, other.dx, rel_tol=_SAME_STEP),
        math.isclose(grid.dy, other.dy, rel_tol=_SAME_STEP),
    )
    if not all(same_steps):
        return None
    east = other.x0 - grid.x0
    if grid.kind == "latlon":
        east = (east + 180.0) % 360.0 - 180.0
    column, row = east / grid.dx, (other.y0 - grid.y0) / grid.dy
    left, top = round(column), round(row)
    if max(abs(column - left), abs(row - top)) > _SAME_PLACE:
        return None
    return left, top
