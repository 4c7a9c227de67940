"""A value grid: the field behind a frame, as an array with its place on earth.

`encode` makes the bytes of a file of it, `decode` takes them back. The format is described byte by
byte in docs/value-grids.md.
"""

import math
from dataclasses import dataclass
from typing import Literal

import deflate
import numpy as np
from numpy.typing import NDArray

from render_farm.decode.grid import Grid
from render_farm.decode.plane import Kind
from render_farm.domain import valuegrid
from render_farm.domain.valuegrid import Contents, GridHeader, Header, PlaneHeader, ValueGridError
from render_farm.values import residuals
from render_farm.values.steps import coding

_LARGEST = float(np.finfo(np.float32).max)
VALUES, CATEGORY = "values", "category"
MEDIAN = "median"
# All of HRRR: libdeflate takes 11 ms and 481 kB, zlib as small grids have it 29 and 460 (mean of
# twenty-one products). A region's grid costs a millisecond either way.
LARGE_CELLS, LARGE_LEVEL = 500_000, 2
_KINDS: dict[str, Kind] = {
    kind: kind for kind in ("latlon", "mercator", "polar_stereographic", "lambert")
}


@dataclass(frozen=True, slots=True)
class About:
    """What a value grid shows; all texts as in the manifest and the catalog."""

    model: str
    cycle: str  # "2026012912"
    hour: int
    valid_time: str  # "2026-01-29T18:00Z"
    region: str
    product: str
    unit: str  # SI
    title: str = ""
    quantity: str = ""  # key of the scale that colours it
    notice: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class ValueGrid:
    """One field over one region.

    values    (ny, nx) float32, SI, row 0 north, column 0 west, NaN where missing
    step      values are exact to half of it
    category  (ny, nx) uint8 or None: what labels[k] falls there; 0 none or unknown
    """

    about: About
    grid: Grid
    values: NDArray[np.float32]
    step: float
    category: NDArray[np.uint8] | None = None
    labels: tuple[str, ...] = ()

    def value_at(
        self, lat: float, lon: float, method: Literal["bilinear", "nearest"] = "bilinear"
    ) -> float:
        """The value at a place, SI; NaN off the grid and where the field is missing.

        lat, lon  degrees, longitude of any convention
        bilinear  between the four cells around; NaN if one that counts is missing
        nearest   that of the closest cell, up to half a cell outside the outermost ones
        """
        column, row = (float(index) for index in self.grid.index(lon, lat))
        if not (math.isfinite(column) and math.isfinite(row)):
            return math.nan
        if method == "nearest":
            return self._cell(math.floor(column + 0.5), math.floor(row + 0.5))
        left, top = math.floor(column), math.floor(row)
        right, lower = column - left, row - top
        weights = (
            (left, top, (1 - right) * (1 - lower)),
            (left + 1, top, right * (1 - lower)),
            (left, top + 1, (1 - right) * lower),
            (left + 1, top + 1, right * lower),
        )
        return math.fsum(weight * self._cell(c, r) for c, r, weight in weights if weight > 0)

    def _cell(self, column: int, row: int) -> float:
        ny, nx = self.grid.shape
        if self.grid.cyclic:
            column %= nx
        if not (0 <= column < nx and 0 <= row < ny):
            return math.nan
        return float(self.values[row, column])


