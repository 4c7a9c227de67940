"""Grids: every point lies where eccodes, or the projection's definition, puts it."""

import eccodes
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyproj import Proj

from render_farm.decode.arrangement import arrangement
from render_farm.decode.grid import Grid
from render_farm.decode.gridkeys import GridError
from tests.decode.gribmint import LAMBERT, LATLON, MERCATOR, POLAR, mint, points

FIRST_LAT, LAST_LAT = "latitudeOfFirstGridPointInDegrees", "latitudeOfLastGridPointInDegrees"
FIRST_LON, LAST_LON = "longitudeOfFirstGridPointInDegrees", "longitudeOfLastGridPointInDegrees"
CELLS = 1e-3  # how far off a point may be

GRIDS = {
    "lat/lon, north to south": LATLON,
    "lat/lon, south to north": {**LATLON, "jScansPositively": 1, FIRST_LAT: 40.0, LAST_LAT: 60.0},
    "lat/lon, east to west": {**LATLON, "iScansNegatively": 1, FIRST_LON: 260.0, LAST_LON: 230.0},
    "lat/lon, by columns": {**LATLON, "jPointsAreConsecutive": 1},
    "lat/lon, negative longitudes": {**LATLON, FIRST_LON: -130.0, LAST_LON: -100.0},
    "lat/lon across the date line": {**LATLON, FIRST_LON: 165.0, LAST_LON: -165.0},
    "lat/lon across the date line, 0..360": {**LATLON, FIRST_LON: 165.0, LAST_LON: 195.0},
    "lat/lon across Greenwich": {**LATLON, FIRST_LON: 345.0, LAST_LON: 15.0},
    "lat/lon round the earth": {**LATLON, "Nx": 360, FIRST_LON: 0.0, LAST_LON: 359.0},
    "lat/lon round the earth from 180": {**LATLON, "Nx": 360, FIRST_LON: -180.0, LAST_LON: 179.0},
    "Lambert, one parallel": LAMBERT,
    "Lambert, two parallels": {**LAMBERT, "Latin1InDegrees": 30.0, "Latin2InDegrees": 60.0},
    "Lambert on WGS 84": {**LAMBERT, "Latin1InDegrees": 30.0, "shapeOfTheEarth": 5},
    "Lambert, GRS 80": {**LAMBERT, "shapeOfTheEarth": 4},
    "Lambert, 1965 earth": {**LAMBERT, "shapeOfTheEarth": 2},
    "Lambert, radius given": {
        **LAMBERT,
        "shapeOfTheEarth": 1,
        "scaleFactorOfRadiusOfSphericalEarth": 0,
        "scaledValueOfRadiusOfSphericalEarth": 6_370_000,
    },
    "Lambert, axes given": {
        **LAMBERT,
        "shapeOfTheEarth": 7,
        "scaleFactorOfEarthMajorAxis": 0,
        "scaledValueOfEarthMajorAxis": 6_378_137,
        "scaleFactorOfEarthMinorAxis": 0,
        "scaledValueOfEarthMinorAxis": 6_356_752,
    },
    "Lambert of the south": {
        **LAMBERT,
        "Latin1InDegrees": -30.0,
        "Latin2InDegrees": -60.0,
        "LaDInDegrees": -40.0,
        FIRST_LAT: -50.0,
        "projectionCentreFlag": 128,
    },
    "polar stereographic, north": POLAR,
    "polar stereographic, south": {
        **POLAR,
        "LaDInDegrees": -60.0,
        "projectionCentreFlag": 128,
        FIRST_LAT: -30.0,
    },
    "Mercator": MERCATOR,
}


def arranged(message):
    handle = eccodes.codes_new_from_message(message)
    try:
        return arrangement(handle)
    finally:
        eccodes.codes_release(handle)


def both(grid_keys):
    """The arrangement, and eccodes' longitudes and latitudes in our order."""
    message = mint(grid_keys)
    found = arranged(message)
    return found, *(found.arrange(axis) for axis in points(message))


def assert_on_points(grid, lon, lat):
    columns, rows = grid.index(lon, lat)
    expected_row, expected_column = np.mgrid[0 : grid.ny, 0 : grid.nx]
    np.testing.assert_allclose(columns, expected_column, atol=CELLS, rtol=0)
    np.testing.assert_allclose(rows, expected_row, atol=CELLS, rtol=0)


@pytest.mark.parametrize("keys", GRIDS.values(), ids=GRIDS)
def test_the_index_of_every_point_is_its_row_and_column(keys):
    found, lon, lat = both(keys)

    assert_on_points(found.grid, lon, lat)
    assert_on_points(found.grid, lon + 360, lat)
    assert_on_points(found.grid, lon - 360, lat)


