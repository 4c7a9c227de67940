"""Places on earth: boxes, regions of maps, stations. Longitudes are -180..180, degrees."""

import difflib
from collections.abc import Mapping
from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from pydantic import Field, field_validator, model_validator

from render_farm.domain.entries import KEY, Frozen, Title
from render_farm.domain.extent import Projection
from render_farm.domain.framing import LARGEST_PX, SMALLEST_PX, completed

WIDEST_CONE, POLE = 180.0, 90.0
Latitude = Annotated[float, Field(ge=-90, le=90)]


class Box(Frozen):
    """A latitude/longitude box, degrees; it crosses the date line where east < west."""

    west: float = Field(ge=-180, le=180)
    east: float = Field(ge=-180, le=180)
    south: float = Field(ge=-90, le=90)
    north: float = Field(ge=-90, le=90)

    @model_validator(mode="after")
    def _south_below_north(self) -> "Box":
        if self.south >= self.north:
            raise ValueError(f"south {self.south} is not below north {self.north}")
        return self


class Region(Box):
    """What a map shows: a box, the projection it is drawn in, and the size of the picture.

    The frame shows at least the whole box; where the picture's shape differs from the box's,
    it shows more (never less). Whatever is left out of projection, size and counties is what
    suits the box (`framing.py`): a title and the box make a region.
    """

    key: str = Field(pattern=KEY)
    title: Title
    projection: Projection = "plate_carree"
    central_longitude: float = Field(default=0.0, ge=-360, le=360)
    central_latitude: float = Field(default=0.0, ge=-90, le=90)
    standard_parallels: tuple[Latitude, Latitude] | tuple[Latitude] | None = None
    width_px: int = Field(default=1600, ge=SMALLEST_PX, le=LARGEST_PX)
    height_px: int = Field(default=1200, ge=SMALLEST_PX, le=LARGEST_PX)
    timezone: str = "UTC"
    counties: bool = True

    @model_validator(mode="before")
    @classmethod
    def _fitting(cls, data: object) -> object:
        return completed(data) if isinstance(data, Mapping) else data

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError):
            near = difflib.get_close_matches(value, available_timezones(), n=1)
            raise ValueError(
                f"{value!r} is no time zone; "
                + (f"did you mean {near[0]!r}?" if near else "write it as 'America/Los_Angeles'")
            ) from None
        return value

    @model_validator(mode="after")
    def _has_an_image(self) -> "Region":
        if self.west == self.east:
            raise ValueError(
                f"west and east are both {self.west}: the box has no width"
                " (the whole earth is -180 to 180)"
            )
        span = (self.east - self.west) % 360 or 360.0
        if self.projection == "lambert_conformal" and span > WIDEST_CONE:
            raise ValueError(
                f"west {self.west} to east {self.east} spans {span:g} degrees of longitude; are"
                " they the right way round? (lambert_conformal shows at most"
                f" {WIDEST_CONE:g})"
            )
        return self

    @model_validator(mode="after")
    def _true_somewhere(self) -> "Region":
        given = self.standard_parallels or ()
        if self.projection == "polar_stereographic" or not given:
            return self
        cone = self.projection == "lambert_conformal"
        if any(abs(parallel) >= POLE for parallel in given) or (cone and given[0] == -given[-1]):
            raise ValueError(
                f"no {self.projection} is true at {' and '.join(f'{p:g}' for p in given)} degrees"
                " (standard_parallels); choose others, or another projection"
            )
        return self


class Station(Frozen):
    """A place whose value is written on maps; lower rank is placed first."""

    name: Title
    latitude: float = Field(ge=-90, le=90)
    longitude: float = Field(ge=-180, le=180)
    rank: int = 100
