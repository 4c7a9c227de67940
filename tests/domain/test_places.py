"""What an operator may write about boxes, regions and stations."""

import pytest
from pydantic import ValidationError

from render_farm.domain.places import Box, Region, Station


def test_a_box_may_cross_the_date_line_but_not_stand_on_its_head():
    assert Box(west=170, east=-170, south=-20, north=20).east == -170
    with pytest.raises(ValidationError, match="not below north"):
        Box(west=0, east=1, south=10, north=10)
    with pytest.raises(ValidationError):
        Box(west=-190, east=0, south=0, north=1)


def test_a_region_has_a_key_fit_for_urls_and_a_sane_size():
    keys = {
        "title": "Pacific Northwest",
        "projection": "lambert_conformal",
        "central_longitude": -117.5,
        "standard_parallels": [43, 48],
        "west": -125,
        "east": -110,
        "south": 42,
        "north": 49,
    }
    assert Region(key="pnw", **keys).standard_parallels == (43, 48)
    for wrong in ({"key": "a/b"}, {"key": "pnw", "width_px": 10}):
        with pytest.raises(ValidationError):
            Region(**{**keys, **wrong})
    with pytest.raises(ValidationError):
        Station(name="Pole", latitude=91, longitude=0)
