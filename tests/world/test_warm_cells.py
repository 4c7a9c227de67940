"""A warm cell is painted where it lies, whatever grid, scanning order and earth it is packed in."""

import numpy as np
import pytest

from tests.decode.gribmint import LAMBERT, LATLON, MERCATOR, POLAR, mint, points
from tests.world.painting import WARM, WARM_K, CartopyFrame, painted, patch_of, region_of

FIRST_LAT, LAST_LAT = "latitudeOfFirstGridPointInDegrees", "latitudeOfLastGridPointInDegrees"
FIRST_LON, LAST_LON = "longitudeOfFirstGridPointInDegrees", "longitudeOfLastGridPointInDegrees"

HOME = {"west": -125, "east": -105, "south": 42, "north": 55}
DATE_LINE = {"west": 170, "east": -170, "south": 43, "north": 57}
GREENWICH = {"west": -9, "east": 9, "south": 43, "north": 57}
GLOBE = {**LATLON, "Nx": 360, "Ny": 181, FIRST_LAT: 90.0, LAST_LAT: -90.0}
HRRR = {
    **LAMBERT,
    "Nx": 1799,
    "Ny": 1059,
    "DxInMetres": 3000,
    "DyInMetres": 3000,
    "latitudeOfFirstGridPointInDegrees": 21.138123,
    "longitudeOfFirstGridPointInDegrees": 237.280472,
}
SOUTH_POLE = {
    **POLAR,
    "LaDInDegrees": -60.0,
    "projectionCentreFlag": 128,
    FIRST_LAT: -70.0,
    FIRST_LON: 200.0,
}
SOUTH_CONE = {
    **LAMBERT,
    "Latin1InDegrees": -30.0,
    "Latin2InDegrees": -60.0,
    "LaDInDegrees": -40.0,
    "LoVInDegrees": 145.0,
    FIRST_LON: 125.0,
    FIRST_LAT: -50.0,
    "projectionCentreFlag": 128,
}
SPHERE = {
    "shapeOfTheEarth": 1,
    "scaleFactorOfRadiusOfSphericalEarth": 0,
    "scaledValueOfRadiusOfSphericalEarth": 6_370_000,
}

# name: grid, box of the region
CASES = {
    "lat/lon, north to south": (LATLON, HOME),
    "lat/lon, south to north": (
        {**LATLON, "jScansPositively": 1, FIRST_LAT: 40.0, LAST_LAT: 60.0},
        HOME,
    ),
    "lat/lon, east to west": (
        {**LATLON, "iScansNegatively": 1, FIRST_LON: 260.0, LAST_LON: 230.0},
        HOME,
    ),
    "lat/lon, by columns": ({**LATLON, "jPointsAreConsecutive": 1}, HOME),
    "lat/lon, -180..180": ({**LATLON, FIRST_LON: -130.0, LAST_LON: -100.0}, HOME),
    "lat/lon, WGS 84": ({**LATLON, "shapeOfTheEarth": 5}, HOME),
    "across the date line": ({**LATLON, FIRST_LON: 165.0, LAST_LON: -165.0}, DATE_LINE),
    "across the date line, 0..360": ({**LATLON, FIRST_LON: 165.0, LAST_LON: 195.0}, DATE_LINE),
    "across Greenwich": ({**LATLON, FIRST_LON: 345.0, LAST_LON: 15.0}, GREENWICH),
    "globe from 0, at home": ({**GLOBE, FIRST_LON: 0.0, LAST_LON: 359.0}, HOME),
    "globe from 0, date line": ({**GLOBE, FIRST_LON: 0.0, LAST_LON: 359.0}, DATE_LINE),
    "globe from 0, Greenwich": ({**GLOBE, FIRST_LON: 0.0, LAST_LON: 359.0}, GREENWICH),
    "globe from -180, date line": ({**GLOBE, FIRST_LON: -180.0, LAST_LON: 179.0}, DATE_LINE),
    "globe from -180, Greenwich": ({**GLOBE, FIRST_LON: -180.0, LAST_LON: 179.0}, GREENWICH),
    "globe from the south, Greenwich": (
        {
            **GLOBE,
            "jScansPositively": 1,
            FIRST_LAT: -90.0,
            LAST_LAT: 90.0,
            FIRST_LON: 0.0,
            LAST_LON: 359.0,
        },
        GREENWICH,
    ),
    "globe with its seam twice": (
        {**GLOBE, "Nx": 361, FIRST_LON: 0.0, LAST_LON: 360.0},
        DATE_LINE,
    ),
    "Lambert, HRRR": (HRRR, {"west": -123.5, "east": -121, "south": 47, "north": 49}),
    "Lambert, coarse": (LAMBERT, {"west": -110, "east": -90, "south": 28, "north": 40}),
    "Lambert, two parallels": (
        {**LAMBERT, "Latin1InDegrees": 30.0, "Latin2InDegrees": 60.0},
        {"west": -110, "east": -90, "south": 28, "north": 40},
    ),
    "Lambert, WGS 84": (
        {**LAMBERT, "Latin1InDegrees": 30.0, "shapeOfTheEarth": 5},
        {"west": -110, "east": -90, "south": 28, "north": 40},
    ),
    "Lambert, GRS 80": (
        {**LAMBERT, "shapeOfTheEarth": 4},
        {"west": -110, "east": -90, "south": 28, "north": 40},
    ),
    "Lambert, earth of 6367 km": (
        {**LAMBERT, "shapeOfTheEarth": 0},
        {"west": -110, "east": -90, "south": 28, "north": 40},
    ),
    "Lambert, radius given": (
        {**LAMBERT, **SPHERE},
        {"west": -110, "east": -90, "south": 28, "north": 40},
    ),
    "Lambert of the south": (SOUTH_CONE, {"west": 132, "east": 150, "south": -46, "north": -36}),
    "polar stereographic, north": (POLAR, {"west": -150, "east": -90, "south": 45, "north": 62}),
    "polar stereographic, over the pole": (
        {**POLAR, "Ny": 120, "Nx": 100, FIRST_LAT: 25.0},
        {"west": -180, "east": 180, "south": 65, "north": 90},
    ),
    "polar stereographic, south": (
        SOUTH_POLE,
        {"west": -135, "east": -95, "south": -65, "north": -50},
    ),
    "Mercator": (MERCATOR, {"west": -168, "east": -158, "south": 17, "north": 24}),
}


