"""Isolines for a map: closer on a small region than on a continent, in the legend's unit. Pure.

A product's step and smoothing are meant for maps of `USUAL_KM` and more. On a map of 200 km at
most one isobar in 4 hPa would pass, smoothed beyond recognition. Both follow from the region
alone, never from the field, so they are the same in every hour, run and model.
"""

from render_farm.domain.layers import LineLayer
from render_farm.domain.scales import Display

USUAL_KM = 900.0  # of the shorter side
SMOOTHED_SHARE = 0.05  # of the shorter side: the widest smoothing that leaves shapes on the map


def layer_at(layer: LineLayer, span_km: float) -> LineLayer:
    """*layer* as it is drawn on a map whose shorter side spans *span_km*."""
    changes: dict[str, float] = {}
    if layer.step is not None and span_km < USUAL_KM:
        changes["step"] = closer_step(layer.step, span_km / USUAL_KM)
    widest = SMOOTHED_SHARE * span_km
    if layer.smooth_km > widest:
        changes["smooth_km"] = widest
    return layer.model_copy(update=changes) if changes else layer


def closer_step(step: float, share: float) -> float:
    """The smallest whole part of *step* that is not below *share* of it.

    A whole number is parted into whole numbers (6 into 3, 2, 1), any other into halves.
    """
    if step == int(step):
        return min(
            float(part)
            for part in range(1, int(step) + 1)
            if step % part == 0 and part >= share * step
        )
    while step > 0 and step / 2 >= share * step and share < 0.5:
        step, share = step / 2, share * 2
    return step


def counted_in(layer: LineLayer, display: Display) -> LineLayer:
    """*layer* in the unit of *display*, where it parts the very field that is filled.

    So a map in °C has its freezing line at 0. Lines by step stay: theirs would not be round.
    """
    if layer.field != "fill" or layer.step is not None or layer.unit == display.unit:
        return layer

    def shown(value: float) -> float:
        si = (value - layer.offset) / layer.factor
        return float(f"{round(si * display.factor + display.offset, 6):.5g}")

    changes = {
        "unit": display.unit,
        "factor": display.factor,
        "offset": display.offset,
        "levels": tuple(shown(level) for level in layer.levels),
        "split": None if layer.split is None else shown(layer.split),
    }
    return layer.model_copy(update=changes)
