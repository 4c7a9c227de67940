"""Cutting fields to what will be shown changes where arrays end, and no value."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from render_farm.decode.fields import Failure, Field
from render_farm.decode.grid import Grid
from render_farm.decode.read import read
from render_farm.decode.window import MARGIN_CELLS, window_of
from render_farm.domain.fields import MessageKey, Statistic
from render_farm.domain.jobs import MessageSource
from render_farm.domain.places import Box
from tests.decode.gribmint import LATLON, mint

EARTH = "+R=6371229.0 +no_defs"
GFS = Grid("latlon", 1440, 721, f"+proj=longlat {EARTH}", 0.0, 90.0, 0.25, -0.25, cyclic=True)
HRRR = Grid(
    "lambert",
    1799,
    1059,
    f"+proj=lcc +lat_1=38.5 +lat_2=38.5 +lat_0=38.5 +lon_0=262.5 {EARTH}",
    -2697520.14,
    1586693.85,
    3000.0,
    -3000.0,
)
PNW = Box(west=-125, east=-110, south=42, north=49)


def box(west, east, south=-10, north=10):
    return Box(west=west, east=east, south=south, north=north)


def assert_holds(grid, window, shown):
    """Each corner and the middle of the box lie inside the cut grid, with the margin."""
    cut = window.cut_grid(grid)
    width = (shown.east - shown.west) % 360
    for part in (0, 0.5, 1):
        for lat in (shown.south, shown.north):
            column, row = cut.index(shown.west + part * width, lat)
            assert -1e-6 <= column <= cut.nx - 1 + 1e-6
            assert -1e-6 <= row <= cut.ny - 1 + 1e-6


@pytest.mark.parametrize("grid", [GFS, HRRR])
def test_a_region_is_cut_with_a_margin(grid):
    window = window_of(grid, [PNW])

    assert_holds(grid, window, PNW)
    assert window.width * window.height < 0.25 * grid.nx * grid.ny


def test_on_a_lat_lon_grid_the_margin_is_exact():
    window = window_of(GFS, [PNW])
    assert window.width == 15 * 4 + 1 + 2 * MARGIN_CELLS
    assert window.height == 7 * 4 + 1 + 2 * MARGIN_CELLS
    assert window.cut_grid(GFS).x0 == pytest.approx(-125 - MARGIN_CELLS * 0.25)


def test_a_box_across_greenwich_or_the_date_line_stays_in_one_piece():
    for shown in (box(-10, 10), box(170, -170), box(-0.1, 5), box(179, -179)):
        window = window_of(GFS, [shown])
        assert_holds(GFS, window, shown)
        assert window.width == pytest.approx((shown.east - shown.west) % 360 * 4 + 13, abs=2)


def test_several_boxes_take_the_shorter_way_round_the_earth():
    shown = [box(-125, -110), box(-80, -70), box(170, -175)]
    window = window_of(GFS, shown)
    for each in shown:
        assert_holds(GFS, window, each)
    assert window.width == pytest.approx(120 * 4 + 13, abs=2)  # 170 E eastwards to 70 W


@given(st.lists(st.tuples(st.integers(-180, 180), st.integers(1, 120)), min_size=1, max_size=4))
def test_every_box_is_in_the_window(spans):
    shown = [box(west, (west + width + 180) % 360 - 180) for west, width in spans]
    window = window_of(GFS, shown)
    if window is not None:
        assert window.width < GFS.nx
        for each in shown:
            assert_holds(GFS, window, each)


def test_the_whole_grid_is_kept_where_nearly_all_or_none_of_it_is_shown():
    assert window_of(GFS, []) is None
    assert window_of(GFS, [box(-180, 180, -90, 90)]) is None
    assert window_of(GFS, [box(0, 150), box(150, -60), box(-60, 0)]) is not None
    assert window_of(HRRR, [box(10, 20, 40, 50)]) is None
    assert window_of(HRRR, [box(-135, -60, 20, 55)]) is None


def test_values_of_a_cut_field_are_those_of_the_whole(test_data):
    path = str(next(test_data.glob("nomads/**/hrrr.t17z.wrfsfcf06.grib2")))
    source = MessageSource(path, MessageKey("REFC", "entire atmosphere", 6, 6, Statistic.INSTANT))
    whole = read([source], cycle="2026012917")[source]
    cut = read([source], cycle="2026012917", boxes=[PNW])[source]

    assert cut.values.size < 0.3 * whole.values.size
    assert cut.grid.shape == cut.values.shape
    assert cut.values.base is None
    for lon, lat in ((-122.7, 45.5), (-117.4, 47.7), (-112.0, 43.5)):
        (c, r), (wc, wr) = (
            tuple(round(float(axis)) for axis in field.grid.index(lon, lat))
            for field in (cut, whole)
        )
        assert cut.values[r, c] == whole.values[wr, wc]


def test_values_across_the_seam_are_joined(test_data):
    path = str(next(test_data.glob("nomads/**/gfs.t12z.pgrb2.0p25.f006")))
    key = MessageKey("TMP", "2 m above ground", 6, 6, Statistic.INSTANT)
    source = MessageSource(path, key)
    whole = read([source], cycle="2026012912")[source]
    cut = read([source], cycle="2026012912", boxes=[box(-20, 20, 30, 60)])[source]

    np.testing.assert_array_equal(
        cut.values[MARGIN_CELLS:-MARGIN_CELLS, MARGIN_CELLS:-MARGIN_CELLS],
        np.roll(whole.values, 80, axis=1)[120:241, :161],
    )


def test_a_region_without_any_value_is_refused(tmp_path):
    path = tmp_path / "gap.grib2"
    path.write_bytes(mint(LATLON, missing=slice(0, 20 * 31)))
    key = MessageKey("TMP", "2 m above ground", 6, 6, Statistic.INSTANT)
    source = MessageSource(str(path), key)
    assert isinstance(read([source], cycle="2026012912")[source], Field)
    north = [box(-120, -115, 52, 58)]
    result = read([source], cycle="2026012912", boxes=north)[source]
    assert isinstance(result, Failure)
    assert "every value in the regions is missing" in result.detail


def test_a_part_knows_where_in_the_whole_it_lies():
    for shown in (box(-10, 10), box(170, -170), PNW):
        window = window_of(GFS, [shown])
        part = window.cut_grid(GFS)
        column, row = part.index(shown.west, shown.south)
        whole_column, whole_row = GFS.index(shown.west, shown.south)
        assert part.part.whole == GFS
        assert (column + part.part.left - whole_column) % GFS.nx == pytest.approx(0, abs=1e-6)
        assert row + part.part.top == pytest.approx(whole_row, abs=1e-6)


def test_a_band_round_the_earth_stays_a_ring():
    arctic = window_of(GFS, [box(-180, 180, 60, 90)]).cut_grid(GFS)
    assert arctic.cyclic
    assert arctic.nx == GFS.nx
    assert not window_of(GFS, [PNW]).cut_grid(GFS).cyclic
