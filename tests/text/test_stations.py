from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from render_farm.domain.layers import StationValues
from render_farm.domain.places import Station
from render_farm.domain.style import Style
from render_farm.draw.layout import Rect
from render_farm.draw.numbers import MINUS
from render_farm.draw.stations import (
    LabelStyle,
    box_size,
    draw_stations,
    label_style,
    place,
    station_text,
    widest_text,
)
from render_farm.draw.text import text_size

STYLE = LabelStyle(size_px=17)


def written(spots, texts, rect, style):
    """Ink and halo of the texts on fresh canvases."""
    ink, halo = (np.zeros((rect.height, rect.width), np.uint8) for _ in range(2))
    draw_stations(ink, halo, spots, texts, style)
    return ink, halo


def as_pixels(longitude, latitude):
    """A projection for tests: ten pixels a degree, inf where the latitude is above 80."""
    y = np.where(latitude > 80, np.inf, (80 - latitude) * 10)
    return (longitude + 180) * 10, y


def apart(a, b):
    return a.right <= b.left or b.right <= a.left or a.bottom <= b.top or b.bottom <= a.top


STATIONS = st.lists(
    st.builds(
        Station,
        name=st.text("abc", min_size=1, max_size=3),
        latitude=st.floats(0, 85),
        longitude=st.floats(-180, -90),
        rank=st.integers(1, 3),
    ),
    max_size=60,
)


@given(
    stations=STATIONS,
    width=st.integers(30, 600),
    height=st.integers(30, 500),
    widest=st.sampled_from(["8", "−40", "0.25", "16,000"]),
    size=st.floats(9, 40),
    data=st.data(),
)
@settings(max_examples=60, deadline=None)
def test_labels_never_overlap_and_never_cross_the_frame(
    stations, width, height, widest, size, data
):
    style, rect = LabelStyle(size_px=size), Rect(0, 50, width, 50 + height)
    spots = place(stations, as_pixels, rect, widest, style)
    texts = [data.draw(st.sampled_from(["", widest, "8"])) for _ in spots]
    ink, halo = written(spots, texts, rect, style)

    assert all(apart(a.box, b.box) for a, b in combinations(spots, 2))
    outside = np.ones((height, width), bool)
    for spot in spots:
        box = spot.box
        assert 0 <= box.left < box.right <= width
        assert 0 <= box.top < box.bottom <= height
        outside[box.top : box.bottom, box.left : box.right] = False
    assert not halo[outside].any()
    assert not ink[outside].any()


@given(STATIONS, st.randoms(use_true_random=False))
@settings(deadline=None)
def test_the_order_of_the_list_does_not_matter(stations, random):
    shuffled = list(stations)
    random.shuffle(shuffled)
    rect = Rect(0, 0, 900, 800)

    one, other = (place(s, as_pixels, rect, "−40", STYLE) for s in (stations, shuffled))

    assert [spot.station for spot in one] == [spot.station for spot in other]


def test_the_lower_rank_wins_where_two_are_close():
    rect = Rect(0, 0, 900, 800)
    town = Station(name="Town", latitude=40, longitude=-130, rank=30)
    city = Station(name="City", latitude=40.5, longitude=-130, rank=10)

    spots = place([town, city], as_pixels, rect, "−40", STYLE)

    assert [spot.station.name for spot in spots] == ["City"]


def test_the_text_is_centred_on_the_place():
    """Ten pixels a degree, (0, 0) the centre of the first pixel: this place is pixel 500, 400."""
    rect, station = Rect(0, 0, 900, 800), Station(name="X", latitude=40, longitude=-130)
    spots = place([station], as_pixels, rect, "88", STYLE)
    ink, halo = written(spots, ["88"], rect, STYLE)
    rows, columns = np.nonzero(ink)

    assert (rows.min() + rows.max()) / 2 == pytest.approx(400, abs=1)
    assert (columns.min() + columns.max()) / 2 == pytest.approx(500, abs=1)
    assert (halo >= ink).all()
    assert halo[0:380].any() == np.False_


def test_places_off_the_projection_are_left_out():
    station = Station(name="Pole", latitude=85, longitude=-130)

    assert place([station], as_pixels, Rect(0, 0, 900, 800), "8", STYLE) == ()


def test_a_text_wider_than_its_box_is_not_written():
    rect, station = Rect(0, 0, 900, 800), Station(name="X", latitude=40, longitude=-130)
    spots = place([station], as_pixels, rect, "8", STYLE)

    assert not written(spots, ["123456"], rect, STYLE)[0].any()


def test_placing_again_gives_the_kept_answer():
    rect, station = Rect(0, 0, 900, 800), Station(name="X", latitude=40, longitude=-130)

    assert place([station], as_pixels, rect, "8", STYLE) is place(
        [station], as_pixels, rect, "8", STYLE
    )


RAIN = StationValues(decimals=1, small_below=0.1, small_decimals=2, hide_below=0.005)


@pytest.mark.parametrize(
    ("value", "spec", "text"),
    [
        (31.6, StationValues(), "32"),
        (-0.4, StationValues(), "0"),
        (-12.3, StationValues(), "−12"),
        (0.004, RAIN, ""),
        (0.005, RAIN, "0.01"),
        (0.034, RAIN, "0.03"),
        (0.0949, RAIN, "0.09"),
        (0.0996, RAIN, "0.1"),
        (0.14, RAIN, "0.1"),
        (2.26, RAIN, "2.3"),
        (float("nan"), RAIN, ""),
        (float("inf"), StationValues(), ""),
        (14250, StationValues(), "14,250"),
    ],
)
def test_station_values_have_the_precision_of_their_product(value, spec, text):
    assert station_text(value, spec) == text


SPECS = st.builds(
    StationValues,
    decimals=st.integers(0, 3),
    small_below=st.sampled_from([0.0, 0.1, 1.0]),
    small_decimals=st.integers(0, 3),
    hide_below=st.sampled_from([None, 0.0, 0.05]),
)


@given(st.floats(allow_nan=True, allow_infinity=True), SPECS)
def test_no_station_ever_shows_a_negative_zero(value, spec):
    text = station_text(value, spec)

    assert "-" not in text
    assert not (text.startswith(MINUS) and not text.strip(f"{MINUS}0.,"))


@pytest.mark.parametrize("units", ["imperial", "metric"])
def test_all_values_of_a_product_fit_the_box_of_its_widest_text(products, scales, units):
    style = label_style(1.0)
    for product in products.values():
        if product.stations is None:
            continue
        display = scales[product.scales["fill"]].display(Style(units=units))
        values = product.stations.in_units(units)
        widest = widest_text(display, values, style)
        for value in np.linspace(display.levels[0], display.levels[-1], 400):
            text = station_text(float(value), values)
            assert (
                text_size(text, style.size_px, style.weight)[0]
                <= (text_size(widest, style.size_px, style.weight)[0])
            )


def test_the_box_holds_text_and_halo():
    width, height = text_size("−40", STYLE.size_px, STYLE.weight)

    box = box_size("−40", STYLE)

    assert width + 6 == box[0]
    assert height + 6 <= box[1] <= height + 10
    assert box_size("16,000", STYLE)[1] > box[1]  # the comma hangs