def encode(grid: ValueGrid) -> bytes:
    """The file of a value grid, the same for equal ones; what is not finite becomes missing.

    The file's step is that of *grid*, or coarser where 16 bits do not hold the range of the values,
    or where the values lie on a coarser lattice and so stay exact (see `steps.coding`).
    ValueError where arrays and grid differ in shape.
    """
    if grid.values.shape != grid.grid.shape:
        raise ValueError(f"values are {grid.values.shape}, their grid is {grid.grid.shape}")
    present = np.isfinite(grid.values)
    whole = bool(present.all())
    scale, offset = coding(grid.values if whole else grid.values[present], grid.step)
    planes = {VALUES: residuals.to_bytes(_codes(grid.values, present, scale, offset))}
    headers = [
        PlaneHeader(
            name=VALUES,
            bytes=2,
            predictor=MEDIAN,
            scale=scale,
            offset=offset,
            missing=valuegrid.MISSING,
        )
    ]
    if grid.category is not None:
        if grid.category.shape != grid.grid.shape:
            raise ValueError(f"categories are {grid.category.shape}, not {grid.grid.shape}")
        planes[CATEGORY] = np.ascontiguousarray(grid.category, np.uint8).tobytes()
        headers.append(PlaneHeader(name=CATEGORY, bytes=1, labels=grid.labels))
    large = grid.values.size >= LARGE_CELLS
    return valuegrid.pack(_header(grid, tuple(headers)), planes, _packed_fast if large else None)


def _codes(
    values: NDArray[np.float32], present: NDArray[np.bool_], scale: float, offset: float
) -> NDArray[np.uint16]:
    """Values as steps, worked out some rows at a time: of all of HRRR, float64 is 15 MB."""
    codes = np.empty(values.shape, np.uint16)
    height = max(residuals.BAND_CELLS // values.shape[1], 1)
    for top in range(0, len(values), height):
        rows = slice(top, top + height)
        exact = np.where(present[rows], values[rows], np.float64(offset))
        exact -= offset
        exact /= scale
        codes[rows] = np.rint(exact, out=exact)
    codes[~present] = valuegrid.MISSING
    return codes


def _packed_fast(data: bytes) -> bytes:
    return bytes(deflate.zlib_compress(data, LARGE_LEVEL))


def decode(data: bytes) -> ValueGrid:
    """The value grid of a file; ValueGridError with one sentence for what is none or damaged."""
    contents = valuegrid.unpack(data)
    header, grid = contents.header, _grid(contents.header.grid)
    plane = _plane(header, VALUES, size=2, predictor=MEDIAN)
    codes = residuals.from_bytes(contents.planes[VALUES], grid.shape)
    exact = plane.offset + plane.scale * codes.astype(np.float64)
    values = np.clip(exact, -_LARGEST, _LARGEST).astype(np.float32)
    if plane.missing is not None:
        values[codes == plane.missing] = np.nan
    category, labels = _category(contents, grid)
    about = About(**{name: getattr(header, name) for name in About.__slots__})
    return ValueGrid(about, grid, values, plane.scale, category, labels)


def _header(grid: ValueGrid, planes: tuple[PlaneHeader, ...]) -> Header:
    about = {name: getattr(grid.about, name) for name in About.__slots__}
    about = {name: value for name, value in about.items() if value != ""}
    place = {name: getattr(grid.grid, name) for name in GridHeader.model_fields}
    return Header(**about, grid=GridHeader(**place), planes=planes)


def _grid(header: GridHeader) -> Grid:
    kind = _KINDS.get(header.kind)
    if kind is None:
        raise ValueGridError(f"grids of the kind {header.kind!r} are not known here")
    if header.dx <= 0 or header.dy >= 0:
        raise ValueGridError("the cells of the grid do not run east and south")
    return Grid(**{**header.model_dump(), "kind": kind})


def _plane(header: Header, name: str, *, size: int, predictor: str) -> PlaneHeader:
    plane = next((plane for plane in header.planes if plane.name == name), None)
    if plane is None:
        raise ValueGridError(f"the value grid has no plane {name!r}")
    if (plane.bytes, plane.predictor) != (size, predictor):
        raise ValueGridError(
            f"the plane {name!r} of {plane.bytes} bytes a cell, predictor {plane.predictor!r},"
            " is not known here"
        )
    return plane


def _category(contents: Contents, grid: Grid) -> tuple[NDArray[np.uint8] | None, tuple[str, ...]]:
    if CATEGORY not in contents.planes:
        return None, ()
    plane = _plane(contents.header, CATEGORY, size=1, predictor="none")
    category = np.frombuffer(contents.planes[CATEGORY], np.uint8).reshape(grid.shape)
    return category, plane.labels
