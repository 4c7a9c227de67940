"""One latitude/longitude box around several, so that an hour is downloaded once. Pure."""

from collections.abc import Iterable

from render_farm.domain.places import Box

_CIRCLE = 360.0


def union(boxes: Iterable[Box]) -> Box:
    """The smallest box that holds all of them; it may cross the date line.

    boxes    at least one, longitudes -180..180; east < west crosses the date line
    raises   ValueError for no boxes
    """
    boxes = tuple(boxes)
    if not boxes:
        raise ValueError("no boxes to join")
    spans = sorted((box.west % _CIRCLE, _width(box)) for box in boxes)
    west, width = _smallest_arc(spans)
    return Box(
        west=_signed(west) if width < _CIRCLE else -180.0,
        east=_signed(west + width) if width < _CIRCLE else 180.0,
        south=min(box.south for box in boxes),
        north=max(box.north for box in boxes),
    )


def _width(box: Box) -> float:
    width = box.east - box.west
    return width if width >= 0 else width + _CIRCLE


def _smallest_arc(spans: list[tuple[float, float]]) -> tuple[float, float]:
    """The shortest arc that covers arcs given as (start 0..360, width), sorted by start.

    It starts where one of them starts, so each is tried.
    """
    best = (0.0, _CIRCLE)
    for start, _ in spans:
        width = max((west - start) % _CIRCLE + wide for west, wide in spans)
        if width < best[1]:
            best = (start, width)
    return best


def _signed(longitude: float) -> float:
    turned = longitude % _CIRCLE
    return turned - _CIRCLE if turned > _CIRCLE / 2 else turned
