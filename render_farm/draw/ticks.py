"""Which values a legend names: round ones, as many as stand side by side. Pure."""

from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from render_farm.domain.scales import Display
from render_farm.draw.numbers import shortest_text
from render_farm.draw.text import text_width

GAP_EM = 0.45

Values = NDArray[np.float64]
Tick = tuple[float, float]  # value in the display unit, column in px


def chosen_ticks(
    display: Display,
    edges: Sequence[int],
    bounds: tuple[float, float],
    size_px: float,
) -> tuple[Tick, ...]:
    """The ticks of one bar, rising.

    edges    column of each level, px
    bounds   columns between which all labels must lie
    size_px  em of the labels
    Takes the display's own ticks (those within its levels), else its levels. Where not all fit:
    of even rows every second, third ... so that the step is round, of uneven ones the roundest.
    Nothing, if not even one label fits.
    """
    inside = [t for t in display.ticks if display.levels[0] <= t <= display.levels[-1]]
    values = np.array(inside or display.levels, np.float64)
    columns = np.interp(values, display.levels, edges)
    widths = np.array([text_width(shortest_text(v), size_px) for v in values])
    lefts, rights = columns - widths / 2, columns + widths / 2

    def fit(picked: Sequence[int]) -> bool:
        return all(lefts[b] - rights[a] >= GAP_EM * size_px for a, b in pairwise(picked))

    usable = [i for i in range(len(values)) if lefts[i] >= bounds[0] and rights[i] <= bounds[1]]
    choose = _evenly if _is_even(values) else _roundest
    picked = choose(values, usable, fit)
    return tuple((float(values[i]), float(columns[i])) for i in picked)


def _evenly(values: Values, usable: list[int], fit: Callable[[Sequence[int]], bool]) -> list[int]:
    """Every n-th of *usable*, n the least that fits and makes a round step; round ones stay."""
    gap = float(values[1] - values[0])
    for stride in range(1, len(values) + 1):
        if stride > 1 and not _is_nice(stride * gap, gap):
            continue
        step = stride * gap
        for offset in sorted(range(stride), key=lambda o: _off(float(values[o]), step)):
            picked = [i for i in usable if i % stride == offset]
            if picked and fit(picked):
                return picked
    return usable[:1]


def _roundest(values: Values, usable: list[int], fit: Callable[[Sequence[int]], bool]) -> list[int]:
    """As many of *usable* as fit, taken in order of roundness."""
    picked: list[int] = []
    for i in sorted(usable, key=lambda i: (*roundness(float(values[i])), i)):
        candidate = sorted([*picked, i])
        if fit(candidate):
            picked = candidate
    return picked


def _is_even(values: Values) -> bool:
    gaps = np.diff(values)
    return bool(gaps.size and np.ptp(gaps) <= 1e-6 * gaps.max())


def _is_nice(step: float, gap: float) -> bool:
    """Whether people count in *step*: 1, 2, 5; in 4 and 8 or 2.5 only where the levels do."""
    extra = {2.0: (4.0,), 4.0: (4.0, 8.0), 2.5: (2.5,)}.get(_mantissa(gap), ())
    return _mantissa(step) in (1.0, 2.0, 5.0, *extra)


def _mantissa(step: float) -> float:
    return float(round(step / 10.0 ** np.floor(np.log10(step) + 1e-9), 6))


def _off(value: float, step: float) -> float:
    """How far *value* is from a multiple of *step*."""
    return abs(value - step * round(value / step))


def roundness(value: float) -> tuple[int, int]:
    """A key that sorts the roundest first: few digits, then powers of ten, fives, twos."""
    digits = shortest_text(abs(value)).replace(".", "").replace(",", "").strip("0")
    return len(digits), {"": 0, "1": 0, "5": 1, "2": 2, "25": 0, "15": 1}.get(digits, 3)
