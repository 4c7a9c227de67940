"""How finely a field is kept: what its quantity deserves, or what its message was packed with.

GRIB stores X = (R + k 2^E) / 10^D. Where that step is no finer than the quantity deserves, keeping
the same step keeps every value as it was; where it is finer (GFS temperatures: 0.01 K), the
difference is noise that would only cost bytes.
"""

import math
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from render_farm.domain.scales import Scale

CODES = 65535  # 0..65534; the next one means missing
STEPS = {
    "K": 0.05,
    "m/s": 0.1,
    "m s-1": 0.1,
    "Pa": 1.0,
    "gpm": 1.0,
    "kg m-2": 0.01,
    "kg m-2 s-1": 1e-6,
    "dBZ": 0.25,
    "%": 1.0,
    "J kg-1": 1.0,
    "s-1": 5e-7,
    "K s-1": 2e-6,
}
_BINS = 20  # of other quantities: so many steps in the narrowest bin of the legend
_SAMPLE = 4096
_ALIGNED = 2.0**40  # steps from zero up to which a multiple of the step is exact enough
_AT_ONCE = 1 << 16  # values: their float64 copies stay in the processor's cache

Float = NDArray[np.floating]


def step_of(scale: Scale) -> float:
    """The step that values of a quantity are kept with, in its SI unit, > 0.

    From the table by unit; of other units a twentieth of the narrowest bin of either display,
    rounded down to 1, 2 or 5 times a power of ten. The same whichever units a site displays.
    """
    known = STEPS.get(scale.si_unit)
    if known is not None:
        return known
    wanted = min(
        (high - low) / abs(display.factor) / _BINS
        for display in (scale.imperial, scale.metric)
        for low, high in pairwise(display.levels)
    )
    power = 10.0 ** math.floor(math.log10(wanted) + 1e-9)
    return max(nice for nice in (1, 2, 5) if nice * power <= wanted * (1 + 1e-9)) * power


def coding(present: Float, step: float) -> tuple[float, float]:
    """(scale, offset) for values that are all finite: value = offset + scale * code.

    present  float32 or float64, any shape, may be empty
    step     > 0: what is asked for. The scale is coarser only where 16 bits do not hold the range,
             or where the values lie on a coarser lattice anyway and so are kept exactly.
    """
    if not present.size:
        return step, 0.0
    low, high = float(present.min()), float(present.max())
    packed = packed_step(present)
    if packed is not None and packed > step * (1 - 1e-9) and (high - low) / packed < CODES - 1:
        return packed, low
    offset = math.floor(low / step) * step if abs(low) < step * _ALIGNED else low
    if (high - offset) / step < CODES - 1:
        return step, offset  # multiples of the step: equal values have equal codes in every hour
    return max(step, (high - low) / (CODES - 1)), low


def packed_step(present: Float) -> float | None:
    """The step 2^E / 10^D on whose lattice, counted from the lowest, all values lie.

    present  float32 or float64, not empty, as read from float32: it may be off by its rounding
    None where there is no such step, or where rounding hides it.
    """
    flat = present.ravel()
    ordered = np.unique(flat[:: max(1, flat.size // _SAMPLE)].astype(np.float64))
    if ordered.size < 2:
        return None
    smallest = float(np.diff(ordered).min())
    lowest, highest = float(flat.min()), float(flat.max())
    rounding = 2.0**-23 * max(abs(lowest), abs(highest))
    if not smallest > 4 * rounding:
        return None
    for decimal in range(-2, 9):
        step = 2.0 ** round(math.log2(smallest * 10.0**decimal)) / 10.0**decimal
        if abs(step - smallest) <= 2 * rounding and all(
            _on_lattice(some, lowest, step, 2 * rounding) for some in (ordered, flat)
        ):
            return step
    return None


def _on_lattice(values: Float, origin: float, step: float, tolerance: float) -> bool:
    """Whether all values lie that near to the lattice of *step* that begins at *origin*."""
    for start in range(0, values.size, _AT_ONCE):
        counts = (values[start : start + _AT_ONCE].astype(np.float64) - origin) / step
        counts -= np.rint(counts)
        if not float(np.abs(counts, out=counts).max()) * step <= tolerance:
            return False
    return True
