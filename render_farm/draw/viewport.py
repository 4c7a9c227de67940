"""Where on earth each pixel of a frame lies.

A `Viewport` ties a region and a picture size to a map projection. Pixel coordinates here are
relative to the map rectangle of the layout, (0, 0) being the centre of its upper left pixel.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
import pyproj
from numpy.typing import ArrayLike, NDArray

from render_farm.domain.places import Region
from render_farm.draw.layout import Rect, layout
from render_farm.draw.projection import (
    half_turn_m,
    is_cone,
    is_cylinder,
    proj,
    proj_definition,
    unrolled,
)

EDGE_POINTS = 65  # along each side of a region's box; a straight side bends in the projection

Float = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Viewport:
    """One region drawn at one size.

    definition  PROJ string
    left_m, top_m  projected coordinates of the outer corner of the map's upper left pixel
    m_per_px    projected metres per pixel, the same in both directions
    rect        the map rectangle within the frame
    scale       the layout's scale for text and line widths
    """

    region: str
    definition: str
    left_m: float
    top_m: float
    m_per_px: float
    rect: Rect
    scale: float

    @classmethod
    def of(
        cls, region: Region, width_px: int | None = None, height_px: int | None = None
    ) -> "Viewport":
        """The viewport that shows the whole box of *region*, and more where the shape asks it.

        ValueError: the box cannot be shown in the region's projection.
        """
        return _viewport(region, width_px or region.width_px, height_px or region.height_px)

    @property
    def key(self) -> str:
        """Everything that decides which point of the earth a pixel shows, as text."""
        return (
            f"{self.definition}|{self.left_m!r}|{self.top_m!r}|{self.m_per_px!r}"
            f"|{self.rect.width}x{self.rect.height}"
        )

    def pixels_of(self, longitude: ArrayLike, latitude: ArrayLike) -> tuple[Float, Float]:
        """Column and row (float64, same shape) of places; inf where the projection has none."""
        x, y = proj(self.definition)(
            np.asarray(longitude, np.float64), np.asarray(latitude, np.float64)
        )
        column = (np.asarray(x) - self.left_m) / self.m_per_px - 0.5
        row = (self.top_m - np.asarray(y)) / self.m_per_px - 0.5
        return column, row

    def outlines_of(
        self, longitude: ArrayLike, latitude: ArrayLike
    ) -> Iterator[tuple[Float, Float]]:
        """`pixels_of` for an outline that must stay in one piece, as often as it may be shown.

        Where a cylinder is cut open an outline would jump from one side of the map to the other;
        so it is unrolled, and given once for each turn. Other projections have no such cut in
        the map: once, plainly.
        """
        if not is_cylinder(self.definition):
            yield self.pixels_of(longitude, latitude)
            return
        whole = replace(self, definition=unrolled(self.definition))
        for turn in (-360.0, 0.0, 360.0):
            yield whole.pixels_of(np.asarray(longitude, np.float64) + turn, latitude)

    def lonlat_of_pixels(self, column: ArrayLike, row: ArrayLike) -> tuple[Float, Float]:
        """Longitude -180..180 and latitude (float64, broadcast shape); inf off the earth.

        Beyond the poles, beyond one turn of a cylinder and in the gap of an unrolled cone there
        is no earth.
        """
        x = self.left_m + (np.asarray(column, np.float64) + 0.5) * self.m_per_px
        y = self.top_m - (np.asarray(row, np.float64) + 0.5) * self.m_per_px
        x, y = np.broadcast_arrays(x, y)
        longitude, latitude = proj(self.definition)(
            np.ascontiguousarray(x), np.ascontiguousarray(y), inverse=True
        )
        longitude, latitude = np.asarray(longitude), np.asarray(latitude)
        with np.errstate(invalid="ignore"):
            if is_cylinder(self.definition):
                off = (np.abs(x) > half_turn_m(self.definition)) | (np.abs(latitude) > 90.0)
            elif _shows_gap(self):
                off = ~(self._misses(longitude, latitude, column, row) < 1.0)
            else:
                return longitude, latitude
        return np.where(off, np.inf, longitude), np.where(off, np.inf, latitude)

    def _misses(
        self, longitude: Float, latitude: Float, column: ArrayLike, row: ArrayLike
    ) -> Float:
        """How far off pixels places come out that were taken from them."""
        there_c, there_r = self.pixels_of(longitude, latitude)
        away_c, away_r = there_c - np.asarray(column), there_r - np.asarray(row)
        return np.asarray(np.hypot(away_c, away_r), np.float64)

    def north(self, column: ArrayLike, row: ArrayLike) -> Float:
        """Angle of true north at pixels, radians clockwise from the frame's up, float64."""
        longitude, latitude = self.lonlat_of_pixels(column, row)
        step = np.where(latitude < 89.9, 0.01, -0.01)
        c0, r0 = self.pixels_of(longitude, latitude)
        c1, r1 = self.pixels_of(longitude, latitude + step)
        sign = np.sign(step)
        return np.arctan2((c1 - c0) * sign, (r0 - r1) * sign)

    def km_per_px(self) -> float:
        """True kilometres that one pixel spans at the middle of the map."""
        column, row = (self.rect.width - 1) / 2, (self.rect.height - 1) / 2
        longitude, latitude = self.lonlat_of_pixels([column, column], [row, row + 1])
        _, _, metres = pyproj.Geod(ellps="WGS84").inv(
            longitude[0], latitude[0], longitude[1], latitude[1]
        )
        return float(metres) / 1000


