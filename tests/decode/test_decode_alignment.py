import numpy as np
import pytest

from render_farm.decode.alignment import aligned, cut_to
from render_farm.decode.fields import Field
from render_farm.decode.grid import Grid
from render_farm.decode.window import Window
from render_farm.domain.fields import MessageKey, Statistic

CRS = "+proj=longlat +R=6371229"
LAMBERT = "+proj=lcc +lat_0=38.5 +lon_0=262.5 +lat_1=38.5 +lat_2=38.5 +R=6371229"
KEY = MessageKey("APCP", "surface", 0, 6, Statistic.ACCUMULATION)
WHOLE = Grid("latlon", 60, 40, CRS, -140.0, 60.0, 0.25, -0.25)
CONE = Grid("lambert", 60, 40, LAMBERT, -1e6, 5e5, 3000.0, -3000.0)


def field(grid, window=None, **moved):
    """Values say where they lie in the whole grid; *moved* are changes of the cut-out's grid."""
    values = np.arange(grid.nx * grid.ny, dtype=np.float32).reshape(grid.shape)
    if window is not None:
        grid, values = window.cut_grid(grid), window.cut(values)
        grid = Grid(**{**{n: getattr(grid, n) for n in Grid.__slots__}, "part": None, **moved})
    return Field(values, KEY, grid, "kg m-2", earth_relative=False)


@pytest.mark.parametrize("grid", [WHOLE, CONE])
def test_a_cut_out_and_the_whole_grid_meet_on_the_cut_out(grid):
    whole, part = field(grid), field(grid, Window(7, 5, 20, 12))

    one, other = aligned([whole, part])

    assert one.grid == other.grid == part.grid
    assert np.array_equal(one.values, part.values)


def test_two_cut_outs_meet_where_both_have_points():
    west, east = field(WHOLE, Window(2, 3, 30, 20)), field(WHOLE, Window(20, 10, 30, 25))

    one, other = aligned([west, east])

    assert one.grid == other.grid
    assert one.grid.shape == (13, 12)
    assert np.array_equal(one.values, other.values)
    assert one.values[0, 0] == 10 * WHOLE.nx + 20


def test_longitudes_of_either_convention_are_the_same_place():
    part = field(WHOLE, Window(7, 5, 20, 12))
    turned = field(WHOLE, Window(7, 5, 20, 12), x0=part.grid.x0 + 360.0)

    one, other = aligned([field(WHOLE), turned])

    assert np.array_equal(one.values, other.values)


def test_a_corner_cut_to_a_millionth_of_a_degree_is_the_same_point():
    part = field(CONE, Window(7, 5, 20, 12))
    cut = field(CONE, Window(7, 5, 20, 12), x0=part.grid.x0 + 0.1)

    one, _ = aligned([field(CONE), cut])

    assert one.grid == cut.grid


@pytest.mark.parametrize(
    "moved",
    [{"x0": -138.12}, {"dx": 0.5}, {"crs": "+proj=longlat +R=6371200"}, {"x0": 20.0}],
    ids=["between points", "other steps", "other earth", "elsewhere"],
)
def test_fields_that_share_no_points_stay_as_they_are(moved):
    fields = [field(WHOLE), field(WHOLE, Window(7, 5, 20, 12), **moved)]

    assert aligned(fields) == tuple(fields)


def test_what_is_smaller_is_not_cut_to_what_is_larger():
    assert cut_to(field(WHOLE, Window(7, 5, 20, 12)), WHOLE) is None
