import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from render_farm.domain.layers import LineLayer
from render_farm.draw import contours, extrema, linelabels
from render_farm.draw.contours import LatticeField, distance_along, isolines, levels_between
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


def test_dashes_have_their_length_and_lie_on_the_line():
    angle = np.linspace(0, 1.5 * np.pi, 400)
    line = 200 * np.stack([np.cos(angle), np.sin(angle)], axis=-1)

    dashes = list(contours.dashes(line, 9.0, 5.0))

    assert len(dashes) == int(np.ceil(distance_along(line)[-1] / 14))
    for dash in dashes[:-1]:
        assert distance_along(dash)[-1] == pytest.approx(9.0, abs=1e-6)
        assert np.abs(np.hypot(*dash.T) - 200).max() < 0.01


def test_the_border_of_an_area_is_drawn_along_it_and_specks_are_not():
    above = np.zeros((60, 80), bool)
    above[:, 40:] = True
    above[10, 10] = True

    drawn = contours.edge_coverage(above)

    assert drawn[30].argmax() in {39, 40}
    assert drawn[:, 36:44].max(axis=1).min() > 140
    assert drawn[:, :36].max() == 0
    assert drawn[:, 44:].max() == 0


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
    contours.draw_lines(ink, [line], 2.0, dashed=False, scale=1.0)
    label = linelabels.Label("1012", 60.0, 40.0, 0.0)

    linelabels.cut_gap(ink, label, 1.0)
    assert ink[40, 50:70].max() == 0
    assert ink[40, 5:25].min() > 100

    linelabels.draw_label(ink, halo, label, 1.0)
    written = np.argwhere(ink[30:50, 35:85] > 128)
    assert np.abs(written.mean(axis=0) - [10, 25]).max() < 2
    assert (halo >= ink)[30:50, 42:78].all()


def test_a_ring_is_drawn_whole():
    angle = np.append(np.linspace(0, 2 * np.pi, 200, endpoint=False), 0.0)
    ring = np.stack([100 + 70 * np.cos(angle), 100 + 70 * np.sin(angle)], axis=-1)
    canvas = np.zeros((200, 200), np.uint8)

    contours.draw_lines(canvas, [ring], 2.0, dashed=False, scale=1.0)

    for turn in np.linspace(0, 2 * np.pi, 720):
        x, y = (np.rint(100 + 70 * part).astype(int) for part in (np.cos(turn), np.sin(turn)))
        assert canvas[y - 1 : y + 2, x - 1 : x + 2].max() > 150


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


@pytest.mark.parametrize("width", [1.0, 1.5, 1.8, 2.0, 2.6])
def test_a_line_is_as_wide_as_asked_in_fractions_of_a_pixel(width):
    canvas = np.zeros((60, 400), np.uint8)

    contours.draw_lines(
        canvas, [np.array([[0.0, 30.0], [399.0, 30.0]])], width, dashed=False, scale=1.0
    )

    def drawn(whole):
        alone = np.zeros((60, 400), np.uint8)
        line = [np.array([[0.0, 30.0], [399.0, 30.0]])]
        contours.draw_lines(alone, line, whole, dashed=False, scale=1.0)
        return alone[:, 200].sum() / 255

    low, high = int(width), int(width) + 1
    share = width - low
    expected = drawn(low) * (1 - share) + drawn(high) * share
    assert canvas[:, 200].sum() / 255 == pytest.approx(expected, abs=0.35)


def test_a_flat_low_is_marked_once():
    deep = bowl()
    values = np.maximum(deep.values, deep.values.min() + 30)
    assert (values == values.min()).sum() > 4

    (low,) = extrema.centres(LatticeField(values, values, -16, 8), PRESSURE, (1000, 700), 1.0)

    assert np.hypot(low.x - (70 * 8 - 16), low.y - (50 * 8 - 16)) < 40
