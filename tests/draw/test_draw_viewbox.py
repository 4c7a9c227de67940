import numpy as np
import pytest

from render_farm.domain.places import Region
from render_farm.draw.viewbox import region_view, shown_box
from render_farm.draw.viewport import Viewport


def test_the_view_of_a_region_holds_every_pixel_of_its_frame(region):
    viewport = Viewport.of(region)
    box = region_view(region).box
    column = np.arange(viewport.rect.width)[None, ::7]
    row = np.arange(viewport.rect.height)[::7, None]
    longitude, latitude = viewport.lonlat_of_pixels(column, row)
    on_earth = np.isfinite(longitude)
    longitude, latitude = longitude[on_earth], latitude[on_earth]

    across = (box.east - box.west) % 360 or 360
    assert ((longitude - box.west) % 360 <= across).all()
    assert (latitude >= box.south).all()
    assert (latitude <= box.north).all()


def test_the_view_across_the_date_line_has_its_east_below_its_west(regions):
    box = region_view(regions["date_line"]).box

    assert box.west > 150
    assert box.east < -150


def test_the_view_of_the_pole_has_all_longitudes(regions):
    box = region_view(regions["arctic"]).box

    assert (box.west, box.east, box.north) == (-180, 180, 90)


def test_a_pole_is_shown_whole_whichever_it_is_and_without_a_margin(regions):
    north = regions["arctic"]
    south = north.model_copy(update={"south": -90, "north": -60, "central_latitude": -90})

    boxes = [shown_box(Viewport.of(region)) for region in (north, south)]

    assert [(box.west, box.east) for box in boxes] == [(-180, 180), (-180, 180)]
    assert (boxes[0].north, boxes[1].south) == (90, -90)


def test_a_margin_is_as_wide_in_the_north_as_it_is_high():
    region = Region(key="far", title="Far", west=-150, east=-130, south=65, north=75)
    view = Viewport.of(region, 400, 320)

    bare, wide = shown_box(view), shown_box(view, 2.0)

    assert wide.north == pytest.approx(min(bare.north + 2, 90), abs=0.01)
    assert bare.west - wide.west >= 2 / np.cos(np.radians(75))
    assert wide.east - bare.east >= 2 / np.cos(np.radians(75))
