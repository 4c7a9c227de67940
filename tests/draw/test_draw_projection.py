import numpy as np

from render_farm.draw.viewport import Viewport


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
