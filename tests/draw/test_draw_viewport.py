import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from render_farm.domain.places import Region
from render_farm.draw.viewport import Viewport

LAMBERT = {
    "key": "r",
    "title": "r",
    "projection": "lambert_conformal",
    "central_longitude": -100,
    "central_latitude": 40,
    "standard_parallels": (33, 45),
}


def test_pixels_and_places_are_inverses(region):
    viewport = Viewport.of(region)
    column = np.linspace(0, viewport.rect.width - 1, 37)[None, :]
    row = np.linspace(0, viewport.rect.height - 1, 29)[:, None]
    longitude, latitude = viewport.lonlat_of_pixels(column, row)
    on_earth = np.isfinite(longitude)

    back_c, back_r = viewport.pixels_of(longitude[on_earth], latitude[on_earth])

    want_c, want_r = (a[on_earth] for a in np.broadcast_arrays(column, row))
    assert np.abs(back_c - want_c).max() < 1e-4
    assert np.abs(back_r - want_r).max() < 1e-4


@given(
    west=st.floats(-135, -90),
    width=st.floats(1, 40),
    south=st.floats(15, 55),
    height=st.floats(1, 15),
    size=st.tuples(st.integers(200, 2000), st.integers(220, 2000)),
)
def test_a_frame_shows_the_whole_box_whatever_its_shape(west, width, south, height, size):
    region = Region(
        **LAMBERT, west=west, east=west + width, south=south, north=south + height
    ).model_copy(update={"width_px": size[0], "height_px": size[1]})
    viewport = Viewport.of(region)
    longitude, latitude = np.meshgrid(
        np.linspace(west, west + width, 9), np.linspace(south, south + height, 9)
    )

    column, row = viewport.pixels_of(longitude, latitude)

    assert (column.min(), row.min()) >= (-0.51, -0.51)
    assert column.max() <= viewport.rect.width - 0.49
    assert row.max() <= viewport.rect.height - 0.49


def test_a_region_that_its_projection_cannot_show_is_refused():
    region = Region(**LAMBERT, west=-100, east=-90, south=-90, north=40)

    with pytest.raises(ValueError, match="does not fit its projection"):
        Viewport.of(region)


def test_north_is_up_on_the_central_meridian_and_leans_inwards_beside_it(pnw):
    viewport = Viewport.of(pnw)
    column, row = viewport.pixels_of([-117.5, -124.0, -111.0], [45.0, 45.0, 45.0])

    middle, west, east = viewport.north(column, row)

    assert abs(middle) < 1e-4
    assert west > 0.05
    assert east < -0.05
