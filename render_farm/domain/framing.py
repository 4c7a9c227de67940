"""What suits a region that an operator gave as a box alone: projection, size, counties.

Pure arithmetic on a sphere: good for choosing, not for drawing (`draw/projection.py` projects).
"""

import math
from collections.abc import Mapping

from render_farm.domain.extent import FULL_CIRCLE, Projection, Span, extent_km
from render_farm.domain.sheet import REFERENCE_HEIGHT_PX, REFERENCE_WIDTH_PX, furniture_px

_TROPICS = 20.0  # nearer to the equator than this a cone degenerates to a cylinder
_POLAR = 72.0  # a box whose middle is nearer to the pole is best seen from above it
_WIDEST_FAN = 120.0  # a cone over more longitude than this shows much that nobody asked for
_MERCATOR_LIMIT = 75.0
_TRUE_AT = 60.0  # latitude of true scale of polar maps
NARROWEST_PX, LOWEST_PX = 800, 640  # below, titles and legends no longer fit beside each other
SMALLEST_PX, LARGEST_PX = 200, 8000  # what any region may ask for
_STEP_PX = 10  # sizes are even: video wants it
_COUNTIES_KM_PER_PX = 2.2  # beyond, the lines of counties run into each other


def completed(table: Mapping[str, object]) -> dict[str, object]:
    """A region's table with what it leaves out of its projection and size filled in.

    table    as read from TOML; what is there stays, whatever it is
    returns  a copy; unchanged where the box itself is missing or no box: that is told by others
    """
    filled = dict(table)
    span = _span(table)
    if span is None:
        return filled
    filled.setdefault("projection", projection_of(span))
    for key, value in _parameters(str(filled["projection"]), span).items():
        filled.setdefault(key, value)
    if "width_px" in table and "height_px" in table and "counties" in table:
        return filled
    shown = extent_km(filled, span)
    if shown is None or not all(_is_size(table.get(name)) for name in ("width_px", "height_px")):
        return filled
    _set_size(filled, shown)
    width, height = filled["width_px"], filled["height_px"]
    if isinstance(width, int) and isinstance(height, int):
        filled.setdefault("counties", _km_per_px(shown, width, height) <= _COUNTIES_KM_PER_PX)
    return filled


def projection_of(span: Span) -> Projection:
    """The projection in which a box looks as people expect it."""
    one_side = span.south * span.north >= 0
    farthest = max(abs(span.south), abs(span.north))
    nearest = min(abs(span.south), abs(span.north)) if one_side else 0.0
    from_above = abs(span.latitude) >= _POLAR or span.width > _WIDEST_FAN
    if from_above and nearest >= _TROPICS:
        return "polar_stereographic"
    if span.width > _WIDEST_FAN:
        return "plate_carree"
    if one_side and abs(span.latitude) >= _TROPICS:
        return "lambert_conformal" if farthest < 90 else "polar_stereographic"
    return "mercator" if farthest <= _MERCATOR_LIMIT else "plate_carree"


def fitting_size(aspect: float) -> tuple[int, int]:
    """Width and height in px of the frame whose map has this ratio of width to height.

    As large as fits the reference size; of a box too long or too tall for that, the shorter side
    stops at the least that titles and legend need, and the map shows more than the box.
    """
    height = _height_of(REFERENCE_WIDTH_PX, aspect)
    if height <= REFERENCE_HEIGHT_PX:
        return REFERENCE_WIDTH_PX, height
    return _width_of(REFERENCE_HEIGHT_PX, aspect), REFERENCE_HEIGHT_PX


def _height_of(width: int, aspect: float) -> int:
    height = REFERENCE_HEIGHT_PX
    for _ in range(8):
        height = _stepped(width / aspect + sum(furniture_px(width, height)))
    return max(height, LOWEST_PX)


def _width_of(height: int, aspect: float) -> int:
    width = REFERENCE_WIDTH_PX
    for _ in range(8):  # header and footer shrink a little with the width
        width = _stepped(aspect * (height - sum(furniture_px(width, height))))
    return max(width, NARROWEST_PX)


def _stepped(pixels: float) -> int:
    return _STEP_PX * round(min(max(pixels, SMALLEST_PX), LARGEST_PX) / _STEP_PX)


def _is_size(value: object) -> bool:
    """Whether a picture can have it, or nothing was said; anything else is told by others."""
    return value is None or (isinstance(value, int) and SMALLEST_PX <= value <= LARGEST_PX)


def _span(table: Mapping[str, object]) -> Span | None:
    edges = [table.get(name) for name in ("west", "east", "south", "north")]
    numbers = [float(edge) for edge in edges if isinstance(edge, int | float)]
    if len(numbers) != len(edges) or not all(map(math.isfinite, numbers)):
        return None
    west, east, south, north = numbers
    if not -90 <= south < north <= 90:
        return None
    width = (east - west) % FULL_CIRCLE or FULL_CIRCLE
    middle = (west + width / 2 + 180.0) % FULL_CIRCLE - 180.0
    return Span(round(middle, 4), width, south, north)


def _parameters(projection: str, span: Span) -> dict[str, object]:
    south, north = span.south, span.north
    found: dict[str, object] = {"central_longitude": span.middle}
    if projection == "lambert_conformal":
        sixth = (north - south) / 6
        found["central_latitude"] = round(span.latitude, 4)
        found["standard_parallels"] = (round(south + sixth, 4), round(north - sixth, 4))
    elif projection == "polar_stereographic":
        pole = math.copysign(90.0, span.latitude)
        found["central_latitude"] = pole
        found["standard_parallels"] = (math.copysign(_TRUE_AT, pole),)
    return found


def _set_size(table: dict[str, object], shown: tuple[float, float]) -> None:
    aspect = shown[0] / shown[1]
    width, height = table.get("width_px"), table.get("height_px")
    fitting = fitting_size(aspect)
    if isinstance(width, int) and height is None:
        table["height_px"] = _height_of(width, aspect)
    elif isinstance(height, int) and width is None:
        table["width_px"] = _width_of(height, aspect)
    else:
        table.setdefault("width_px", fitting[0])
        table.setdefault("height_px", fitting[1])


def _km_per_px(shown: tuple[float, float], width: int, height: int) -> float:
    map_height = max(height - sum(furniture_px(width, height)), 1)
    return max(shown[0] / width, shown[1] / map_height)
