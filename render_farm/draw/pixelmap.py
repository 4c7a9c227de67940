"""For every pixel of a map the place in the source grid it takes its value from.

Where the coordinates come from is the business of `coordinates`; that a map is computed but once,
that of `mapstore`.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from render_farm.draw.coordinates import Locator, SourceGrid, cells_per_px, coordinates
from render_farm.draw.viewport import Viewport

VERSION = 7  # of this computation; part of the key of every file that keeps one
MARGIN_CELLS = 4  # around the cells that pixels lie in: a bicubic kernel, and its refinement
MAX_REFINED_CELLS = 1_300_000  # a refined window stays in the processor's cache
MIN_REFINEMENT = 7
MAX_REFINEMENT = 21

Float = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Lattice:
    """The pixels that are wanted: every *step*-th, from *margin* pixels outside the map rectangle.

    `Lattice(1, 0)` is every pixel of the map.
    """

    step: int = 1
    margin: int = 0

    def columns(self, viewport: Viewport) -> Float:
        """Pixel columns, float64, relative to the map rectangle."""
        return np.arange(
            -self.margin, viewport.rect.width + self.margin, self.step, dtype=np.float64
        )

    def rows(self, viewport: Viewport) -> Float:
        """Pixel rows, likewise."""
        return np.arange(
            -self.margin, viewport.rect.height + self.margin, self.step, dtype=np.float64
        )


EVERY_PIXEL = Lattice()


@dataclass(frozen=True, slots=True, eq=False)
class PixelMap:
    """Where pixels take their values.

    left, top, width, height  window of the source grid in cells; on a cyclic grid the columns may
                 run below 0 or beyond the last and mean the wrapped ones
    refine       the window is to be enlarged this many times before it is sampled (1: not at all)
    columns, rows   float32 (h, w): coordinates in the (refined) window for cv2.remap
    outside      uint8 (h, w), 255 where the grid does not reach; None where it reaches everywhere
    cells_per_px  source cells that one pixel spans, the larger of the two directions
    """

    left: int
    top: int
    width: int
    height: int
    refine: int
    columns: NDArray[np.float32]
    rows: NDArray[np.float32]
    outside: NDArray[np.uint8] | None
    cells_per_px: float

    @property
    def nbytes(self) -> int:
        """Size of the arrays."""
        return self.columns.nbytes + self.rows.nbytes

    def within(self, grid: SourceGrid) -> "PixelMap | None":
        """This map of a whole grid as a map of its part *grid*; None where that lacks cells."""
        if grid.part is None:
            return self
        left, top = self.left - grid.part.left, self.top - grid.part.top
        if grid.part.whole.cyclic:
            left %= grid.part.whole.nx
        fits_columns = 0 <= left <= grid.nx - self.width or grid.cyclic
        if not fits_columns or not 0 <= top <= grid.ny - self.height:
            return None
        return replace(self, left=left, top=top)

    def window(self, values: NDArray[Any]) -> NDArray[Any]:
        """The cells of *values* (ny, nx) that the map needs, as one contiguous array."""
        nx = values.shape[1]
        rows = values[self.top : self.top + self.height]
        if self.left >= 0 and self.left + self.width <= nx:
            return np.ascontiguousarray(rows[:, self.left : self.left + self.width])
        return rows.take(np.arange(self.left, self.left + self.width), axis=1, mode="wrap")


def compute(
    grid: SourceGrid, viewport: Viewport, lattice: Lattice = EVERY_PIXEL, *, refined: bool = False
) -> PixelMap:
    """Project every pixel of *lattice* into *grid*; ValueError where none lies on it."""
    wanted_c, wanted_r = lattice.columns(viewport), lattice.rows(viewport)
    locate = Locator(grid, viewport)
    columns, rows = coordinates(locate, wanted_c, wanted_r)
    with np.errstate(invalid="ignore"):
        on_grid = (rows >= -0.5) & (rows <= grid.ny - 0.5)
        if not grid.cyclic:
            on_grid &= (columns >= -0.5) & (columns <= grid.nx - 0.5)
    if not on_grid.any():
        raise ValueError("the grid does not reach into the map")
    outside = None if on_grid.all() else np.where(on_grid, np.uint8(0), np.uint8(255))
    left, right = _span(columns, on_grid)
    top, bottom = _span(rows, on_grid)
    left, right = left - MARGIN_CELLS, right + MARGIN_CELLS
    top, bottom = max(top - MARGIN_CELLS, 0), min(bottom + MARGIN_CELLS, grid.ny - 1)
    if not grid.cyclic:
        left, right = max(left, 0), min(right, grid.nx - 1)
    width, height = right - left + 1, bottom - top + 1
    cells = cells_per_px(columns, rows, lattice.step)
    refine = _refinement(cells, width * height) if refined else 1
    # Refined cell j of cell i: cv2.resize puts centres at (j + 0.5) / refine - 0.5.
    for array, origin in ((columns, left), (rows, top)):
        np.subtract(array, origin - 0.5, out=array)
        np.multiply(array, refine, out=array)
        np.subtract(array, 0.5, out=array)
        np.nan_to_num(array, copy=False, nan=0.0, posinf=0.0, neginf=0.0)
    return PixelMap(
        left=left,
        top=top,
        width=width,
        height=height,
        refine=refine,
        columns=columns.astype(np.float32),
        rows=rows.astype(np.float32),
        outside=outside,
        cells_per_px=cells,
    )


def _span(coordinates: Float, where: NDArray[np.bool_]) -> tuple[int, int]:
    """First and last cell; without a copy of what may be 15 MB."""
    low = coordinates.min(where=where, initial=np.inf)
    high = coordinates.max(where=where, initial=-np.inf)
    return int(np.floor(low)), int(np.ceil(high))


def _refinement(cells_per_px: float, window_cells: int) -> int:
    """How often a window is enlarged before bilinear sampling takes the place of bicubic.

    Between bicubic samples n to the cell, linear interpolation errs by at most 1/(8 n^2) of the
    second difference; below `MIN_REFINEMENT` that is not small, and bicubic remap is as cheap.
    Odd, so that the points of the grid are among the finer ones: bilinear sampling of what was
    enlarged bilinearly then is bilinear sampling.
    """
    by_pixels = int(1 / cells_per_px)
    by_size = int((MAX_REFINED_CELLS / window_cells) ** 0.5)
    refine = min(by_pixels, by_size, MAX_REFINEMENT)
    refine -= 1 - refine % 2
    return refine if refine >= MIN_REFINEMENT else 1
