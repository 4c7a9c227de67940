import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from render_farm.domain.layers import LineLayer
from render_farm.draw import contours, extrema, linelabels, strokes
from render_farm.draw.contours import LatticeField, isolines, levels_between
from render_farm.draw.linelabels import Occupied, place_labels

PRESSURE = LineLayer(field="mslp", unit="hPa", factor=0.01, step=4)


def bowl(depth_pa=2000.0, size=(101, 141), centre=(70.0, 50.0), step=8):
    """A round low of 980 hPa on a lattice, pressure rising with the square of the distance."""
    rows, columns = np.mgrid[0 : size[0], 0 : size[1]]
    distance = np.hypot(columns - centre[0], rows - centre[1])
    values = (98000 + depth_pa * (distance / 40) ** 2).astype(np.float32)
    return LatticeField(values, values, -2 * step, step)


def test_an_isoline_runs_where_the_field_has_its_value():
    """Around the low 984 hPa lies at 40 lattice steps times the root of 400/2000."""
    field = bowl()

    (ring,) = [line for line in isolines(field, PRESSURE) if line.level == 984]

    middle = np.array([70, 50]) * 8 - 16
    distance = np.hypot(*(ring.points - middle).T)
    np.testing.assert_allclose(distance, 40 * 8 * np.sqrt(0.2), atol=0.5)


@given(
    low=st.floats(90000, 104000),
    spread=st.floats(0, 8000),
    step=st.sampled_from([1.0, 2.0, 4.0, 5.0]),
)
def test_levels_are_the_multiples_between_the_extremes(low, spread, step):
    layer = LineLayer(field="mslp", unit="hPa", factor=0.01, step=step)

    levels = levels_between(layer, low, low + spread)

    assert all(level % step == 0 for level in levels)
    assert all(low * 0.01 - 1e-9 <= level <= (low + spread) * 0.01 + 1e-9 for level in levels)
    assert len(levels) in {int(spread * 0.01 / step), int(spread * 0.01 / step) + 1}


def test_a_field_that_would_be_all_lines_is_refused():
    with pytest.raises(ValueError, match="too many"):
        levels_between(LineLayer(field="mslp", unit="Pa", step=1), 90000, 104000)


def test_lines_part_their_colours_at_the_split():
    layer = LineLayer(field="z", unit="dam", step=6, split=540, colours=("#0000ff", "#ff0000"))

    assert contours.colour_of(layer, 540) == "#0000ff"
    assert contours.colour_of(layer, 546) == "#ff0000"


def test_a_low_is_marked_once_where_it_lies_with_its_unsmoothed_value():
    field = bowl()
    raw = field.values - 150
    field = LatticeField(field.values, raw, field.origin, field.step)

    (low,) = extrema.centres(field, PRESSURE, (1000, 700), 1.0)

    assert (low.kind, low.x, low.y) == ("L", 70 * 8 - 16, 50 * 8 - 16)
    assert low.value == pytest.approx(978.5)


def test_a_centre_at_the_edge_of_the_map_is_not_marked():
    assert extrema.centres(bowl(centre=(4.0, 50.0)), PRESSURE, (1000, 700), 1.0) == []


def test_two_minima_of_one_low_are_marked_once_at_the_deeper():
    one, other = bowl(centre=(70.0, 50.0)), bowl(centre=(78.0, 50.0))
    values = np.minimum(one.values, other.values + 40)
    field = LatticeField(values, values, -16, 8)

    (low,) = extrema.centres(field, PRESSURE, (1000, 700), 1.0)

    assert (low.x, low.y) == (70 * 8 - 16, 50 * 8 - 16)


def test_no_centre_is_marked_where_the_field_is_missing_or_ends():
    field = bowl()
    missing = np.zeros(field.values.shape, bool)
    missing[:, :67] = True  # three steps, 24 px, beside the low

    beside = LatticeField(field.values, field.raw, field.origin, field.step, missing)
    assert extrema.centres(beside, PRESSURE, (1000, 700), 1.0) == []
    away = LatticeField(field.values, field.raw, field.origin, field.step, np.zeros_like(missing))
    assert len(extrema.centres(away, PRESSURE, (1000, 700), 1.0)) == 1


def test_a_ripple_is_no_centre_and_neither_is_a_flat_field():
    assert extrema.centres(bowl(depth_pa=60.0), PRESSURE, (1000, 700), 1.0) == []
    flat = np.full((101, 141), 101300, np.float32)
    assert extrema.centres(LatticeField(flat, flat, -16, 8), PRESSURE, (1000, 700), 1.0) == []


