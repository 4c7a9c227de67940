"""A title and a box make a region: its projection, size and counties suit it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from render_farm.domain.framing import LOWEST_PX, NARROWEST_PX
from render_farm.domain.places import Region
from render_farm.draw.layout import layout
from render_farm.draw.viewport import Viewport
from tests.world.painting import CartopyFrame, region_of


@pytest.mark.parametrize(
    ("box", "projection"),
    [
        ({"west": -125, "east": -110, "south": 42, "north": 49}, "lambert_conformal"),
        ({"west": 112, "east": 154, "south": -44, "north": -10}, "lambert_conformal"),
        ({"west": -100, "east": -60, "south": 5, "north": 30}, "mercator"),
        ({"west": 165, "east": -170, "south": -24, "north": 5}, "mercator"),
        ({"west": -180, "east": 180, "south": 55, "north": 90}, "polar_stereographic"),
        ({"west": -180, "east": 180, "south": -90, "north": -60}, "polar_stereographic"),
        ({"west": -60, "east": 0, "south": 70, "north": 85}, "polar_stereographic"),
        ({"west": -180, "east": 180, "south": 20, "north": 80}, "polar_stereographic"),
        ({"west": -180, "east": 180, "south": -90, "north": 90}, "plate_carree"),
        ({"west": 120, "east": -80, "south": -20, "north": 60}, "plate_carree"),
    ],
)
def test_the_projection_suits_the_box(box, projection):
    assert region_of(**box).projection == projection


def test_a_cone_touches_a_sixth_from_both_edges_and_stands_on_the_middle():
    region = region_of(west=170, east=-170, south=40, north=52)

    assert region.standard_parallels == (42.0, 50.0)
    assert abs(region.central_longitude) == 180
    assert region.central_latitude == 46


def test_what_is_given_stays():
    region = region_of(
        west=-10,
        east=10,
        south=40,
        north=50,
        projection="mercator",
        central_longitude=3,
        width_px=777,
        counties=True,
    )

    assert (region.projection, region.central_longitude) == ("mercator", 3)
    assert (region.width_px, region.counties) == (777, True)
    assert region.standard_parallels is None


boxes = st.builds(
    lambda west, width, south, height: {
        "west": west,
        "east": (west + width + 180) % 360 - 180,
        "south": south,
        "north": min(south + height, 89.0),
    },
    west=st.floats(-180, 179).map(lambda v: round(v, 2)),
    width=st.floats(0.5, 110).map(lambda v: round(v, 2)),
    south=st.floats(-88, 80).map(lambda v: round(v, 2)),
    height=st.floats(0.5, 60).map(lambda v: round(v, 2)),
)


@given(boxes)
def test_any_box_fills_its_map_by_cartopys_measure(box):
    """Both ways to within 2 % and a step in size, but for strips that a title would not fit."""
    region = region_of(**box)
    frame = CartopyFrame(region)
    width, height = frame.size
    assert region.width_px <= 1600
    assert region.height_px <= 1200
    Viewport.of(region)

    box_width, box_height = frame.box_px

    if region.width_px > NARROWEST_PX:
        assert box_width > 0.97 * width - 10
    if region.height_px > LOWEST_PX:
        assert box_height > 0.97 * height - 10


@pytest.mark.parametrize(
    ("given_px", "made"),
    [({"width_px": 800}, "height_px"), ({"height_px": 900}, "width_px")],
)
def test_one_side_of_the_size_is_enough(given_px, made):
    region = region_of(west=-125, east=-102, south=31, north=49, **given_px)
    width, height = CartopyFrame(region).box_px
    shown = layout(region.width_px, region.height_px).map

    assert getattr(region, made) not in {1600, 1200}  # not the sizes of a region without a box
    assert width == pytest.approx(shown.width, rel=0.03)
    assert height == pytest.approx(shown.height, rel=0.03)


def test_counties_are_drawn_where_there_is_room_for_them():
    near = region_of(west=-123.5, east=-121, south=47, north=49)
    far = region_of(west=-125, east=-66.5, south=24, north=50)

    assert near.counties
    assert not far.counties


def test_a_box_without_an_edge_says_so_and_nothing_else():
    with pytest.raises(ValidationError) as caught:
        region_of(west=-125, south=42, north=49)

    (fault,) = caught.value.errors()
    assert fault["loc"] == ("east",)


@pytest.mark.parametrize(
    ("box", "told"),
    [
        ({"west": 0, "east": 0, "south": 40, "north": 50}, "no width"),
        ({"west": 0, "east": 10, "south": 50, "north": 40}, "not below"),
        (
            {
                "west": -180,
                "east": 180,
                "south": 20,
                "north": 60,
                "projection": "lambert_conformal",
            },
            "spans 360 degrees",
        ),
    ],
)
def test_a_box_that_is_none_is_refused_in_words(box, told):
    with pytest.raises(ValidationError, match=told):
        Region(key="here", title="Here", **box)