def cells_inside(lon, lat, frame, cell_px):
    """Three cells apart from each other and from the frame's edge, in message order."""
    column, row = frame(lon, lat)
    width, height = frame.size
    edge = 2 * cell_px
    inside = (column > edge) & (column < width - edge) & (row > edge) & (row < height - edge)
    candidates = np.flatnonzero(inside)
    assert candidates.size >= 3
    rng = np.random.default_rng(7)
    for _ in range(1000):
        chosen = rng.choice(candidates, 3, replace=False)
        x, y = column[chosen], row[chosen]
        apart = np.hypot(x - np.roll(x, 1), y - np.roll(y, 1)).min()
        if apart > 5 * cell_px:
            return chosen
    pytest.fail("no three cells apart")


def cell_size(lon, lat, frame):
    """About how many pixels a cell spans: the distance of the two points in the middle."""
    column, row = frame(lon, lat)
    middle = np.nanargmin(np.hypot(column - frame.size[0] / 2, row - frame.size[1] / 2))
    away = np.hypot(column - column[middle], row - row[middle])
    return np.partition(away[away > 0.01], 0)[0]  # a seam's point is there twice


@pytest.mark.parametrize(("grid", "box"), CASES.values(), ids=CASES)
def test_a_warm_cell_is_painted_where_it_lies(grid, box, tmp_path):
    """Within a pixel of where cartopy projects the point that eccodes gives for the value."""
    region = region_of(**box, width_px=700)
    frame = CartopyFrame(region)
    lon, lat = points(mint(grid))
    cells = cells_inside(lon, lat, frame, cell_size(lon, lat, frame))
    values = 270.0 + np.arange(lon.size) % 7
    values[cells] = WARM_K

    image = painted(mint(grid, values), region, tmp_path)

    for cell, colour in zip(cells, WARM, strict=True):
        (column, row), _ = patch_of(image, colour)
        expected = frame(lon[cell], lat[cell])
        assert column == pytest.approx(float(expected[0][0]), abs=1.0)
        assert row == pytest.approx(float(expected[1][0]), abs=1.0)


@pytest.mark.parametrize("sampling", ["linear", "cubic"])
def test_smooth_sampling_keeps_the_middle_of_a_cell(sampling, tmp_path):
    region = region_of(**HOME, width_px=700)
    frame = CartopyFrame(region)
    lon, lat = points(mint(LATLON))
    (cell,) = np.flatnonzero((lon == 247) & (lat == 50))
    values = 270.0 + np.arange(lon.size) % 2
    values[cell] = 283.0

    image = painted(mint(LATLON, values), region, tmp_path, sampling=sampling)

    (column, row), _ = patch_of(image, WARM[0])
    expected = frame(lon[cell], lat[cell])
    assert column == pytest.approx(float(expected[0][0]), abs=1.0)
    assert row == pytest.approx(float(expected[1][0]), abs=1.0)


@pytest.mark.parametrize("by_columns", [False, True])
def test_a_field_scanned_as_a_plough_goes_lies_right(by_columns, tmp_path):
    """Every other row, or column, backwards: worked by hand, as eccodes turns none of them."""
    grid = {**LATLON, "alternativeRowScanning": 1, "jPointsAreConsecutive": int(by_columns)}
    field = 270.0 + np.arange(21 * 31).reshape(21, 31) % 7
    field[9, 12], field[12, 20], field[5, 8] = WARM_K  # row 0 at 60 N, column 0 at 130 W
    runs = field.T.copy() if by_columns else field.copy()
    runs[1::2] = runs[1::2, ::-1].copy()
    region = region_of(**HOME, width_px=700)
    frame = CartopyFrame(region)

    image = painted(mint(grid, runs.ravel()), region, tmp_path)

    places = ((-118, 51), (-110, 48), (-122, 55))
    for (lon, lat), colour in zip(places[:2], WARM[:2], strict=True):
        (column, row), _ = patch_of(image, colour)
        expected = frame(lon, lat)
        assert column == pytest.approx(float(expected[0][0]), abs=1.0)
        assert row == pytest.approx(float(expected[1][0]), abs=1.0)


EARTHS = {
    0: 6367470,
    6: 6371229,
    8: 6371200,
    4: (6378137, 298.257222101),
    5: (6378137, 298.257223563),
}


@pytest.mark.parametrize("shape", EARTHS)
def test_the_shape_of_the_earth_is_that_of_code_table_3_2(shape):
    import eccodes  # after pyproj, see render_farm.decode

    from render_farm.decode.arrangement import arrangement

    handle = eccodes.codes_new_from_message(mint({**LAMBERT, "shapeOfTheEarth": shape}))
    try:
        definition = arrangement(handle).grid.crs
    finally:
        eccodes.codes_release(handle)

    parts = dict(part.lstrip("+").split("=") for part in definition.split() if "=" in part)
    earth = EARTHS[shape]
    if isinstance(earth, tuple):
        axis, flattening = earth
        assert float(parts["a"]) == axis
        assert float(parts["b"]) == pytest.approx(axis * (1 - 1 / flattening), abs=0.5)
    else:
        assert float(parts["R"]) == earth
