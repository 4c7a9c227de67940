import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from render_farm.domain.places import Region
from render_farm.draw.projection import Viewport, region_view

LAMBERT = {
    "key": "r",
    "title": "r",
    "projection": "lambert_conformal",
    "central_longitude": -100,
    "central_latitude": 40,
    "standard_parallels": (33, 45),
}


def cartopy_crs(region):
    import cartopy.crs as ccrs

    lon0, lat0 = region.central_longitude, region.central_latitude
    match region.projection:
        case "lambert_conformal":
            return ccrs.LambertConformal(lon0, lat0, standard_parallels=region.standard_parallels)
        case "mercator":
            return ccrs.Mercator(lon0)
        case "polar_stereographic":
            return ccrs.NorthPolarStereo(lon0, true_scale_latitude=region.standard_parallels[0])
        case "plate_carree":
            return ccrs.PlateCarree(lon0)


def test_places_lie_where_cartopy_projects_them(region):
    """Within a hundredth of a pixel, the extents of the frame taken as given."""
    import cartopy.crs as ccrs

    viewport = Viewport.of(region)
    rng = np.random.default_rng(1)
    column = rng.uniform(0, viewport.rect.width - 1, 400)
    row = rng.uniform(0, viewport.rect.height - 1, 400)
    longitude, latitude = viewport.lonlat_of_pixels(column, row)
    on_earth = np.isfinite(longitude)
    crs = cartopy_crs(region)

    points = crs.transform_points(ccrs.PlateCarree(), longitude[on_earth], latitude[on_earth])
    metres = 6378137 * np.pi / 180 if region.projection == "plate_carree" else 1.0
    x, y = points[:, 0] * metres, points[:, 1] * metres

    got_c = (x - viewport.left_m) / viewport.m_per_px - 0.5
    got_r = (viewport.top_m - y) / viewport.m_per_px - 0.5
    assert np.abs(got_c - column[on_earth]).max() < 0.01
    assert np.abs(got_r - row[on_earth]).max() < 0.01


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


def test_a_margin_is_as_wide_in_the_north_as_it_is_high():
    region = Region(key="far", title="Far", west=-150, east=-130, south=65, north=75)
    view = Viewport.of(region, 400, 320)

    bare, wide = view.box(), view.box(2.0)

    assert wide.north == pytest.approx(min(bare.north + 2, 90), abs=0.01)
    assert bare.west - wide.west >= 2 / np.cos(np.radians(75))
    assert wide.east - bare.east >= 2 / np.cos(np.radians(75))
