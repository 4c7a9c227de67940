"""The latitude/longitude box that a map shows: what is fetched and decoded for it."""

import math
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from render_farm.domain.jobs import RegionView
from render_farm.domain.places import Box, Region
from render_farm.draw.projection import is_polar
from render_farm.draw.viewport import Viewport

VIEW_STEP_PX = 16
VIEW_MARGIN_DEG = 1.5  # for bicubic kernels, smoothing near the frame and the wrap of a grid cell


def region_view(region: Region) -> RegionView:
    """The latitude/longitude box that the frame of *region* really shows, with a margin."""
    return RegionView(region.key, shown_box(Viewport.of(region), VIEW_MARGIN_DEG))


@lru_cache(maxsize=128)
def shown_box(viewport: Viewport, margin_deg: float = 0.0) -> Box:
    """The latitude/longitude box that the map shows, plus a margin (wider in longitude).

    A map across the date line gives east < west; one that shows a pole, all longitudes.
    """
    column, row = _steps(viewport.rect.width), _steps(viewport.rect.height)
    longitude, latitude = viewport.lonlat_of_pixels(column[None, :], row[:, None])
    seen = np.isfinite(longitude) & np.isfinite(latitude)
    centre, _ = viewport.lonlat_of_pixels(
        [(viewport.rect.width - 1) / 2], [(viewport.rect.height - 1) / 2]
    )
    middle = float(centre[0]) if np.isfinite(centre[0]) else 0.0
    around = (longitude[seen] - middle + 180) % 360 - 180
    south, north = float(latitude[seen].min()), float(latitude[seen].max())
    narrowest = math.cos(math.radians(min(max(abs(south), abs(north)), 87.0)))
    half = margin_deg / narrowest
    west, east = float(around.min()) - half, float(around.max()) + half
    poles = [pole for pole in (-90.0, 90.0) if _shows_pole(viewport, pole)]
    if poles or east - west >= 360:
        west, east = -180.0, 180.0
        south, north = min([south, *poles]), max([north, *poles])
    else:
        west, east = ((middle + edge + 180) % 360 - 180 for edge in (west, east))
    return Box(
        west=round(west, 3),
        east=round(east, 3),
        south=round(max(south - margin_deg, -90.0), 3),
        north=round(min(north + margin_deg, 90.0), 3),
    )


def _shows_pole(viewport: Viewport, latitude: float) -> bool:
    """Whether the pole at *latitude* (-90 or 90) lies within the map."""
    if not is_polar(viewport.definition):
        return False
    column, row = viewport.pixels_of([0.0], [latitude])
    return bool(0 <= column[0] < viewport.rect.width and 0 <= row[0] < viewport.rect.height)


def _steps(size_px: int) -> NDArray[np.float64]:
    return np.unique(np.append(np.arange(0, size_px, VIEW_STEP_PX), size_px - 1)).astype(np.float64)
