"""Pixel maps, each computed once per (grid, viewport, lattice, refinement) and kept on disk.

All workers map the files into memory and share their pages.
"""

from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
import pyproj
from numpy.typing import NDArray

from render_farm.draw import mapfile
from render_farm.draw.coordinates import SourceGrid
from render_farm.draw.pixelmap import EVERY_PIXEL, VERSION, Lattice, PixelMap, compute
from render_farm.draw.viewport import Viewport

OPEN_BYTES = 256_000_000  # of maps that one worker keeps mapped; opening costs 3 ms for checksums
RESIDENT_BYTES = 20_000_000  # of those, the last used ones, that count as its memory


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
