import pytest
from hypothesis import given
from hypothesis import strategies as st

from render_farm.domain.places import Box
from twf_async.plan.boxes import union

LONGITUDES = st.integers(-180, 180).map(float)
LATITUDES = st.integers(-90, 89).map(float)


@st.composite
def boxes(draw):
    south = draw(LATITUDES)
    return Box(west=draw(LONGITUDES), east=draw(LONGITUDES), south=south, north=south + 1)


def holds(box, longitude):
    width = (box.east - box.west) % 360 or (360 if box.east != box.west else 0)
    return (longitude - box.west) % 360 <= width + 1e-9


def width(box):
    return (
        (box.east - box.west) % 360 if box.east - box.west not in {360, 0} else box.east - box.west
    )


@given(st.lists(boxes(), min_size=1, max_size=5))
def test_the_union_holds_every_corner_of_every_box(parts):
    whole = union(parts)
    for box in parts:
        assert holds(whole, box.west)
        assert holds(whole, box.east)
        assert whole.south <= box.south < box.north <= whole.north


@given(boxes())
def test_a_single_box_is_its_own_union(box):
    assert width(union([box])) == pytest.approx(width(box))


@pytest.mark.parametrize(
    ("parts", "west", "east"),
    [
        ([(-125, -110), (-80, -65)], -125, -65),
        ([(170, -170), (-160, -150)], 170, -150),  # across the date line, not around the earth
        ([(-10, 10), (170, 180)], -10, 180),
        ([(-180, 180), (0, 10)], -180, 180),
        ([(-120, 10), (0, 130), (120, -110)], -180, 180),
    ],
)
def test_the_shorter_way_round_is_taken(parts, west, east):
    whole = union([Box(west=w, east=e, south=0, north=1) for w, e in parts])
    assert (whole.west, whole.east) == (west, east)


def test_no_boxes_have_no_union():
    with pytest.raises(ValueError, match="no boxes"):
        union([])
