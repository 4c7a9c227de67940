"""Hours of a model are held to one grid."""

import pytest

from render_farm.domain.places import Box
from tests.fetch.conftest import PNW
from tests.fetch.fakes.errands import errand
from twf_async.fetch.errors import WrongGrid
from twf_async.fetch.grids import Grids

USUAL, OTHER = frozenset({(30, 501, 395)}), frozenset({(30, 501, 394)})


def test_an_hour_of_another_shape_is_refused_and_others_go_on(models):
    grids, hrrr = Grids(), models["hrrr"]
    grids.require(errand(hrrr, hour=0), PNW, USUAL)

    for _ in range(3):
        with pytest.raises(WrongGrid, match="501 x 394 points, other hours have 501 x 395"):
            grids.require(errand(hrrr, hour=1), PNW, OTHER)
    grids.require(errand(hrrr, hour=2), PNW, USUAL)


def test_a_shape_that_a_second_hour_has_too_is_believed(models):
    """The model moved to another grid, or the first hour we saw was the odd one."""
    grids, hrrr = Grids(), models["hrrr"]
    grids.require(errand(hrrr, hour=0), PNW, USUAL)
    with pytest.raises(WrongGrid):
        grids.require(errand(hrrr, hour=1), PNW, OTHER)

    grids.require(errand(hrrr, hour=2), PNW, OTHER)
    grids.require(errand(hrrr, hour=1), PNW, OTHER)


def test_other_boxes_models_and_whole_grids_have_their_own_shapes(models):
    grids = Grids()
    grids.require(errand(models["hrrr"]), PNW, USUAL)

    grids.require(errand(models["hrrr"]), Box(west=-110, east=-100, south=40, north=45), OTHER)
    grids.require(errand(models["hrrr"]), None, OTHER)
    grids.require(errand(models["gfs"]), PNW, OTHER)
