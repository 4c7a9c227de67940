"""Smoothing before derivation: the Gaussian that SciPy has, blind to what is missing."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from render_farm.decode.window import Window
from render_farm.derive.smoothing import gaussian, smoothed
from tests.derive.fieldsmith import LAMBERT, LATLON, field


def noise(shape=(60, 80)):
    return np.random.default_rng(7).normal(280, 5, shape).astype(np.float32)


@pytest.mark.parametrize("sigma", [(3.0, 3.0), (6.5, 2.0)])
def test_it_is_the_gaussian_of_scipy(sigma):
    values = noise()
    expected = gaussian_filter(values.astype(float), sigma[::-1], mode="nearest", truncate=4)
    found = gaussian(values, sigma, cyclic=False)
    np.testing.assert_allclose(found, expected, atol=2e-3)
    assert found.dtype == np.float32
    assert found.shape == values.shape


def test_a_grid_round_the_earth_has_no_seam():
    values = noise()
    turned = np.roll(gaussian(np.roll(values, 30, 1), (4.0, 4.0), cyclic=True), -30, 1)
    np.testing.assert_allclose(gaussian(values, (4.0, 4.0), cyclic=True), turned, atol=1e-3)


def test_what_is_missing_stays_missing_and_weighs_nothing():
    values = np.full((40, 40), 280.0, np.float32)
    values[10:14, 5:9] = np.nan
    found = gaussian(values, (3.0, 3.0), cyclic=False)
    assert (np.isnan(found) == np.isnan(values)).all()
    np.testing.assert_allclose(found[np.isfinite(found)], 280.0, atol=1e-3)


def test_kilometres_become_cells_of_the_grid():
    """30 km are ten cells of the Lambert grid's plane, which is smaller there by a few percent."""
    grid = replace(LAMBERT, nx=80, ny=60)
    peak = np.zeros(grid.shape)
    peak[30, 40] = 1.0
    (out,) = smoothed({"value": (field(peak, grid),)}, 30.0)["value"]
    columns = np.arange(80) - 40
    spread = np.sqrt((out.values.sum(0) * columns**2).sum() / out.values.sum())
    east, _ = grid.spacing()
    assert spread * float(east[30, 40]) == pytest.approx(30_000, rel=0.01)
    assert out.grid is grid


def test_a_part_of_a_globe_is_smoothed_as_the_globe_is():
    """30 to 60 degrees north: cells there are of quite another width than those of a part."""
    globe = replace(LATLON, nx=360, ny=181, x0=-180.0, y0=90.0, dx=1.0, dy=-1.0, cyclic=True)
    values = noise(globe.shape)
    window = Window(50, 10, 90, 70)
    part = field(window.cut(values), window.cut_grid(globe))
    (whole,) = smoothed({"value": (field(values, globe),)}, 150.0)["value"]
    (found,) = smoothed({"value": (part,)}, 150.0)["value"]
    inside = slice(12, -12), slice(35, -35)
    np.testing.assert_array_equal(found.values[inside], window.cut(whole.values)[inside])


@pytest.mark.parametrize("latitude", [0, 45, 70])
def test_kilometres_are_kilometres_at_every_latitude(latitude):
    globe = replace(LATLON, nx=360, ny=181, x0=-180.0, y0=90.0, dx=1.0, dy=-1.0, cyclic=True)
    peak = np.zeros(globe.shape)
    peak[90 - latitude, 180] = 1.0
    (out,) = smoothed({"value": (field(peak, globe),)}, 300.0)["value"]
    row = out.values[90 - latitude].astype(float)
    spread = np.sqrt((row * (np.arange(360) - 180) ** 2).sum() / row.sum())
    east, _ = globe.spacing()
    assert spread * float(east[90 - latitude, 0]) == pytest.approx(300_000, rel=0.02)


def test_the_pole_has_one_value_all_around_it():
    globe = replace(LATLON, nx=360, ny=181, x0=-180.0, y0=90.0, dx=1.0, dy=-1.0, cyclic=True)
    (out,) = smoothed({"value": (field(noise(globe.shape), globe),)}, 150.0)["value"]
    assert np.isfinite(out.values).all()
    assert np.ptp(out.values[0]) < 0.5 * np.ptp(out.values[90])


def test_no_smoothing_gives_the_very_fields():
    inputs = {"value": (field(280.0, LATLON),)}
    assert smoothed(inputs, 0.0) is inputs
