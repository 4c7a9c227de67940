"""The part of a grid that some boxes need: keeps memory flat where files hold more (HRRR: 30 MB
a product for all of CONUS, 6 MB for one region of it).
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from render_farm.decode.grid import Grid, Part
from render_farm.domain.places import Box

MARGIN_CELLS = 6  # for bicubic kernels and derivatives at the edge of what is shown
_WORTHWHILE = 0.8  # cutting less than a fifth off is not worth a copy
_SAMPLES = 65


@dataclass(frozen=True, slots=True)
class Window:
    """A rectangle of cells. On a cyclic grid left + width may pass nx: the columns wrap."""

    left: int
    top: int
    width: int
    height: int

    def cut_grid(self, grid: Grid) -> Grid:
        """The grid of the rectangle alone; cyclic only where it still goes round the earth."""
        x0 = grid.x0 + self.left * grid.dx
        if grid.kind == "latlon":
            x0 = (x0 + 180.0) % 360.0 - 180.0
        return replace(
            grid,
            nx=self.width,
            ny=self.height,
            x0=x0,
            y0=grid.y0 + self.top * grid.dy,
            cyclic=grid.cyclic and self.width == grid.nx,
            part=Part(grid, self.left, self.top),
        )

    def cut(self, values: NDArray[np.floating]) -> NDArray[np.float32]:
        """The values in the rectangle, a contiguous copy that does not keep the rest alive."""
        rows = values[self.top : self.top + self.height]
        part = np.empty((self.height, self.width), np.float32)
        first = min(self.width, values.shape[1] - self.left)  # of the columns before the wrap
        part[:, :first] = rows[:, self.left : self.left + first]
        part[:, first:] = rows[:, : self.width - first]
        return part


def window_of(grid: Grid, boxes: Iterable[Box]) -> Window | None:
    """The smallest window that holds all boxes with a margin.

    None where the whole grid had better be kept: no boxes, nearly all of it is needed, or none of
    it (the renderer then says that the grid does not reach into the map).
    """
    spans = [_spans(grid, box) for box in boxes]
    if not spans:
        return None
    top = max(min(span[2] for span in spans) - MARGIN_CELLS, 0)
    bottom = min(max(span[3] for span in spans) + MARGIN_CELLS, grid.ny - 1)
    columns = [(span[0] - MARGIN_CELLS, span[1] + MARGIN_CELLS) for span in spans]
    if grid.cyclic:
        left, right = _round_the_earth(columns, grid.nx)
    else:
        left = max(min(first for first, _ in columns), 0)
        right = min(max(last for _, last in columns), grid.nx - 1)
    width, height = right - left + 1, bottom - top + 1
    if width < 2 or height < 2 or width * height > _WORTHWHILE * grid.nx * grid.ny:
        return None
    return Window(left, top, width, height)


def _spans(grid: Grid, box: Box) -> tuple[int, int, int, int]:
    """First and last column and row of a box; on a cyclic grid the columns run on past nx."""
    degrees = (box.east - box.west) % 360.0 or 360.0
    lon = box.west + np.linspace(0, degrees, _SAMPLES)
    lat = np.linspace(box.south, box.north, _SAMPLES)
    columns, rows = grid.index(lon[None, :], lat[:, None])
    if grid.cyclic:
        first = float(columns.flat[0])
        columns = np.array([first, first + degrees / grid.dx])
    columns, rows = columns[np.isfinite(columns)], rows[np.isfinite(rows)]
    if not columns.size or not rows.size:
        return 0, grid.nx - 1, 0, grid.ny - 1
    return (
        int(np.floor(columns.min())),
        int(np.ceil(columns.max())),
        int(np.floor(rows.min())),
        int(np.ceil(rows.max())),
    )


def _round_the_earth(spans: list[tuple[int, int]], nx: int) -> tuple[int, int]:
    """The shortest arc of columns that holds all spans: the circle without its widest gap."""
    if any(last - first + 1 >= nx for first, last in spans):
        return 0, nx - 1
    ordered = sorted((first % nx, first % nx + last - first) for first, last in spans)
    best_gap, best_start = -1, 0
    reach = max(last for _, last in ordered) - nx  # what wraps in from beyond the last column
    for first, last in ordered:
        if first - reach > best_gap:
            best_gap, best_start = first - reach, first
        reach = max(reach, last)
    if best_gap <= 1:
        return 0, nx - 1
    return best_start, best_start + nx - best_gap
