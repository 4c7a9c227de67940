import numpy as np
import pytest

from render_farm.draw.pixelmap import compute
from render_farm.draw.viewport import Viewport

SEEN = [
    ("pnw", "global"),
    ("pnw", "cropped"),
    ("pnw", "hrrr"),
    ("pnw", "polar"),
    ("pnw", "mercator"),
    ("date_line", "global"),
    ("greenwich", "global"),
    ("arctic", "global"),
]


@pytest.mark.parametrize("refined", [False, True])
@pytest.mark.parametrize(("region", "grid"), SEEN)
def test_a_pixel_takes_its_value_from_where_it_lies(region, grid, refined, regions, grids):
    """Within a fiftieth of a pixel of the exact projections, everywhere."""
    viewport, grid = Viewport.of(regions[region]), grids[grid]
    pixels = compute(grid, viewport, refined=refined)
    rng = np.random.default_rng(2)
    row = rng.integers(0, viewport.rect.height, 3000)
    column = rng.integers(0, viewport.rect.width, 3000)

    got_c = (pixels.columns[row, column] + 0.5) / pixels.refine - 0.5 + pixels.left
    got_r = (pixels.rows[row, column] + 0.5) / pixels.refine - 0.5 + pixels.top

    want_c, want_r = grid.index(*viewport.lonlat_of_pixels(column, row))
    known = np.isfinite(want_c) & np.isfinite(want_r)
    if pixels.outside is not None:
        known &= pixels.outside[row, column] == 0
    off = np.abs(got_c - want_c)[known]
    off = np.minimum(off, np.abs(off - grid.nx)) if grid.cyclic else off
    tolerance = 0.02 * pixels.cells_per_px + 2e-4  # float32 of the file
    near_pole = np.abs(want_r[known]) < 8 if region == "arctic" else np.zeros(off.shape, bool)
    assert off[~near_pole].max() < tolerance
    assert np.abs(got_r - want_r)[known].max() < tolerance


@pytest.mark.parametrize(("region", "grid"), SEEN)
def test_the_window_holds_every_cell_that_a_kernel_may_want(region, grid, regions, grids):
    viewport, grid = Viewport.of(regions[region]), grids[grid]
    pixels = compute(grid, viewport)

    window = pixels.window(np.zeros(grid.shape, np.float32))

    assert window.shape == (pixels.height, pixels.width)
    inside = slice(None) if pixels.outside is None else pixels.outside == 0
    assert pixels.columns[inside].min() >= (-0.5 if pixels.left == 0 else 1)
    assert pixels.columns[inside].max() <= pixels.width - 0.5


def test_what_the_grid_does_not_reach_is_outside(regions, grids):
    viewport = Viewport.of(regions["pnw"])
    half = grids["cropped"].__class__("latlon", 41, 61, "+R=6371229", -118, 55, 0.25, -0.25)

    pixels = compute(half, viewport)

    longitude, _ = viewport.lonlat_of_pixels(
        np.arange(viewport.rect.width)[None, :], np.arange(viewport.rect.height)[:, None]
    )
    assert pixels.outside is not None
    edge = np.abs(longitude - -118.125) < 0.05
    assert ((pixels.outside == 255) == (longitude < -118.125))[~edge].all()


def test_a_grid_elsewhere_is_refused(regions, grids):
    with pytest.raises(ValueError, match="does not reach"):
        compute(grids["cropped"], Viewport.of(regions["greenwich"]))
