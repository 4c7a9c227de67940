"""Streamlets against PROJ's own geodesics: along the wind, as long as it is strong."""

import numpy as np
import pyproj
import pytest

from render_farm.draw.linelabels import Occupied
from render_farm.draw.streamlets import CALM_MS, draw_streamlets, seeds, streamlets
from render_farm.draw.viewport import Viewport

SPACING = 46
GEOD = pyproj.Geod(ellps="WGS84")


def uniform(grid, u, v):
    return np.full(grid.shape, u, np.float32), np.full(grid.shape, v, np.float32)


def drawn(wind, grid, viewport, occupied=None):
    canvas = np.zeros((viewport.rect.height, viewport.rect.width), np.uint8)
    count = draw_streamlets(canvas, wind, grid, viewport, SPACING, occupied or Occupied())
    return count, canvas


@pytest.mark.parametrize(("u", "v"), [(10.0, 0.0), (0.0, -10.0), (6.0, 8.0), (-12.0, 3.0)])
def test_a_streamlet_follows_the_geodesic_of_its_wind_in_every_projection(region, grids, u, v):
    """2 km along the wind's azimuth, projected: within 2 degrees, and 8 beside the pole."""
    viewport, grid = Viewport.of(region), grids["global"]

    paths = streamlets(uniform(grid, u, v), grid, viewport, SPACING)

    middle = paths[:, paths.shape[1] // 2]
    longitude, latitude = viewport.lonlat_of_pixels(*middle.T)
    azimuth = np.full(len(paths), np.degrees(np.arctan2(u, v)))
    there = GEOD.fwd(longitude, latitude, azimuth, np.full(len(paths), 2000.0))
    expected = np.stack(viewport.pixels_of(there[0], there[1]), axis=-1) - middle
    along = paths[:, paths.shape[1] // 2 + 1] - paths[:, paths.shape[1] // 2 - 1]
    turn = np.angle((along @ [1, 1j]) * np.conj(expected @ [1, 1j]), deg=True)
    assert len(paths) > 40
    usual = np.abs(latitude) < 85
    assert np.abs(turn[usual]).max() < 2.0
    assert np.abs(turn).max() < 8.0


def test_the_ends_lie_on_the_streamline_of_a_whirl(pnw, grids):
    """Solid rotation: the path is a circle around the whirl's middle, to a tenth of a pixel."""
    viewport, grid = Viewport.of(pnw), grids["cropped"]
    rows, columns = np.mgrid[0 : grid.ny, 0 : grid.nx].astype(np.float64)
    x, y = viewport.pixels_of(grid.x0 + columns * grid.dx, grid.y0 + rows * grid.dy)
    centre = np.array([viewport.rect.width, viewport.rect.height]) / 2
    turned = viewport.north(x, y)
    across, up = -(y - centre[1]), -(x - centre[0])  # on the frame: clockwise as it is seen
    u = across * np.cos(turned) - up * np.sin(turned)
    v = across * np.sin(turned) + up * np.cos(turned)
    wind = (0.2 * u).astype(np.float32), (0.2 * v).astype(np.float32)

    paths = streamlets(wind, grid, viewport, SPACING)

    radius = np.hypot(*(paths - centre).T)
    far = radius.min(axis=0) > 60
    assert far.sum() > 50
    assert np.ptp(radius[:, far], axis=0).max() < 0.6


def test_stronger_wind_has_longer_streamlets_that_do_not_reach_each_other(pnw, grids):
    viewport, grid = Viewport.of(pnw, 1600, 1200), grids["global"]
    lengths = []
    for speed in (2.0, 5.0, 10.0, 20.0, 80.0):
        paths = streamlets(uniform(grid, speed, 0.0), grid, viewport, SPACING)
        steps = np.diff(paths, axis=1)
        lengths.append(np.hypot(steps[..., 0], steps[..., 1]).sum(axis=1).mean())

    assert lengths == sorted(lengths)
    assert len(set(np.round(lengths, 1))) == 5
    assert lengths[-1] < 0.95 * SPACING


def test_calm_has_none_and_a_breath_more_has_them(pnw, grids):
    viewport, grid = Viewport.of(pnw), grids["global"]

    assert drawn(uniform(grid, 0.0, 0.0), grid, viewport)[0] == 0
    assert drawn(uniform(grid, CALM_MS * 0.99, 0.0), grid, viewport)[0] == 0
    assert drawn(uniform(grid, CALM_MS * 1.01, 0.0), grid, viewport)[0] > 40


def test_where_the_wind_is_missing_there_is_none(pnw, grids):
    viewport, grid = Viewport.of(pnw), grids["cropped"]
    u, v = uniform(grid, 8.0, 3.0)
    u[:, 52:] = np.nan  # from 117 W eastwards

    count, canvas = drawn((u, v), grid, viewport)

    edge, _ = viewport.pixels_of([-117.0] * 2, [42.0, 49.0])
    assert count > 20
    assert canvas[:, int(edge.max()) + 1 :].max() == 0
    assert drawn(uniform(grid, np.nan, 1.0), grid, viewport)[0] == 0


def test_beyond_the_grid_there_is_none(regions, grids):
    """The HRRR's cone ends long before the date line."""
    viewport, grid = Viewport.of(regions["date_line"]), grids["hrrr"]

    assert drawn(uniform(grid, 8.0, 3.0), grid, viewport)[0] == 0


def test_a_wind_blows_to_where_it_blows_in_the_southern_hemisphere_too(regions, grids):
    """A west wind off New Zealand: heads at the right ends, on a Mercator map."""
    viewport, grid = Viewport.of(regions["date_line"]), grids["global"]

    paths = streamlets(uniform(grid, 9.0, 0.0), grid, viewport, SPACING)

    assert (paths[:, -1, 0] > paths[:, 0, 0] + 10).all()
    np.testing.assert_allclose(paths[:, -1, 1], paths[:, 0, 1], atol=0.2)


def test_nothing_is_drawn_over_what_is_written_nor_at_the_frame(pnw, grids):
    viewport, grid = Viewport.of(pnw, 1600, 1200), grids["global"]
    taken = Occupied()
    for x, y in ((300.0, 300.0), (512.0, 640.0), (1200.0, 500.0)):
        taken.take(x, y, 40.0)

    everywhere, _ = drawn(uniform(grid, 25.0, 12.0), grid, viewport)
    count, canvas = drawn(uniform(grid, 25.0, 12.0), grid, viewport, taken)

    assert 3 <= everywhere - count < 40
    rows, columns = np.nonzero(canvas)
    for x, y in ((300, 300), (512, 640), (1200, 500)):
        assert np.hypot(columns - x, rows - y).min() > 39
    frame = np.concatenate([canvas[0], canvas[-1], canvas[:, 0], canvas[:, -1]])
    assert frame.max() == 0


def test_seeds_stand_still_and_are_evenly_spread(pnw):
    viewport = Viewport.of(pnw, 1600, 1200)
    found = seeds(viewport, SPACING)
    distance = np.hypot(*(found[:, None] - found[None]).T)
    np.fill_diagonal(distance, np.inf)

    np.testing.assert_array_equal(found, seeds(viewport, SPACING))
    assert distance.min() > 0.75 * SPACING
    assert distance.min(axis=0).max() < 1.3 * SPACING


def test_a_head_is_wider_than_the_tail_and_lies_ahead(pnw, grids):
    """One row of pixels across each end of a west wind's streamlet."""
    viewport, grid = Viewport.of(pnw, 1600, 1200), grids["global"]
    wind = uniform(grid, 15.0, 0.0)
    _, canvas = drawn(wind, grid, viewport)
    path = streamlets(wind, grid, viewport, SPACING)[200]

    def ink(point):
        x, y = np.rint(point).astype(int)
        return canvas[y - 5 : y + 6, x].astype(int).sum() / 255

    assert ink(path[-1] - [2, 0]) > 1.8 * ink(path[0] + [2, 0]) > 1.8
