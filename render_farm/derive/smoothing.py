"""Smoothing of fields before something is derived from them.

On a fine grid the steps of GRIB packing are steep: HRRR temperatures come in sixteenths of a
kelvin, which is 1 K in 100 km between two columns 6 km apart, more than most fronts have.
"""

from dataclasses import replace
from typing import TYPE_CHECKING

import cv2
import numpy as np

from render_farm.derive.derived import Inputs
from render_farm.derive.shapes import Array

if TYPE_CHECKING:
    from render_farm.decode.fields import Field

_REACH = 4  # standard deviations, beyond which a Gaussian is nothing


def smoothed(inputs: Inputs, sigma_km: float) -> Inputs:
    """Every field of *inputs*, smoothed by a Gaussian of standard deviation *sigma_km*; 0: as is.

    Missing values stay missing and weigh nothing; at the grid's edge its last values go on.
    """
    if sigma_km <= 0:
        return inputs
    return {role: tuple(_field(f, sigma_km) for f in fields) for role, fields in inputs.items()}


def gaussian(values: Array, sigma: tuple[float, float], *, cyclic: bool) -> Array:
    """Smooth (y, x) float32 by standard deviations along x and y, in cells."""
    wrapped = min(int(_REACH * sigma[0]) + 1, values.shape[1]) if cyclic else 0
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


def _blur(values: Array, sigma: tuple[float, float]) -> Array:
    width, height = (2 * int(_REACH * cells + 0.5) + 1 for cells in sigma)
    blurred = cv2.GaussianBlur(
        values, (width, height), sigmaX=sigma[0], sigmaY=sigma[1], borderType=cv2.BORDER_REPLICATE
    )
    return np.asarray(blurred, np.float32)


def _field(field: "Field", sigma_km: float) -> "Field":
    grid = field.grid
    if grid.kind == "latlon":
        middle = grid.ny // 2, grid.nx // 2
        cell_m = tuple(float(spacing[middle]) for spacing in grid.spacing())
    else:  # a picture must not depend on what else the field was cut for, and scales are near 1
        cell_m = grid.dx, -grid.dy
    sigma = 1000 * sigma_km / cell_m[0], 1000 * sigma_km / cell_m[1]
    return replace(field, values=gaussian(field.values, sigma, cyclic=grid.cyclic))
