"""Totals that grow increment by increment: what one stretch of the run adds to them.

A recipe that is in `INCREMENTS` is a sum from the left, in float32, over its increments: so a sum
kept from an earlier hour can be gone on with and gives the very bits of one that is made anew.
Raise `REVISION` with every change to what an increment is, or kept sums would go on in the old way.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import reduce

from render_farm.derive import snow
from render_farm.derive.derived import Inputs
from render_farm.derive.inputs import array
from render_farm.derive.shapes import Array, DeriveError, InputMissing, require_same_shape
from render_farm.domain.fields import MessageKey

REVISION = 2

Increment = Callable[[Inputs], Array]


def bucket_snow(inputs: Inputs) -> Array:
    """Ten-to-one depth of one bucket, m: amount (kg m-2), snow (part of its time, 0..1)."""
    return snow.depth(_water(inputs))


def kuchera_snow(inputs: Inputs) -> Array:
    """Depth of one increment by Kuchera's ratio, m.

    water, or amount and snow: kg m-2 and 0..1, as `bucket_snow`
    every other role: temperature of one level at the end of the increment, K
    """
    used = {"water", "amount", "snow"}
    temperatures = [array(inputs, role) for role in inputs if role not in used]
    return snow.kuchera(_water(inputs), snow.kuchera_ratio(temperatures))


def _water(inputs: Inputs) -> Array:
    """Water that fell as snow in the increment, kg m-2."""
    if inputs.get("water"):
        return array(inputs, "water")
    return snow.water_of(array(inputs, "amount"), array(inputs, "snow"))


INCREMENTS: dict[str, Increment] = {
    "snow_from_buckets": bucket_snow,
    "snow_kuchera": kuchera_snow,
}


def total(inputs: Inputs, increment: Increment) -> Array:
    """The sum over all increments of the inputs, one field of every role each.

    returns  (y, x) float32; NaN where any increment is NaN
    raises   DeriveError for fields that do not make consecutive increments, InputMissing for none
    """
    require_increments({role: [f.key for f in fields] for role, fields in inputs.items()})
    count = len(next(iter(inputs.values())))
    each = ({role: (fields[k],) for role, fields in inputs.items()} for k in range(count))
    return reduce(plus, map(increment, each))


def plus(so_far: Array | None, more: Array) -> Array:
    """The sum gone on with; None: it begins. A new array, float32; ShapeMismatch."""
    if so_far is None:
        return more
    require_same_shape(total=so_far, increment=more)
    return so_far + more


def require_increments(keys: Mapping[str, Sequence[MessageKey]]) -> None:
    """Raise DeriveError unless the messages of all roles make consecutive increments.

    Every role has one message for each, those over a window share it and meet end to end (nothing
    is counted twice or left out), instants lie at its end. InputMissing where there is none.
    """
    if not any(keys.values()):
        raise InputMissing("there is no increment to add up")
    counts = {role: len(of_role) for role, of_role in keys.items()}
    if len(set(counts.values())) > 1:
        raise DeriveError(f"not every role has as many fields: {counts}")
    end_h: int | None = None
    for each in zip(*keys.values(), strict=True):
        windows = {(key.start_h, key.end_h) for key in each if key.start_h < key.end_h}
        if len(windows) > 1 or len({key.end_h for key in each}) > 1:
            names = ", ".join(str(key) for key in each)
            raise DeriveError(f"these are of different windows: {names}")
        for first_h, last_h in windows:
            if end_h is not None and first_h != end_h:
                raise DeriveError(f"after hour {end_h} of the sum comes hour {first_h}")
            end_h = last_h
