from dataclasses import replace

import numpy as np
import pytest

from render_farm.basedata import loader
from render_farm.domain.places import Box
from render_farm.draw.baselines import LAND, WATER, BaseLayers, draw_base
from render_farm.draw.outlines import densified, projected
from render_farm.draw.viewport import Viewport


@pytest.fixture(scope="module")
def pnw_view(regions):
    return Viewport.of(regions["pnw"], 1000, 800)


@pytest.fixture(scope="module")
def base(pnw_view):
    return draw_base(pnw_view, counties=True)


def coverage_of(viewport, base):
    canvas = np.zeros((viewport.rect.height, viewport.rect.width), np.uint8)
    canvas.ravel()[base.positions] = base.shifted >> 8
    return canvas


@pytest.mark.parametrize("layer", ["coast", "states", "countries"])
def test_lines_lie_within_a_pixel_of_where_cartopy_projects_them(layer, pnw_view, base):
    import cartopy.crs as ccrs

    crs = ccrs.LambertConformal(-117.5, 45.5, standard_parallels=(43, 48))
    covered = coverage_of(pnw_view, base)
    near = np.zeros_like(covered)
    for dr in (-1, 0, 1):
        for dc in (-1, 0, 1):
            near = np.maximum(near, np.roll(covered, (dr, dc), (0, 1)))
    checked = 0
    for outline in loader.outlines(layer, Box(west=-125, east=-110, south=42, north=49.5)):
        step = np.linspace(0, len(outline) - 1, 20 * len(outline))
        line = np.stack(
            [np.interp(step, np.arange(len(outline)), part) for part in outline.T], axis=-1
        )
        points = crs.transform_points(ccrs.PlateCarree(), line[:, 0], line[:, 1])
        column = np.rint((points[:, 0] - pnw_view.left_m) / pnw_view.m_per_px - 0.5)
        row = np.rint((pnw_view.top_m - points[:, 1]) / pnw_view.m_per_px - 0.5)
        inside = (column > 1) & (column < pnw_view.rect.width - 2)
        inside &= (row > 1) & (row < pnw_view.rect.height - 2)
        extent = max(np.ptp(column), np.ptp(row))
        if not inside.any() or extent < 8:
            continue  # islets that would be blots are left out
        hit = near[row[inside].astype(int), column[inside].astype(int)]
        checked += hit.size
        assert (hit > 40).mean() > 0.995
    assert checked > 20


@pytest.mark.parametrize(
    ("longitude", "latitude", "expected"),
    [
        (-124.9, 45.0, WATER),  # Pacific
        (-120.0, 45.0, LAND),
        (-122.45, 47.75, WATER),  # Puget Sound
        (-122.3, 47.6, LAND),  # Seattle
        (-114.1, 47.9, WATER),  # Flathead Lake
        (-116.2, 43.6, LAND),  # Boise
    ],
)
def test_land_and_water_are_told_apart(longitude, latitude, expected, pnw_view, base):
    column, row = pnw_view.pixels_of([longitude], [latitude])

    assert base.ground[round(row[0]), round(column[0])] == expected


def test_counties_can_be_left_out(pnw_view, base):
    bare = draw_base(pnw_view, counties=False)

    assert 0 < bare.positions.size < base.positions.size


def test_a_border_along_a_parallel_is_curved_as_the_parallel_is(pnw_view):
    """The 49th parallel between two distant points: a straight line would be 7 px off."""
    border = np.array([[-122.0, 49.0], [-113.0, 49.0]], np.float32)

    (pixels,) = projected(pnw_view, border)

    column, row = pnw_view.pixels_of(np.linspace(-122, -113, 50), np.full(50, 49.0))
    between = np.interp(column, pixels[:, 0], pixels[:, 1])
    assert np.abs(between - row).max() < 0.1
    assert np.ptp(row) > 7


def test_densified_lines_keep_their_points():
    line = np.array([[0, 0], [1, 0], [1.05, 0.05]], np.float32)

    dense = densified(line, 0.25)

    np.testing.assert_allclose(dense[:, 0], [0, 0.25, 0.5, 0.75, 1, 1.05], atol=1e-6)


def test_a_base_layer_is_drawn_once_and_read_afterwards(tmp_path, regions):
    viewport = Viewport.of(regions["pnw"], 400, 320)
    first = BaseLayers(tmp_path).get(viewport, counties=True)
    (file,) = tmp_path.iterdir()
    written = file.stat().st_mtime_ns

    second = BaseLayers(tmp_path).get(viewport, counties=True)

    assert file.stat().st_mtime_ns == written
    np.testing.assert_array_equal(first.positions, second.positions)
    np.testing.assert_array_equal(first.ground, second.ground)


@pytest.mark.parametrize("name", ["date_line", "greenwich", "arctic"])
def test_regions_anywhere_have_a_base(name, regions):
    base = draw_base(Viewport.of(regions[name]), counties=False)

    assert base.positions.size > 1000
    assert 0.03 < (base.ground == LAND).mean() < 0.9


def test_what_changes_the_lines_has_a_file_of_its_own(tmp_path, regions):
    """Counties or none, and the size of type and lines: the pixels of all three lie alike."""
    view = Viewport.of(regions["pnw"], 400, 320)
    layers = BaseLayers(tmp_path)

    found = [
        layers.get(view, counties=True),
        layers.get(view, counties=False),
        layers.get(replace(view, scale=3 * view.scale), counties=True),
    ]

    assert len({layer.positions.size for layer in found}) == 3
    assert len(list(tmp_path.iterdir())) == 3
