"""Where on earth each pixel of a frame lies.

A `Viewport` ties a region and a picture size to a map projection. Pixel coordinates here are
relative to the map rectangle of the layout, (0, 0) being the centre of its upper left pixel. The
projections are those of cartopy for the same parameters (WGS 84 ellipsoid), reached through
pyproj alone: importing cartopy would cost a fresh worker a second.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pyproj
from numpy.typing import ArrayLike, NDArray

from render_farm.domain.jobs import RegionView
from render_farm.domain.places import Box, Region
from render_farm.draw.layout import Rect, layout

EDGE_POINTS = 65  # along each side of a region's box; a straight side bends in the projection
VIEW_STEP_PX = 16
VIEW_MARGIN_DEG = 1.5  # for bicubic kernels, smoothing near the frame and the wrap of a grid cell

_CYLINDERS = ("+proj=merc", "+proj=eqc")

Float = NDArray[np.float64]


@lru_cache(maxsize=64)
def _proj(definition: str) -> pyproj.Proj:
    return pyproj.Proj(definition)


def proj_definition(region: Region) -> str:
    """The PROJ string of a region's projection, equal to cartopy's class of the same name.

    `standard_parallels` are the two of a Lambert cone, the latitude of true scale of the others.
    """
    lon0, lat0 = region.central_longitude, region.central_latitude
    parallels = region.standard_parallels
    match region.projection:
        case "lambert_conformal":
            first, *rest = parallels or (33.0, 45.0)
            second = rest[0] if rest else first
            shape = f"+proj=lcc +lon_0={lon0} +lat_0={lat0} +lat_1={first} +lat_2={second}"
            return f"{shape} +ellps=WGS84 +units=m +no_defs"
        case "mercator":
            true_scale = parallels[0] if parallels else 0.0
            shape = f"+proj=merc +lon_0={lon0} +lat_ts={true_scale}"
            return f"{shape} +ellps=WGS84 +units=m +no_defs"
        case "polar_stereographic":
            pole = -90.0 if lat0 < 0 else 90.0
            # PROJ takes a latitude of the other hemisphere for one beyond the pole.
            true_scale = math.copysign(parallels[0], pole) if parallels else pole
            shape = f"+proj=stere +lat_0={pole} +lon_0={lon0} +lat_ts={true_scale}"
            return f"{shape} +ellps=WGS84 +units=m +no_defs"
        case "plate_carree":
            true_scale = parallels[0] if parallels else 0.0
            shape = f"+proj=eqc +lon_0={lon0} +lat_ts={true_scale}"
            return f"{shape} +R=6378137 +units=m +no_defs"


@lru_cache(maxsize=64)
def _shows_gap(viewport: "Viewport") -> bool:
    """Whether a map reaches into the gap where an unrolled cone shows no earth.

    PROJ goes round the cone once more there and gives places that lie elsewhere on the map.
    """
    if not viewport.definition.startswith("+proj=lcc"):
        return False
    column = np.linspace(0, viewport.rect.width - 1, 41)[None, :]
    row = np.linspace(0, viewport.rect.height - 1, 41)[:, None]
    x = viewport.left_m + (column + 0.5) * viewport.m_per_px
    y = viewport.top_m - (row + 0.5) * viewport.m_per_px
    x, y = (np.ascontiguousarray(axis) for axis in np.broadcast_arrays(x, y))
    there_x, there_y = _proj(viewport.definition)(*_proj(viewport.definition)(x, y, inverse=True))
    away = np.hypot(there_x - x, there_y - y)
    return not bool((away < viewport.m_per_px).all())


@lru_cache(maxsize=64)
def _half_turn_m(definition: str) -> float:
    """Half the width of a cylinder's whole map."""
    x, _ = _proj(f"{definition} +over")(_central(definition) + 180.0, 0.0)
    return float(x) * (1 + 1e-9)


def _central(definition: str) -> float:
    return next(float(p[7:]) for p in definition.split() if p.startswith("+lon_0="))


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
        x, y = _proj(self.definition)(
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
        if not self.definition.startswith(_CYLINDERS):
            yield self.pixels_of(longitude, latitude)
            return
        unrolled = Viewport(
            self.region,
            f"{self.definition} +over",
            self.left_m,
            self.top_m,
            self.m_per_px,
            self.rect,
            self.scale,
        )
        for turn in (-360.0, 0.0, 360.0):
            yield unrolled.pixels_of(np.asarray(longitude, np.float64) + turn, latitude)

    def lonlat_of_pixels(self, column: ArrayLike, row: ArrayLike) -> tuple[Float, Float]:
        """Longitude -180..180 and latitude (float64, broadcast shape); inf off the earth.

        Beyond the poles, beyond one turn of a cylinder and in the gap of an unrolled cone there
        is no earth.
        """
        x = self.left_m + (np.asarray(column, np.float64) + 0.5) * self.m_per_px
        y = self.top_m - (np.asarray(row, np.float64) + 0.5) * self.m_per_px
        x, y = np.broadcast_arrays(x, y)
        longitude, latitude = _proj(self.definition)(
            np.ascontiguousarray(x), np.ascontiguousarray(y), inverse=True
        )
        longitude, latitude = np.asarray(longitude), np.asarray(latitude)
        with np.errstate(invalid="ignore"):
            if self.definition.startswith(_CYLINDERS):
                off = (np.abs(x) > _half_turn_m(self.definition)) | (np.abs(latitude) > 90.0)
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

    def box(self, margin_deg: float = 0.0) -> Box:
        """The latitude/longitude box that the map shows, plus a margin (wider in longitude).

        A map across the date line gives east < west; one that shows a pole, all longitudes.
        """
        return _box(self, margin_deg)

    def shows_pole(self, latitude: float) -> bool:
        """Whether the pole at *latitude* (-90 or 90) lies within the map."""
        if "+proj=stere" not in self.definition:
            return False
        column, row = self.pixels_of([0.0], [latitude])
        return bool(0 <= column[0] < self.rect.width and 0 <= row[0] < self.rect.height)


@lru_cache(maxsize=128)
def _box(viewport: Viewport, margin_deg: float) -> Box:
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
    poles = [pole for pole in (-90.0, 90.0) if viewport.shows_pole(pole)]
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


@lru_cache(maxsize=64)
def _viewport(region: Region, width_px: int, height_px: int) -> Viewport:
    plan = layout(width_px, height_px)
    definition = proj_definition(region)
    x, y = _proj(definition)(*_box_lattice(region))
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


def region_view(region: Region) -> RegionView:
    """The latitude/longitude box that the frame of *region* really shows, with a margin."""
    return RegionView(region.key, Viewport.of(region).box(VIEW_MARGIN_DEG))


def _steps(size_px: int) -> Float:
    return np.unique(np.append(np.arange(0, size_px, VIEW_STEP_PX), size_px - 1)).astype(np.float64)
