"""Values that cannot be: refuse a field rather than draw a lie, and take packing noise off.

eccodes decodes flipped data bytes to numbers like 1e10 without an error, so what comes out of a
message is checked against wide physical limits of its parameter, and against the jumps that a
smooth one can have. And a field that is the same everywhere, of a quantity that never is so, was
not forecast but filled in.
"""

import numpy as np
from numpy.typing import NDArray

from render_farm.decode.grid import Grid
from render_farm.decode.jumps import spikes
from render_farm.decode.limits import can_be_everywhere, least_spread, limits_of
from render_farm.decode.smoothness import smoothness
from render_farm.domain.fields import MessageKey


class BadValues(ValueError):
    """The values of a message cannot be true."""


UNMATCHED = 8.0  # times the third highest value that sticks out; windows of 24 x 24 reach 4
_OF_ONE_DAMAGE = 2
ENOUGH_TO_VARY = 64  # points; fewer may by chance be equal to the precision of their packing


def require_possible(low: float, high: float, points: int, key: MessageKey) -> None:
    """Refuse a message whose values cannot be true.

    low, high  of the values that are not missing; NaN where all are
    points     values of the message, missing ones included
    raises     BadValues: all missing, infinite, beyond the parameter's limits, or all the same
               where the parameter cannot be
    """
    if np.isnan(low):
        raise BadValues("every value is missing")
    limits = limits_of(key)
    for extreme in (low, high):
        if not limits.lowest <= extreme <= limits.highest:
            raise BadValues(
                f"a value of {extreme:.6g} is outside the possible"
                f" {limits.lowest:g}..{limits.highest:g}"
            )
    if low == high and points >= ENOUGH_TO_VARY and not can_be_everywhere(low, key):
        raise BadValues(f"all {points} points have the value {low:.6g}, which cannot be")
    if high - low < least_spread(key, points):
        raise BadValues(
            f"all {points} points lie between {low:.6g} and {high:.6g}, which cannot be"
        )


def require_smooth(values: NDArray[np.float32], grid: Grid, key: MessageKey) -> None:
    """Refuse a field with a value that stands alone, where the parameter is smooth.

    values  (ny, nx) contiguous, on *grid*, missing = NaN: what is shown, no more
    raises  BadValues, with the place of the highest such value
    """
    limits = smoothness(key, grid.cell_km)
    if limits is None:
        return
    for spike in spikes(values, min(limits.alone, limits.at_most, limits.unmatched)):
        if spike.height <= limits.at_most and (
            spike.height <= limits.times * spike.spread
            or (spike.height <= limits.alone and _is_matched(spike.height, values))
        ):
            continue
        value, place = float(values[spike.row, spike.column]), f"{spike.row}, {spike.column}"
        raise BadValues(
            f"a value of {value:.6g} at row and column {place} stands {spike.height:.4g} beyond"
            f" all around it, which lie within {spike.spread:.4g}"
        )


def _is_matched(height: float, values: NDArray[np.float32]) -> bool:
    """Whether others stick out likewise. Two may be of one damage: a byte can be part of two."""
    others = spikes(values, height / UNMATCHED)
    return len(others) > _OF_ONE_DAMAGE


def take_noise_off(values: NDArray[np.float32], key: MessageKey) -> None:
    """Set what packing left beyond the parameter's floor or ceiling to it, in place; NaN stays."""
    limits = limits_of(key)
    if limits.floor is not None:
        np.maximum(values, np.float32(limits.floor), out=values)
    if limits.ceiling is not None:
        np.minimum(values, np.float32(limits.ceiling), out=values)
