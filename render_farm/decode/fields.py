"""What decoding gives: a field, or why there is none."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from render_farm.decode.grid import Grid
from render_farm.domain.fields import MessageKey
from render_farm.domain.jobs import Reason


@dataclass(frozen=True, slots=True, eq=False)
class Field:
    """The values of one message.

    values  (ny, nx) float32, row 0 north, column 0 west, missing = NaN, read-only
    units   of the values, SI, as GRIB defines them ("kg m-2")
    earth_relative  of wind components: eastward and northward; else along the grid's axes
    offset  byte of its file at which its message begins; with the key it names one message even
            where a file holds a key twice
    """

    values: NDArray[np.float32]
    key: MessageKey
    grid: Grid
    units: str
    earth_relative: bool
    offset: int = 0


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a message could not be read, with one plain sentence for people."""

    reason: Reason
    detail: str