@pytest.mark.parametrize("keys", GRIDS.values(), ids=GRIDS)
def test_longitudes_and_latitudes_are_those_of_eccodes(keys):
    found, lon, lat = both(keys)

    ours_lon, ours_lat = found.grid.lonlat()

    assert ours_lon.shape == ours_lat.shape == found.grid.shape
    np.testing.assert_allclose(ours_lat, lat, atol=1e-5, rtol=0)
    np.testing.assert_allclose((ours_lon - lon + 180) % 360, 180, atol=3e-5, rtol=0)
    assert ours_lon.min() >= -180
    assert ours_lon.max() <= 180
    assert not ours_lon.flags.writeable


@pytest.mark.parametrize("keys", GRIDS.values(), ids=GRIDS)
def test_row_0_is_north_and_column_0_is_west(keys):
    found, lon, lat = both(keys)

    assert found.grid.dx > 0
    assert found.grid.dy < 0
    if found.grid.kind in {"latlon", "mercator"}:
        assert (np.diff(lat[:, 0]) < 0).all()
        assert (np.diff(np.unwrap(lon[0], period=360)) > 0).all()


def test_the_real_grids_are_those_of_eccodes(test_data):
    """GFS 0.25 degree, HRRR and the 2.5 degree file, every point of them."""
    paths = [
        *test_data.glob("nomads/**/gfs.t12z.pgrb2.0p25.f000"),
        *test_data.glob("nomads/**/hrrr.t17z.wrfsfcf00.grib2"),
        *test_data.glob("gfs-2p5/*.grib2"),
    ]
    assert len(paths) == 3
    for path in paths:
        with path.open("rb") as file:
            handle = eccodes.codes_grib_new_from_file(file)
        message = eccodes.codes_get_message(handle)
        eccodes.codes_release(handle)
        found = arranged(message)
        assert_on_points(found.grid, *(found.arrange(axis) for axis in points(message)))


@pytest.mark.parametrize("keys", [LAMBERT, POLAR, MERCATOR])
def test_projected_grids_that_scan_southwards_begin_at_their_north_west_corner(keys):
    """eccodes' own latitudes go north from there, against flag table 3.4; so by definition."""
    first = {FIRST_LON: 230.0, FIRST_LAT: 55.0}
    grid = arranged(mint({**keys, **first, "jScansPositively": 0})).grid

    column, row = grid.index(230.0, 55.0)

    assert (float(column), float(row)) == (pytest.approx(0), pytest.approx(0))
    x, y = Proj(grid.crs)(230.0, 55.0)
    lon, lat = Proj(grid.crs)(x + 3 * grid.dx, y - 7 * -grid.dy, inverse=True)
    column, row = grid.index(lon, lat)
    assert (float(column), float(row)) == (pytest.approx(3), pytest.approx(7))


def test_projected_grids_that_scan_westwards_end_at_their_western_column():
    grid = arranged(mint({**LAMBERT, "iScansNegatively": 1, FIRST_LON: 280.0})).grid
    column, row = grid.index(280.0, LAMBERT[FIRST_LAT])
    assert (float(column), float(row)) == (pytest.approx(59), pytest.approx(39))


def test_only_a_grid_round_the_earth_is_cyclic():
    cyclic = {name for name, keys in GRIDS.items() if arranged(mint(keys)).grid.cyclic}
    assert cyclic == {"lat/lon round the earth", "lat/lon round the earth from 180"}


def test_columns_of_a_cyclic_grid_wrap_at_the_last_half_cell():
    grid = arranged(mint(GRIDS["lat/lon round the earth"])).grid
    columns, _ = grid.index(np.array([-0.25, 359.25, 359.75, 0.0]), np.zeros(4))
    np.testing.assert_allclose(columns, [-0.25, 359.25, -0.25, 0.0], atol=1e-9)


def test_places_beside_a_regional_grid_are_beside_it_on_their_own_side():
    grid = arranged(mint(LATLON)).grid
    columns, rows = grid.index(np.array([-131.0, -99.0]), np.array([61.0, 39.0]))
    np.testing.assert_allclose(columns, [-1, 31], atol=1e-9)
    np.testing.assert_allclose(rows, [-1, 21], atol=1e-9)


def test_places_without_an_image_have_no_index():
    grid = arranged(mint(LAMBERT)).grid
    for lon, lat in ((np.nan, 40.0), (-100.0, -90.0)):
        columns, rows = grid.index(lon, lat)
        assert np.isnan(columns)
        assert np.isnan(rows)


@given(st.floats(-720, 720), st.floats(-89, 89))
def test_an_index_turns_back_into_its_place(lon, lat):
    grid = Grid("latlon", 1440, 721, "+proj=longlat +R=6371229 +no_defs", 0, 90, 0.25, -0.25, True)
    column, row = grid.index(lon, lat)
    assert -0.5 <= column < 1439.5 + 1e-9
    assert (grid.x0 + column * grid.dx - lon + 180) % 360 == pytest.approx(180, abs=1e-6)
    assert grid.y0 + row * grid.dy == pytest.approx(lat, abs=1e-9)


