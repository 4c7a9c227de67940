"""Values at places, against numbers worked by hand and an interpolation of its own."""

import math

import numpy as np
import pytest

from render_farm.values.grid import decode, encode
from tests.values.gridsmith import GRIDS, value_grid, waves


def on_disk(*arguments, **options):
    return decode(encode(value_grid(*arguments, **options)))


@pytest.fixture
def square():
    """Corners 0, 1 / 2, 3 at 50 and 49.75 N, 120 and 119.75 W."""
    return on_disk([[0.0, 1.0], [2.0, 3.0]])


@pytest.mark.parametrize(
    ("lat", "lon", "bilinear", "nearest"),
    [
        (50.0, -120.0, 0.0, 0.0),
        (49.75, -119.75, 3.0, 3.0),
        (49.875, -119.875, 1.5, 3.0),
        (50.0, -119.9375, 0.25, 0.0),
        (49.8125, -120.0, 1.5, 2.0),
        (50.0, 240.0, 0.0, 0.0),  # the same place by another count
        (50.1, -120.0, math.nan, 0.0),  # within half a cell of the outermost row
        (50.2, -120.0, math.nan, math.nan),
        (math.nan, -120.0, math.nan, math.nan),
    ],
)
def test_values_at_places(square, lat, lon, bilinear, nearest):
    assert square.value_at(lat, lon) == pytest.approx(bilinear, nan_ok=True)
    assert square.value_at(lat, lon, "nearest") == pytest.approx(nearest, nan_ok=True)


def test_a_missing_neighbour_counts_only_where_it_has_weight():
    grid = on_disk([[5.0, np.nan], [5.0, 5.0]])
    assert math.isnan(grid.value_at(49.9, -119.9))
    assert grid.value_at(49.9, -120.0) == pytest.approx(5.0)
    assert grid.value_at(49.75, -119.9) == pytest.approx(5.0)
    assert math.isnan(grid.value_at(50.0, -119.75, "nearest"))


def test_between_the_last_column_and_the_first_of_a_grid_round_the_earth():
    grid = GRIDS["latlon_cyclic"]
    values = np.zeros(grid.shape, np.float32)
    values[:, 0], values[:, -1] = 10.0, 20.0
    found = on_disk(values, grid)
    assert found.value_at(12.0, -0.5) == pytest.approx(15.0)
    assert found.value_at(12.0, 359.25) == pytest.approx(17.5)


@pytest.mark.parametrize("name", GRIDS)
def test_a_warm_cell_is_found_where_it_lies(name):
    grid = GRIDS[name]
    values = np.full(grid.shape, 270.0, np.float32)
    values[17, 23] = 300.0
    lon, lat = (array[17, 23] for array in grid.lonlat())
    found = on_disk(values, grid)
    assert found.value_at(float(lat), float(lon), "nearest") == pytest.approx(300.0, abs=0.026)
    assert found.value_at(float(lat), float(lon)) == pytest.approx(300.0, abs=0.1)


@pytest.mark.parametrize("name", ["latlon", "lambert_ellipsoid", "polar_south_sphere"])
def test_bilinear_agrees_with_another_interpolation(name):
    from scipy.interpolate import RegularGridInterpolator

    grid = GRIDS[name]
    found = on_disk(waves(grid), grid)
    lon, lat = (array[8:-8:3, 12:-8:3].ravel() + 0.01 for array in grid.lonlat())
    column, row = grid.index(lon, lat)
    axes = np.arange(grid.ny), np.arange(grid.nx)
    reference = RegularGridInterpolator(axes, found.values.astype(float))((row, column))
    got = [found.value_at(float(a), float(o)) for a, o in zip(lat, lon, strict=True)]
    assert got == pytest.approx(reference.tolist(), abs=1e-9)
