import numpy as np
import pytest

from render_farm.domain.layers import HatchLayer
from render_farm.draw.hatching import hatch_coverage, strokes
from render_farm.draw.pixelmap import compute
from render_farm.draw.sampling import Sampled, sample
from render_farm.draw.viewport import Viewport

CIN = HatchLayer(field="cin", unit="J/kg", below=-50)


def field(values, missing=None):
    """A sampled field of these values at the pixels."""
    low, high = np.nanmin(values), np.nanmax(values)
    step = max((high - low) / 65535, 1e-6)
    codes = np.rint(np.nan_to_num((values - low) / step)).astype(np.uint16)
    return Sampled(codes, float(low), float(step), missing, 0.1)


def disc(size=240, radius=80, inside=-200.0, outside=0.0):
    rows, columns = np.mgrid[0:size, 0:size] - size / 2
    return np.where(np.hypot(rows, columns) < radius, inside, outside)


def test_strokes_lie_in_the_area_and_nowhere_else():
    drawn = hatch_coverage(field(disc()), CIN, 1.0)

    rows, columns = np.mgrid[0:240, 0:240] - 120
    away = np.hypot(rows, columns)
    assert drawn[away > 82].max() == 0
    inner = drawn[away < 76] / 255
    assert inner.mean() == pytest.approx(CIN.width_px / CIN.spacing_px, rel=0.05)


def test_strokes_rise_to_the_right_at_their_spacing():
    drawn = strokes(200, 200, 12.0, 1.2).astype(float)

    np.testing.assert_array_equal(drawn[1:, :-1], drawn[:-1, 1:])
    tops = np.flatnonzero(
        (drawn[100, 1:-1] >= drawn[100, :-2]) & (drawn[100, 1:-1] > drawn[100, 2:])
    )
    assert np.diff(tops).mean() == pytest.approx(12 * np.sqrt(2), abs=0.3)


def test_above_hatches_the_other_side_and_the_threshold_belongs_to_above():
    values = disc(inside=50.0, outside=0.0)
    above = hatch_coverage(field(values), HatchLayer(field="x", unit="", above=50), 1.0)
    below = hatch_coverage(field(values), HatchLayer(field="x", unit="", below=50), 1.0)

    assert above[120, 100:140].any()
    assert not above[:30].any()
    assert not below[90:150, 90:150].any()
    assert below[:30].any()


def test_a_negative_factor_does_not_turn_the_sides_over():
    """Ascent counted upwards: omega of -2 Pa/s is +20 in hPa/ks."""
    layer = HatchLayer(field="omega", unit="", factor=-10.0, above=10)

    drawn = hatch_coverage(field(disc(inside=-2.0)), layer, 1.0)

    assert drawn[100:140, 100:140].any()
    assert not drawn[:30].any()


def test_missing_ground_is_never_hatched():
    values = disc(outside=-200.0)
    missing = np.zeros(values.shape, bool)
    missing[:, 120:] = True

    drawn = hatch_coverage(field(values, missing), CIN, 1.0)

    assert drawn[:, :110].any()
    assert not drawn[:, 123:].any()


def test_nothing_beyond_the_threshold_draws_nothing():
    assert hatch_coverage(field(disc(inside=-49.0)), CIN, 1.0) is None


def test_a_speck_is_not_hatched_but_an_area_that_leaves_the_map_is():
    speck = disc(radius=8)
    both = np.minimum(speck, np.roll(disc(radius=30), 70, axis=0))
    corner = np.zeros((240, 240))
    corner[:12, 100:160] = -200

    assert not hatch_coverage(field(speck), CIN, 1.0).any()
    alone = hatch_coverage(field(both), CIN, 1.0)
    assert not alone[110:130].any()
    assert alone[175:205, 100:140].any()
    assert hatch_coverage(field(corner), CIN, 1.0)[:8, 104:156].any()


def test_the_edge_of_a_sampled_area_is_where_the_field_has_the_threshold(pnw, grids):
    """A field that falls from west to east passes -50 on one meridian, cell edges or not."""
    viewport, grid = Viewport.of(pnw), grids["cropped"]
    longitude = grid.x0 + np.arange(grid.nx) * grid.dx
    values = np.tile((longitude + 117.3) * -25 - 50, (grid.ny, 1)).astype(np.float32)
    pixels = compute(grid, viewport, refined=True)

    drawn = hatch_coverage(sample(values, pixels, "cubic"), CIN, viewport.scale)

    column, _ = viewport.pixels_of([-117.3], [45.5])
    middle = slice(viewport.rect.height // 2 - 20, viewport.rect.height // 2 + 20)
    inked = np.flatnonzero(drawn[middle].max(axis=0))
    assert inked.min() == pytest.approx(column[0], abs=3)
