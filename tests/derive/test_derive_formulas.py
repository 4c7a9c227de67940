"""Formulas against independent numbers, and what must hold for all of them."""

import metpy.calc as mpcalc
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from metpy.units import units
from pyproj import Proj

from render_farm.derive import increments, precipitation, pressure, snow, wind
from render_farm.derive.shapes import DeriveError, ShapeMismatch
from render_farm.domain.recipes import TYPES
from tests.derive.fieldsmith import LAMBERT, array

SPEEDS = st.floats(-120, 120, width=32)
AMOUNTS = arrays(np.float32, (3, 4), elements=st.floats(0, 500, width=32))


@given(SPEEDS, SPEEDS)
def test_speed_is_that_of_metpy(u, v):
    expected = mpcalc.wind_speed(u * units("m/s"), v * units("m/s")).m
    assert wind.speed(array([u]), array([v]))[0, 0] == pytest.approx(expected, rel=1e-5, abs=1e-5)


def test_speed_is_missing_where_a_component_is():
    assert np.isnan(wind.speed(array([np.nan]), array([3.0])))[0, 0]


@given(SPEEDS, SPEEDS, st.floats(-3.25, 3.25, width=32))
def test_turning_a_wind_keeps_its_speed(u, v, angle):
    east, north = wind.to_earth(array([u]), array([v]), array([angle]))
    assert np.hypot(east, north)[0, 0] == pytest.approx(np.hypot(u, v), rel=1e-4, abs=1e-4)


def test_hrrr_winds_turn_as_noaa_says():
    """Angle sin(38.5 deg) (lon + 97.5 deg): 20 degrees west of it, 12.45 degrees."""
    angle = np.sin(np.radians(38.5)) * np.radians(-20.0)
    east, north = wind.to_earth(array([0.0]), array([10.0]), array([angle]))
    assert east[0, 0] == pytest.approx(10 * np.sin(angle), abs=1e-5)
    assert (east[0, 0], north[0, 0]) == (
        pytest.approx(-2.156, abs=1e-3),
        pytest.approx(9.765, abs=1e-3),
    )


def test_a_wind_along_the_grid_blows_where_proj_says_it_blows():
    """Both components followed over ground for a second, by the inverse projection."""
    plane = Proj(LAMBERT.crs)
    u, v = 7.0, -3.0
    x, y = LAMBERT.x0, LAMBERT.y0
    lon, lat = plane(x, y, inverse=True)
    further_lon, further_lat = plane(x + u, y + v, inverse=True)
    expected = np.array([(further_lon - lon) * np.cos(np.radians(lat)), further_lat - lat])
    expected *= np.hypot(u, v) / np.hypot(*expected)

    rotation = LAMBERT.rotation()[:1, :1]
    east, north = wind.to_earth(array([u]), array([v]), rotation)

    np.testing.assert_allclose([east[0, 0], north[0, 0]], expected, atol=1e-3)


def test_a_window_is_the_difference_of_totals():
    total, earlier = array([5.0, 3.0]), array([2.0, 3.2])
    np.testing.assert_allclose(precipitation.window(total, earlier), [[3, 0]])


def test_totals_that_shrink_by_more_than_noise_are_of_two_runs():
    with pytest.raises(precipitation.MixedRuns, match="0.5 mm"):
        precipitation.window(array([5.0, 2.7]), array([2.0, 3.2]))


@given(AMOUNTS, AMOUNTS)
def test_a_window_never_falls_below_zero_and_adds_up(earlier, more):
    window = precipitation.window(earlier + more, earlier)
    assert (window >= 0).all()
    np.testing.assert_allclose(window, more, atol=1e-3)


def test_a_mean_rate_is_amount_by_time():
    """6 mm in 6 hours are 1 mm/h."""
    rate = precipitation.mean_rate(array([6.0]), 6 * 3600)
    assert rate[0, 0] * 3600 == pytest.approx(1)
    with pytest.raises(DeriveError):
        precipitation.mean_rate(array([6.0]), 0)


YES, NO = array([1.0]), array([0.0])
EVERYWHERE = np.array([[True]])


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        ({"rain": YES}, "rain"),
        ({"rain": YES, "snow": YES}, "snow"),
        ({"rain": YES, "snow": YES, "sleet": YES}, "sleet"),
        ({"freezing_rain": YES, "rain": YES, "snow": YES, "sleet": YES}, "freezing_rain"),
        ({"freezing_rain": YES, "snow": YES}, "freezing_rain"),
        ({"freezing_rain": NO, "snow": YES}, "snow"),
        ({"rain": array([np.nan]), "snow": YES}, "snow"),
    ],
)
def test_the_type_that_is_worst_to_be_out_in_wins(flags, expected):
    found = precipitation.category(flags, EVERYWHERE)
    assert TYPES[found[0, 0] - 1] == expected
    assert found.dtype == np.uint8


def test_no_flag_is_an_unknown_type_and_no_rate_is_none():
    assert precipitation.category({"rain": NO}, EVERYWHERE)[0, 0] == 0
    assert precipitation.category({"rain": YES}, ~EVERYWHERE)[0, 0] == 0
    assert precipitation.category({"rain": YES}, None)[0, 0] == 1
    assert precipitation.category({"rain": YES, "snow": array([np.nan])}, None)[0, 0] == 0
    with pytest.raises(DeriveError):
        precipitation.category({}, None)


def test_ten_millimetres_of_water_are_ten_centimetres_of_snow():
    assert snow.depth(array([10.0]))[0, 0] == pytest.approx(0.1)


def test_snow_counts_the_part_of_a_bucket_in_which_it_snowed():
    """8 mm a quarter snow: 2 mm of water, 2 cm."""
    water = snow.water_of(array([8.0]), array([0.25]))
    assert snow.depth(water)[0, 0] == pytest.approx(0.02)


def test_thickness_is_the_difference_of_heights():
    assert pressure.thickness(array([5640.0]), array([120.0]))[0, 0] == 5520


def test_shapes_must_agree():
    one, two = array([1.0]), array([1.0, 2.0])
    for call in (
        lambda: wind.speed(one, two),
        lambda: wind.to_earth(one, one, two),
        lambda: precipitation.window(one, two),
        lambda: precipitation.category({"rain": one, "snow": two}, None),
        lambda: snow.water_of(one, two),
        lambda: snow.kuchera(one, two),
        lambda: increments.plus(one, two),
        lambda: pressure.thickness(one, two),
    ):
        with pytest.raises(ShapeMismatch, match=r"\(1, 1\).*\(1, 2\)|\(1, 2\).*\(1, 1\)"):
            call()


def test_inputs_are_never_changed():
    amount, part = array([4.0]), array([0.5])
    for each in (amount, part):
        each.flags.writeable = False
    increments.plus(snow.water_of(amount, part), amount)
    precipitation.window(amount, part)
