from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from render_farm.domain.scales import Display
from render_farm.draw.layout import layout
from render_farm.draw.legend import LegendBar, legend
from render_farm.draw.numbers import shortest_text
from render_farm.draw.text import text_width
from render_farm.draw.ticks import chosen_ticks, roundness


def bar(levels, *, under="", over=None, ticks=(), label="", unit="mm/h"):
    display = Display(
        unit=unit,
        levels=levels,
        anchors=((levels[0], "#ffffff"), (levels[-1], "#000000")),
        under=under,
        over=over,
        ticks=ticks,
    )
    return LegendBar(label, unit, display)


RISING = st.lists(st.integers(-4000, 4000), min_size=2, max_size=90, unique=True).map(
    lambda values: tuple(sorted(v / 20 for v in values))
)
BARS = st.lists(
    st.builds(
        bar,
        RISING,
        under=st.sampled_from(["", "#123456"]),
        over=st.sampled_from(["", "#654321", None]),
        label=st.sampled_from(["", "rain", "precipitation, type unknown"]),
        unit=st.sampled_from(["mm/h", "°F"]),
    ),
    min_size=1,
    max_size=5,
)


@given(bars=BARS, width=st.integers(1000, 3000))
@settings(max_examples=60, deadline=None)
def test_swatches_are_the_painted_bins_each_once_in_order(bars, width):
    plan = layout(width, width * 3 // 4)
    swatches = legend(bars, (width, plan.footer.height), plan.scale).swatches

    right = 0
    for index, wanted in enumerate(bars):
        last = len(wanted.display.levels)
        bins = list(range(1, last))
        bins = ([0] if wanted.display.under else []) + bins
        bins += [last] if wanted.display.over != "" else []
        own = [swatch for swatch in swatches if swatch.bar_index == index]
        assert list(dict.fromkeys(swatch.bin_index for swatch in own)) == bins
        assert len({(s.rect.top, s.bin_index) for s in own}) == len(own)
        boxes = [s.rect for s in own if 0 < s.bin_index < last]
        assert all(a.right == b.left for a, b in pairwise(boxes))
        assert all(box.width > 0 and box.height > 0 for box in boxes)
        assert min(s.rect.left for s in own) >= right  # bars stand side by side
        right = max(s.rect.right for s in own)
    assert right <= width


def test_boxes_of_a_legend_have_one_width_where_pixels_allow():
    for count in (6, 22, 78):
        one = bar(tuple(float(v) for v in range(count)), over="")
        swatches = legend([one], (1600, 104), 1.0).swatches

        assert len({swatch.rect.width for swatch in swatches}) == 1


def test_a_pointed_end_tapers_away_from_the_bar():
    drawn = legend([bar((0.0, 1.0, 2.0), under="#123456")], (1600, 104), 1.0)
    point = [s.rect for s in drawn.swatches if s.bin_index == 0]
    box = next(s.rect for s in drawn.swatches if s.bin_index == 1)
    widths = [rect.width for rect in point]

    assert len(point) == box.height
    assert {rect.right for rect in point} == {box.left}
    assert widths.index(max(widths)) in (box.height // 2 - 1, box.height // 2)
    assert widths[0] == widths[-1] == 1


@given(
    levels=RISING,
    width=st.integers(120, 3000),
    size=st.floats(8, 30),
    own=st.booleans(),
)
@settings(deadline=None)
def test_tick_labels_are_levels_and_never_collide(levels, width, size, own):
    display = bar(levels, ticks=levels[::2] if own else ()).display
    edges = [round(e) for e in np.linspace(40, 40 + width, len(levels))]
    ticks = chosen_ticks(display, edges, (2, width + 78), size)

    spans = []
    for value, x in ticks:
        assert value in (display.ticks or levels)
        assert x == edges[levels.index(value)]
        half = text_width(shortest_text(value), size) / 2
        spans.append((x - half, x + half))
    assert all(a[1] < b[0] for a, b in pairwise(spans))
    assert all(a >= 2 and b <= width + 78 for a, b in spans)
    assert [value for value, _ in ticks] == sorted(value for value, _ in ticks)


@pytest.mark.parametrize(("width", "step"), [(1500, 5), (900, 5), (700, 10), (330, 20)])
def test_even_levels_get_round_steps(width, step):
    """-40..46 by 1, as 850 hPa temperature without ticks of its own."""
    levels = tuple(float(v) for v in range(-40, 47))
    edges = [round(e) for e in np.linspace(20, 20 + width, len(levels))]
    values = [v for v, _ in chosen_ticks(bar(levels).display, edges, (0, width + 40), 16)]

    assert 0 in values
    assert {b - a for a, b in pairwise(values)} <= {1, 2, 5, 10, 20}
    assert max(b - a for a, b in pairwise(values)) <= step
    assert all(value % (values[1] - values[0]) == 0 for value in values)


def test_uneven_levels_keep_their_roundest():
    levels = (0.01, 0.1, 0.25, 0.5, 1.0, 1.5, 2.5, 4.0, 6.0, 10.0, 16.0, 24.0)
    edges = [20 + 23 * i for i in range(len(levels))]
    values = [v for v, _ in chosen_ticks(bar(levels).display, edges, (0, 400), 16)]

    assert {1.0, 10.0} <= set(values)
    assert len(values) >= 5


def test_ticks_outside_the_levels_are_not_shown():
    display = bar((0.0, 10.0, 20.0), ticks=(-10.0, 0.0, 20.0, 30.0)).display

    assert [v for v, _ in chosen_ticks(display, [100, 200, 300], (0, 400), 16)] == [0, 20]


def test_powers_of_ten_are_rounder_than_fives_and_twos():
    values = [35, 3, 2, 5, 100, 0, 12.5]

    assert sorted(values, key=roundness) == [0, 100, 5, 2, 3, 35, 12.5]


def test_every_shipped_scale_names_values_at_every_size(scales):
    for scale in scales.values():
        for display in (scale.imperial, scale.metric):
            for width, height in ((1600, 1200), (800, 600), (400, 300)):
                plan = layout(width, height)
                size = (width, plan.footer.height)
                one = legend([LegendBar("", display.unit, display)], size, plan.scale)
                bottom = max(swatch.rect.bottom for swatch in one.swatches)

                assert one.ink[bottom + 2 :].any(), f"{scale.key} at {width} px"


def test_a_common_unit_is_named_once_and_different_ones_with_each_bar():
    levels = (0.0, 1.0, 2.0)
    common = legend([bar(levels, label="rain"), bar(levels, label="snow")], (1600, 104), 1.0)
    mixed = legend(
        [bar(levels, label="rain"), bar(levels, label="snow", unit="in")], (1600, 104), 1.0
    )
    beside = max(swatch.rect.right for swatch in common.swatches) + 4
    top = common.swatches[0].rect.top

    assert common.ink[top : top + 18, beside:].any()
    assert not mixed.ink[top : top + 18, max(s.rect.right for s in mixed.swatches) + 4 :].any()


def test_no_legend_is_no_ink():
    drawn = legend([], (800, 64), 0.6)

    assert drawn.swatches == ()
    assert not drawn.ink.any()


def test_nothing_points_beyond_a_closed_scale():
    display = Display(unit="%", levels=(0, 50, 100), colours=("#ff0000", "#00ff00"), closed=True)

    drawn = legend([LegendBar("", "%", display)], (800, 104), 1.0)

    assert [swatch.bin_index for swatch in drawn.swatches] == [1, 2]


@pytest.mark.parametrize("width", [1700, 1600, 800, 400])
def test_names_of_five_bars_are_written_in_full(width, scales):
    """The names' ink is as wide as their text: none was cut to dots."""
    kinds = ("unknown", "rain", "snow", "sleet", "freezing_rain")
    bars = [
        LegendBar(scale.title, scale.imperial.unit, scale.imperial)
        for scale in (scales[f"rate_{kind}"] for kind in kinds)
    ]
    plan = layout(width, width * 3 // 4)
    drawn = legend(bars, (width, plan.footer.height), plan.scale)

    top = min(swatch.rect.top for swatch in drawn.swatches)
    lefts = [min(s.rect.left for s in drawn.swatches if s.bar_index == k) for k in range(5)]
    size_px = max(8.5, 15.5 * plan.scale)
    for one, left, end in zip(bars, lefts, [*lefts[1:], width], strict=True):
        inked = np.flatnonzero(drawn.ink[: top - 1, left - 1 : end - 2].any(axis=0))
        assert np.ptp(inked) + 1 == pytest.approx(text_width(one.label, size_px), abs=3)


@pytest.mark.parametrize("units", ["imperial", "metric"])
def test_the_outermost_ticks_of_shipped_scales_are_not_clipped(units, scales):
    for key, scale in scales.items():
        display = getattr(scale, units)
        for width in (1700, 800, 400):
            plan = layout(width, width * 3 // 4)
            size = (width, plan.footer.height)
            drawn = legend([LegendBar("", display.unit, display)], size, plan.scale)

            assert not drawn.ink[:, [0, -1]].any(), (key, width)


def test_a_tick_stands_where_its_bin_begins():
    levels = tuple(float(v) for v in range(11))
    drawn = legend([bar(levels, over="", ticks=levels)], (1600, 104), 1.0)

    boxes = [swatch.rect for swatch in drawn.swatches]
    marked = np.flatnonzero(drawn.ink[boxes[0].bottom + 1] > 0)
    assert marked.tolist() == [*(box.left for box in boxes), boxes[-1].right - 1]
