"""From a minted GRIB2 message to the pixels of its map, through the path that the worker takes.

Where things should lie is worked out by cartopy and by the definition of a frame (the whole box,
centred, square pixels), never by the renderer's own projections.
"""

from dataclasses import dataclass

import cartopy.crs as ccrs
import cv2
import numpy as np
from PIL import Image

from render_farm.domain.fields import FieldSpec
from render_farm.domain.jobs import MessageSource, ProductTask, RenderJob
from render_farm.domain.places import Region
from render_farm.domain.products import Product
from render_farm.domain.scales import Scale
from render_farm.domain.style import Style
from render_farm.draw.layout import layout
from render_farm.render.hour import render_hour

CYCLE, HOUR = "2026012912", 6
COLD, WARM = "#808080", ("#ff0000", "#00ff00", "#0000ff")
WARM_K = (283.0, 287.0, 289.0)  # within what can stand alone at 2 m
_DISPLAY = {
    "unit": "K",
    "levels": [200, 280, 286, 288, 290],
    "colours": [COLD, *WARM],
    "under": "#000000",
    "over": "#ffffff",
}
SCALE = Scale(key="plain", title="plain", si_unit="K", imperial=_DISPLAY, metric=_DISPLAY)


def region_of(**table):
    return Region(key="here", title="Here", **table)


def job_of(path, region, directory, *, sampling="nearest", field="TMP:2 m above ground", **more):
    product = Product(
        key="plain",
        title="Plain",
        recipe="identity",
        fields={"value": field},
        scales={"fill": "plain"},
        sampling=sampling,
    )
    keys = FieldSpec.parse(field).messages(HOUR, 6)
    inputs = {"value": tuple(MessageSource(str(path), key) for _, key in keys)}
    task = ProductTask(product, {"fill": SCALE}, inputs, (region.key,))
    return RenderJob(
        model="gfs",
        model_title="GFS",
        cycle=CYCLE,
        hour=HOUR,
        tasks=(task,),
        regions=(region,),
        stations=(),
        style=Style(),
        staging_dir=str(directory / "staging"),
        map_cache_dir=str(directory / "maps"),
        counties=False,
        **more,
    )


def painted(message, region, directory, **how):
    """The map of a message, without header and footer: (h, w, 3) uint8."""
    path = directory / "field.grib2"
    path.write_bytes(message)
    outcome = render_hour(job_of(path, region, directory, **how))
    assert outcome.failures == ()
    return map_of(outcome.frames[0].path, region)


def map_of(path, region):
    image = np.asarray(Image.open(path).convert("RGB"))
    where = layout(region.width_px, region.height_px).map
    return image[where.top : where.bottom, where.left : where.right]


def cartopy_crs(region):
    """cartopy's own projection for the parameters of a region."""
    lon0, lat0 = region.central_longitude, region.central_latitude
    parallels = region.standard_parallels
    match region.projection:
        case "lambert_conformal":
            # cartopy cuts a cone's map below this latitude; nothing here lies there
            cutoff = 80 if lat0 < 0 else -80
            return ccrs.LambertConformal(lon0, lat0, standard_parallels=parallels, cutoff=cutoff)
        case "mercator":
            return ccrs.Mercator(lon0, min_latitude=-85, max_latitude=85)
        case "polar_stereographic":
            kind = ccrs.SouthPolarStereo if lat0 < 0 else ccrs.NorthPolarStereo
            return kind(lon0, true_scale_latitude=parallels[0])
        case "plate_carree":
            return ccrs.PlateCarree(lon0)


@dataclass
class CartopyFrame:
    """Pixel columns and rows of places by cartopy, for a frame that shows its box centred."""

    region: Region

    def __post_init__(self):
        region = self.region
        self.crs = cartopy_crs(region)
        width = (region.east - region.west) % 360 or 360
        # A whole circle ends just short of itself: both of its ends are one meridian.
        steps = np.linspace(0, width - (1e-9 if width == 360 else 0), 721)
        lon, lat = np.meshgrid(region.west + steps, np.linspace(region.south, region.north, 181))
        x, y = self._plane(lon.ravel(), lat.ravel())
        rect = layout(region.width_px, region.height_px).map
        self.per_px = max(np.ptp(x) / rect.width, np.ptp(y) / rect.height)
        self.left = (x.min() + x.max() - self.per_px * rect.width) / 2
        self.top = (y.min() + y.max() + self.per_px * rect.height) / 2
        self.size = rect.width, rect.height
        self.box_px = np.ptp(x) / self.per_px, np.ptp(y) / self.per_px

    def _plane(self, lon, lat):
        points = self.crs.transform_points(ccrs.PlateCarree(), np.asarray(lon), np.asarray(lat))
        return points[:, 0], points[:, 1]

    def __call__(self, lon, lat):
        x, y = self._plane(np.atleast_1d(lon), np.atleast_1d(lat))
        return (x - self.left) / self.per_px - 0.5, (self.top - y) / self.per_px - 0.5


def patch_of(image, colour):
    """Middle (column, row) and size of the area of one pure colour, also below dark lines."""
    rgb = tuple(int(colour[i : i + 2], 16) for i in (1, 3, 5))
    channel = int(np.argmax(rgb))
    others = np.delete(image, channel, axis=2).max(axis=2).astype(int)
    mask = (image[..., channel] > 3 * others + 12).astype(np.uint8)
    count, _, stats, _ = cv2.connectedComponentsWithStats(
        cv2.morphologyEx(mask, cv2.MORPH_CLOSE, np.ones((5, 5), np.uint8))
    )
    assert count == 2, f"{count - 1} areas of {colour} instead of one"
    left, top, width, height, _ = stats[1]
    return (left + (width - 1) / 2, top + (height - 1) / 2), (width, height)