def test_labels_keep_apart_and_within_the_map():
    lines = isolines(bowl(depth_pa=9000.0), PRESSURE)
    rect = (1000, 700)

    labels = [label for _, label in place_labels(lines, rect, Occupied(), 1.0)]

    assert len(labels) > 8
    for k, label in enumerate(labels):
        assert 20 < label.x < rect[0] - 20
        assert 20 < label.y < rect[1] - 20
        assert -65 <= label.angle <= 65  # on its side 996 would be read as 966
        for other in labels[:k]:
            assert np.hypot(label.x - other.x, label.y - other.y) > 40


def test_nothing_is_written_on_what_is_already_there():
    occupied = Occupied()
    occupied.take(500, 350, 2000)

    assert place_labels(isolines(bowl(), PRESSURE), (1000, 700), occupied, 1.0) == []


def test_a_label_stands_in_a_gap_of_its_line():
    ink, halo = np.zeros((2, 80, 120), np.uint8)
    line = np.array([[0.0, 40.0], [119.0, 40.0]])
    strokes.draw_lines(ink, [line], 2.0, dashed=False, scale=1.0)
    label = linelabels.Label("1012", 60.0, 40.0, 0.0)

    linelabels.cut_gap(ink, label, 1.0)
    assert ink[40, 50:70].max() == 0
    assert ink[40, 5:25].min() > 100

    linelabels.draw_label(ink, halo, label, 1.0)
    written = np.argwhere(ink[30:50, 35:85] > 128)
    assert np.abs(written.mean(axis=0) - [10, 25]).max() < 2
    assert (halo >= ink)[30:50, 42:78].all()


def test_labels_prefer_the_stretches_that_are_read_without_turning_the_head():
    """A small ring has easy places: it is never labelled on its side."""
    for ring in isolines(bowl(), PRESSURE)[:1]:
        labels = [label for _, label in place_labels([ring], (1000, 700), Occupied(), 1.0)]
        assert labels
        assert all(-50 <= label.angle <= 50 for label in labels)


def test_a_long_steep_stretch_is_labelled_too():
    """Level for 300 px, then straight down for 1200."""
    points = [[float(x), 100.0] for x in range(100, 401, 5)]
    points += [[400.0, float(y)] for y in range(105, 1301, 5)]
    line = contours.Isoline(1008.0, np.array(points))

    labels = [label for _, label in place_labels([line], (1000, 1400), Occupied(), 1.0)]

    assert any(label.y == 100 for label in labels)
    assert any(label.y > 500 for label in labels)
    rows = sorted(label.y for label in labels if label.x == 400)
    assert all(np.diff(rows) > 400)


def test_a_label_has_a_true_minus():
    field = LatticeField(bowl().values - 98600, bowl().raw - 98600, -16, 8)
    layer = LineLayer(field="omega", unit="Pa/s", levels=[-400.5])

    labels = [
        label for _, label in place_labels(isolines(field, layer), (1000, 700), Occupied(), 1)
    ]

    assert {label.text for label in labels} == {"\u2212400.5"}


def test_a_claimed_box_is_covered_to_its_corners():
    occupied = Occupied()
    occupied.take_box(100, 50, 190, 74)

    for x, y in ((100, 50), (190, 50), (100, 74), (190, 74), (145, 50), (130, 74), (145, 62)):
        assert not occupied.free(x, y, 0.5)
    assert occupied.free(145, 100, 5)
    assert occupied.free(90, 62, 1)


def test_a_label_stands_level_on_a_line_that_rises_steeply():
    steep = contours.Isoline(996.0, np.array([[500.0, y] for y in range(0, 701, 5)]))

    labels = [label for _, label in place_labels([steep], (1000, 700), Occupied(), 1.0)]

    assert labels
    assert all(label.angle == 0 for label in labels)


def test_a_flat_low_is_marked_once():
    deep = bowl()
    values = np.maximum(deep.values, deep.values.min() + 30)
    assert (values == values.min()).sum() > 4

    (low,) = extrema.centres(LatticeField(values, values, -16, 8), PRESSURE, (1000, 700), 1.0)

    assert np.hypot(low.x - (70 * 8 - 16), low.y - (50 * 8 - 16)) < 40