@lru_cache(maxsize=64)
def _viewport(region: Region, width_px: int, height_px: int) -> Viewport:
    plan = layout(width_px, height_px)
    definition = proj_definition(region)
    x, y = proj(definition)(*_box_lattice(region))
    x, y = np.asarray(x), np.asarray(y)
    if not (np.isfinite(x).all() and np.isfinite(y).all()):
        raise ValueError(f"region {region.key!r} does not fit its projection {region.projection!r}")
    res = max((x.max() - x.min()) / plan.map.width, (y.max() - y.min()) / plan.map.height)
    return Viewport(
        region=region.key,
        definition=definition,
        left_m=float((x.min() + x.max() - res * plan.map.width) / 2),
        top_m=float((y.min() + y.max() + res * plan.map.height) / 2),
        m_per_px=float(res),
        rect=plan.map,
        scale=plan.scale,
    )


def _box_lattice(region: Region) -> tuple[Float, Float]:
    east = region.east + (360.0 if region.east < region.west else 0.0)
    longitude = np.linspace(region.west, east, EDGE_POINTS)
    latitude = np.linspace(region.south, region.north, EDGE_POINTS)
    lon2d, lat2d = np.meshgrid(longitude, latitude)
    return lon2d.ravel(), lat2d.ravel()


@lru_cache(maxsize=64)
def _shows_gap(viewport: Viewport) -> bool:
    """Whether a map reaches into the gap where an unrolled cone shows no earth.

    PROJ goes round the cone once more there and gives places that lie elsewhere on the map.
    """
    if not is_cone(viewport.definition):
        return False
    column = np.linspace(0, viewport.rect.width - 1, 41)[None, :]
    row = np.linspace(0, viewport.rect.height - 1, 41)[:, None]
    x = viewport.left_m + (column + 0.5) * viewport.m_per_px
    y = viewport.top_m - (row + 0.5) * viewport.m_per_px
    x, y = (np.ascontiguousarray(axis) for axis in np.broadcast_arrays(x, y))
    there_x, there_y = proj(viewport.definition)(*proj(viewport.definition)(x, y, inverse=True))
    away = np.hypot(there_x - x, there_y - y)
    return not bool((away < viewport.m_per_px).all())
