"""For every pixel of a map the place in the source grid it takes its value from.

Computed once per (grid, viewport, lattice, refinement) and kept on disk, memory-mapped by all
workers. Where the coordinates come from is the business of `coordinates`.
"""

from collections import OrderedDict
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyproj
from numpy.typing import NDArray

from render_farm.draw import mapfile
from render_farm.draw.coordinates import Locator, SourceGrid, cells_per_px, coordinates
from render_farm.draw.projection import Viewport

VERSION = 7  # of this computation; part of the key of every file
MARGIN_CELLS = 4  # around the cells that pixels lie in: a bicubic kernel, and its refinement
OPEN_BYTES = 256_000_000  # of maps that one worker keeps mapped; opening costs 3 ms for checksums
RESIDENT_BYTES = 20_000_000  # of those, the last used ones, that count as its memory
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


class PixelMaps:
    """Pixel maps of one cache directory; the last few used stay open."""

    def __init__(self, directory: str | Path) -> None:
        self._directory = Path(directory)
        self._open: OrderedDict[str, PixelMap] = OrderedDict()

    def release(self) -> None:
        """Let go of all maps: between jobs they need not count as this worker's memory."""
        self._open.clear()

    def get(
        self,
        grid: SourceGrid,
        viewport: Viewport,
        lattice: Lattice = EVERY_PIXEL,
        *,
        refined: bool = False,
    ) -> PixelMap:
        """The map of *grid* seen through *viewport*: from memory, else disk, else computed.

        refined  coarse grids are enlarged before they are sampled, see `sampling`
        ValueError: no pixel of the map lies on the grid.
        A cache that cannot be written costs time, not the frame. The parts of a grid share the
        map of the whole: a job of fewer regions cuts its fields otherwise.
        """
        if grid.part is None:
            return self._of(grid, viewport, lattice, refined=refined)
        whole = self._of(grid.part.whole, viewport, lattice, refined=refined)
        return whole.within(grid) or self._of(grid, viewport, lattice, refined=refined)

    def _of(
        self, grid: SourceGrid, viewport: Viewport, lattice: Lattice, *, refined: bool
    ) -> PixelMap:
        key = mapfile.file_key(
            "pixelmap",
            VERSION,
            np.__version__,
            pyproj.__version__,
            pyproj.__proj_version__,
            grid.digest,
            viewport.key,
            lattice,
            refined,
        )
        found = self._open.get(key)
        if found is None:
            found = self._load_or_compute(key, grid, viewport, lattice, refined=refined)
            self._open[key] = found
            while len(self._open) > 1 and sum(m.nbytes for m in self._open.values()) > OPEN_BYTES:
                self._open.popitem(last=False)
        self._open.move_to_end(key)
        self._rest()
        return found

    def _rest(self) -> None:
        """Let the pages go of all maps but the last used: a map of each region is 17 MB."""
        resident = 0
        for number, pixels in enumerate(reversed(self._open.values())):
            resident += pixels.nbytes
            if number and resident > RESIDENT_BYTES:
                mapfile.rest(pixels.columns)

    def _load_or_compute(
        self, key: str, grid: SourceGrid, viewport: Viewport, lattice: Lattice, *, refined: bool
    ) -> PixelMap:
        path = self._directory / f"{key}.pixelmap"
        stored = mapfile.load(path)
        if stored is not None:
            return _from_file(*stored)
        computed = compute(grid, viewport, lattice, refined=refined)
        arrays: dict[str, NDArray[Any]] = {"columns": computed.columns, "rows": computed.rows}
        if computed.outside is not None:
            arrays["outside"] = computed.outside
        names = ("left", "top", "width", "height", "refine", "cells_per_px")
        try:
            mapfile.save(path, {name: getattr(computed, name) for name in names}, arrays)
        except OSError:
            return computed
        mapfile.drop_unused(self._directory, "*.pixelmap")
        again = mapfile.load(path)  # mapped: the pages are shared with the other workers
        return computed if again is None else _from_file(*again)


def _from_file(meta: dict[str, Any], arrays: mapfile.Arrays) -> PixelMap:
    return PixelMap(
        **meta, columns=arrays["columns"], rows=arrays["rows"], outside=arrays.get("outside")
    )


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