def test_a_southern_polar_grid_is_true_in_the_south_whichever_sign_it_writes():
    """eccodes itself takes a positive latitude for one of the north, and lands off the map."""
    south = GRIDS["polar stereographic, south"]
    assert arranged(mint(south)).grid == arranged(mint({**south, "LaDInDegrees": 60.0})).grid


def test_equal_grids_have_equal_digests_and_others_do_not():
    south_first = GRIDS["lat/lon, south to north"]
    assert arranged(mint(LATLON)).grid == arranged(mint(south_first)).grid
    digests = [arranged(mint(keys)).grid.digest for keys in (LATLON, south_first, LAMBERT, POLAR)]
    assert digests[0] == digests[1]
    assert len(set(digests)) == 3


@pytest.mark.parametrize(
    "name",
    [
        "Lambert, one parallel",
        "Lambert, two parallels",
        "Lambert on WGS 84",
        "Lambert of the south",
        "polar stereographic, north",
        "polar stereographic, south",
        "Mercator",
        "lat/lon, north to south",
    ],
)
def test_rotation_is_the_convergence_of_the_meridians(name):
    """Within 0.001 degrees of PROJ's own factors."""
    grid = arranged(mint(GRIDS[name])).grid
    lon, lat = (axis[::7, ::7].astype(float) for axis in grid.lonlat())

    expected = Proj(grid.crs).get_factors(lon, lat).meridian_convergence
    found = np.degrees(grid.rotation()[::7, ::7])

    if grid.kind == "latlon":
        expected = np.zeros_like(lon)
    np.testing.assert_allclose((found - expected + 180) % 360, 180, atol=1e-3)


@pytest.mark.parametrize("keys", [LAMBERT, POLAR])
def test_a_step_along_a_column_goes_where_the_rotation_says(keys):
    """A wind of 1 m/s towards grid north, followed for a second, against `u_e = v sin`."""
    grid = arranged(mint(keys)).grid
    plane = Proj(grid.crs)
    for row, column in ((3, 4), (30, 45)):
        x, y = grid.x0 + column * grid.dx, grid.y0 + row * grid.dy
        lon, lat = plane(x, y, inverse=True)
        further_lon, further_lat = plane(x, y + 1, inverse=True)
        east = (further_lon - lon) * np.cos(np.radians(lat))
        north = further_lat - lat
        angle = grid.rotation()[row, column]
        assert np.sin(angle) == pytest.approx(east / np.hypot(east, north), abs=1e-4)
        assert np.cos(angle) == pytest.approx(north / np.hypot(east, north), abs=1e-4)


def test_the_cone_of_the_hrrr_is_that_of_its_one_parallel():
    plane = arranged(mint(LAMBERT)).grid.plane
    assert plane.cone_constant() == pytest.approx(np.sin(np.radians(38.5)))
    assert plane.radius_m() == 6371229


@pytest.mark.parametrize(
    "name",
    ["lat/lon, north to south", "Lambert, one parallel", "polar stereographic, north", "Mercator"],
)
def test_spacing_is_the_distance_over_ground(name):
    """Great-circle distances between neighbours, within 0.2 %."""
    grid = arranged(mint(GRIDS[name])).grid
    lon, lat = (np.radians(axis.astype(float)) for axis in grid.lonlat())
    east, south = grid.spacing()

    def distance(a, b):
        cosine = np.sin(lat[a]) * np.sin(lat[b]) + np.cos(lat[a]) * np.cos(lat[b]) * np.cos(
            lon[a] - lon[b]
        )
        return 6371229 * np.arccos(np.clip(cosine, -1, 1))

    middle_row, middle_column = grid.ny // 2, grid.nx // 2
    for row in (2, middle_row, grid.ny - 3):
        here, there = (row, middle_column), (row, middle_column + 1)
        assert east[here] == pytest.approx(distance(here, there), rel=2e-3)
        there = (row + 1, middle_column)
        assert south[here] == pytest.approx(distance(here, there), rel=1.2e-2)


def test_grids_that_we_cannot_read_say_why():
    with pytest.raises(GridError, match="rotated_ll"):
        arranged(mint({**LATLON, "gridType": "rotated_ll"}))
    with pytest.raises(GridError, match="no map"):
        arranged(mint({**LATLON, "Ny": 1, LAST_LAT: 60.0}))
    with pytest.raises(GridError, match="against their flag"):
        arranged(mint({**LATLON, "jScansPositively": 1}))
    with pytest.raises(GridError, match="impossible"):
        arranged(mint({**LAMBERT, "DxInMetres": 0}))


def test_values_must_fill_the_grid():
    found = arranged(mint(LATLON))
    with pytest.raises(GridError, match="10 values do not fill a grid of 31 x 21"):
        found.arrange(np.zeros(10, np.float32))
