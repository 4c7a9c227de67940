"""Smoothing of fields before something is derived from them.

On a fine grid the steps of GRIB packing are steep: HRRR temperatures come in sixteenths of a
kelvin, which is 1 K in 100 km between two columns 6 km apart, more than most fronts have.
"""

from dataclasses import replace
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

from render_farm.derive.derived import Inputs
from render_farm.derive.shapes import Array

if TYPE_CHECKING:
    from render_farm.decode.fields import Field

REACH = 4  # standard deviations, beyond which a Gaussian is nothing
_WIDEST_DEG = 45.0  # of longitude: with its reach once round the earth

Sigmas = NDArray[np.float64]


def smoothed(inputs: Inputs, sigma_km: float) -> Inputs:
    """Every field of *inputs*, smoothed by a Gaussian of standard deviation *sigma_km*; 0: as is.

    Missing values stay missing and weigh nothing; at the grid's edge its last values go on.
    """
    if sigma_km <= 0:
        return inputs
    return {role: tuple(_field(f, sigma_km) for f in fields) for role, fields in inputs.items()}


def gaussian(values: Array, sigma: tuple[float | Sigmas, float], *, cyclic: bool) -> Array:
    """Smooth (y, x) float32 by standard deviations along x and y, in cells.

    sigma  along x one for all, or (y,) one for each row, as the cells of a lat/lon grid differ
    """
    widest = float(np.max(sigma[0]))
    wrapped = min(int(REACH * widest) + 1, values.shape[1]) if cyclic else 0
    wide = np.pad(values, ((0, 0), (wrapped, wrapped)), mode="wrap") if wrapped else values
    known = np.isfinite(wide)
    if known.all():
        out = _blur(wide, sigma)
    else:
        weight = _blur(known.astype(np.float32), sigma)
        total = _blur(np.where(known, wide, np.float32(0)), sigma)
        with np.errstate(invalid="ignore", divide="ignore"):
            out = np.where(known, total / weight, np.float32(np.nan))
    result: Array = out[:, wrapped : wrapped + values.shape[1]]
    return result


def _blur(values: Array, sigma: tuple[float | Sigmas, float]) -> Array:
    along_x, along_y = sigma
    if isinstance(along_x, float):
        return _blurred(values, along_x, along_y)
    out = _blurred(values, 0.0, along_y)
    for row, cells in enumerate(along_x.tolist()):
        out[row : row + 1] = _blurred(out[row : row + 1], cells, 0.0)
    return out


def _blurred(values: Array, along_x: float, along_y: float) -> Array:
    """By one Gaussian; 0 leaves a direction as it is."""
    width, height = (2 * int(REACH * cells + 0.5) + 1 for cells in (along_x, along_y))
    found = cv2.GaussianBlur(
        values,
        (width, height),
        sigmaX=along_x or 1.0,  # of a single cell any will do, but cv2 takes 0 for "guess"
        sigmaY=along_y or 1.0,
        borderType=cv2.BORDER_REPLICATE,
    )
    return np.asarray(found, np.float32)


def _field(field: "Field", sigma_km: float) -> "Field":
    """A picture must not depend on what else its fields were cut for: no cell speaks for all."""
    grid = field.grid
    along_x: float | Sigmas
    if grid.kind == "latlon":
        east, north = (spacing[:, 0].astype(np.float64) for spacing in grid.spacing())
        along_x = 1000 * sigma_km / np.maximum(east, 1.0)  # at a pole it has no width
        along_x = np.minimum(along_x, _WIDEST_DEG / grid.dx)
        along_y = 1000 * sigma_km / float(north[0])
    else:  # scales of conformal projections are near 1
        along_x, along_y = 1000 * sigma_km / grid.dx, 1000 * sigma_km / -grid.dy
    return replace(field, values=gaussian(field.values, (along_x, along_y), cyclic=grid.cyclic))
