"""Coast and borders lie where cartopy projects their points, on every map that we ship or make."""

import tomllib

import numpy as np
import pytest

from render_farm.basedata import loader
from render_farm.domain.places import Box, Region
from render_farm.draw.baselines import LAND, draw_base
from render_farm.draw.viewport import Viewport
from tests.conftest import REPOSITORY
from tests.decode.gribmint import LATLON, mint
from tests.world.painting import CartopyFrame, painted, region_of

SHIPPED = tomllib.loads((REPOSITORY / "config/regions.toml").read_text())
BOXES = {
    "Lambert of the south": {"west": 112, "east": 154, "south": -44, "north": -10},
    "Mercator across the date line": {"west": 165, "east": -170, "south": -24, "north": 5},
    "Arctic": {"west": -180, "east": 180, "south": 60, "north": 90, "central_longitude": -100},
    "Antarctic": {"west": -180, "east": 180, "south": -90, "north": -62},
    "Bering Strait": {"west": 160, "east": -150, "south": 50, "north": 72},
    "Greenwich": {
        "west": -15,
        "east": 25,
        "south": 35,
        "north": 60,
        "projection": "plate_carree",
    },
    "globe": {"west": -180, "east": 180, "south": -90, "north": 90},
    "Pacific": {"west": 120, "east": -100, "south": -20, "north": 60},
}
REGIONS = {key: Region(key=key, **table) for key, table in SHIPPED.items()} | {
    name: region_of(**box) for name, box in BOXES.items()
}
GLOBE = {
    **LATLON,
    "Nx": 360,
    "Ny": 181,
    "latitudeOfFirstGridPointInDegrees": 90.0,
    "latitudeOfLastGridPointInDegrees": -90.0,
    "longitudeOfFirstGridPointInDegrees": 0.0,
    "longitudeOfLastGridPointInDegrees": 359.0,
}
FILL = (128, 128, 128)


def along(outline):
    """Points on an outline no further apart than the map's pixels (in degrees of the data)."""
    step = np.linspace(0, len(outline) - 1, 8 * len(outline))
    lon, lat = (np.interp(step, np.arange(len(outline)), part) for part in outline.T)
    return lon, lat


def dark_near(image):
    """Pixels with a line in them or beside them."""
    line = (image != FILL).any(axis=2)
    near = line.copy()
    for dr in (-1, 0, 1):
        for dc in (-1, 0, 1):
            near |= np.roll(line, (dr, dc), (0, 1))
    return near


@pytest.mark.parametrize("region", REGIONS.values(), ids=REGIONS)
def test_coast_and_borders_lie_within_a_pixel_of_where_cartopy_projects_them(region, tmp_path):
    """On the picture itself, beneath a field of one colour."""
    frame = CartopyFrame(region)
    image = painted(mint(GLOBE), region, tmp_path)
    near = dark_near(image)
    height, width = near.shape
    box = Box(**region.model_dump(include=set(Box.model_fields)))
    layers = ("coast", "countries", "states")
    lines = [along(outline) for layer in layers for outline in loader.outlines(layer, box)]
    ends = np.cumsum([lon.size for lon, _ in lines])[:-1]
    columns, rows = (
        np.split(at, ends) for at in frame(*map(np.concatenate, zip(*lines, strict=True)))
    )
    hits = []
    for column, row in zip(columns, rows, strict=True):
        inside = (column > 2) & (column < width - 3) & (row > 2) & (row < height - 3)
        if not inside.any() or max(np.ptp(column), np.ptp(row)) < 8:
            continue  # islets that would be blots are left out
        at = np.rint(row[inside]).astype(int), np.rint(column[inside]).astype(int)
        hits.append(near[at])
    found = np.concatenate(hits)
    assert found.size > 100
    assert found.mean() > 0.998


@pytest.mark.parametrize("name", [*BOXES])
def test_land_is_land_and_water_water(name):
    """At random places, against shapely's answer for the outlines; shores take what is left."""
    import shapely

    viewport = Viewport.of(REGIONS[name].model_copy(update={"width_px": 800, "height_px": 640}))
    base = draw_base(viewport, counties=False)
    rng = np.random.default_rng(3)
    column = rng.integers(0, viewport.rect.width, 2000)
    row = rng.integers(0, viewport.rect.height, 2000)
    lon, lat = viewport.lonlat_of_pixels(column, row)
    on_earth = np.isfinite(lon) & np.isfinite(lat)
    column, row, lon, lat = (a[on_earth] for a in (column, row, lon, lat))
    lon = (lon + 180) % 360 - 180
    dry = np.zeros(lon.shape, bool)
    for area, value in (("land", True), ("lakes", False)):
        for shape in loader.polygons(area):
            dry[shapely.contains_xy(shapely.Polygon(shape.outer, shape.holes), lon, lat)] = value

    assert ((base.ground[row, column] == LAND) == dry).mean() > 0.95


def test_a_whole_circle_of_longitudes_is_drawn_once():
    """A frame that is wider than the globe leaves what is beside it empty."""
    globe = region_of(west=-180, east=180, south=-90, north=90, width_px=1600, height_px=640)
    viewport = Viewport.of(globe)
    longitude, latitude = viewport.lonlat_of_pixels(
        np.arange(viewport.rect.width)[None, :], np.arange(viewport.rect.height)[:, None]
    )

    on_earth = np.isfinite(longitude) & np.isfinite(latitude)

    across = np.flatnonzero(on_earth.any(axis=0))
    assert across.size == pytest.approx(360 / np.diff(longitude[200, across]).mean(), abs=1.01)
    assert across.size < viewport.rect.width


def test_no_place_is_shown_twice_on_a_cone():
    """A tall frame on a wide cone reaches into the gap behind the pole, where no earth is."""
    region = region_of(
        west=-160,
        east=-20,
        south=10,
        north=88,
        width_px=700,
        height_px=1600,
        projection="lambert_conformal",
    )
    viewport = Viewport.of(region)
    column, row = np.meshgrid(np.arange(0, 700, 5.0), np.arange(0, viewport.rect.height, 5.0))
    lon, lat = viewport.lonlat_of_pixels(column, row)
    on_earth = np.isfinite(lon) & np.isfinite(lat)

    back_column, back_row = CartopyFrame(region)(lon[on_earth], lat[on_earth])

    assert 0.05 < 1 - on_earth.mean() < 0.5
    np.testing.assert_allclose(back_column, column[on_earth], atol=0.5)
    np.testing.assert_allclose(back_row, row[on_earth], atol=0.5)


@pytest.mark.parametrize("latitude", [60, -60])
def test_a_polar_map_is_true_at_its_latitude_on_its_own_side(latitude):
    plain = {"west": -180, "east": 180, "south": -90, "north": -60}
    written = region_of(**plain, standard_parallels=[latitude], width_px=400, height_px=400)

    assert Viewport.of(written) == Viewport.of(region_of(**plain, width_px=400, height_px=400))
