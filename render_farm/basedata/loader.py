"""Coast, borders, lakes and cities of the base map, from the files beside this module.

Nothing here reads from a network. A layer is read when first asked for and kept; the arrays
handed out are shared views and read-only. `build.py` made the files, NOTICE names the sources.
"""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

import numpy as np

from render_farm.basedata.polylines import Line, Polylines, overlap, read
from render_farm.domain.places import Box

DATA = Path(__file__).parent / "data"

Outline = Literal["coast", "countries", "states", "counties", "lakes"]
Area = Literal["land", "lakes"]


@dataclass(frozen=True, slots=True)
class Polygon:
    """An area: rings float32 (n, 2) longitude, latitude; the first point of each ends it too."""

    outer: Line
    holes: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class City:
    """A populated place.

    country: ISO 3166 code of two letters. admin1: postal code of the state or province in the US
    and Canada, else GeoNames' code of the first-order division; may be empty.
    """

    name: str
    latitude: float
    longitude: float
    population: int
    country: str
    admin1: str


def outlines(layer: Outline, box: Box | None = None) -> list[Line]:
    """Lines of a layer as float32 (n, 2) longitude, latitude; each stretch of border once.

    coast: shore of the oceans and seas. lakes: shores of lakes, the Great Lakes among them.
    countries: borders between countries. states: between states or provinces of one country (US,
    Canada, Mexico). counties: between counties of one US state. The layers do not repeat each
    other, so counties + states + countries + coast drawn together double nothing.
    With a box (date line allowed): only parts that may touch it, uncut, in under a millisecond.
    """
    lines = _coast() if layer == "coast" else _read(layer)[0]
    return lines.lines() if box is None else lines.near(box)


def polygons(area: Area, box: Box | None = None) -> list[Polygon]:
    """Areas of land (lakes count as land) or lakes; with a box those that may reach into it."""
    shapes, low, high = _polygons(area)
    if box is None:
        return list(shapes)
    return [shapes[i] for i in np.flatnonzero(overlap(low, high, box))]


@cache
def cities() -> tuple[City, ...]:
    """Cities, the most populous first: US, Canada and Mexico from 5000 people, else larger."""
    rows = (line.split("\t") for line in (DATA / "cities.tsv").read_text("utf-8").splitlines())
    return tuple(
        City(name, float(lat), float(lon), int(people), country, admin1)
        for name, lat, lon, people, country, admin1 in rows
    )


def forget() -> None:
    """Let go of the outlines read so far (60 MB for a continent); cities stay."""
    for kept in (_read, _coast, _polygons):
        kept.cache_clear()


@cache
def _read(name: str) -> tuple[Polylines, tuple[int, ...]]:
    lines, rings = read(DATA / f"{name}.npz")
    return lines, tuple(rings.tolist())


@cache
def _coast() -> Polylines:
    """The rings of land, less the edges that only close them at the date line and the pole."""
    land = _read("land")[0]
    longitude, latitude = np.abs(land.points[:, 0]), land.points[:, 1]
    closing = (longitude[:-1] >= 180) & (longitude[1:] >= 180)
    closing |= (latitude[:-1] <= -90) & (latitude[1:] <= -90)
    return land.without(closing)


@cache
def _polygons(area: Area) -> tuple[tuple[Polygon, ...], Line, Line]:
    """The polygons, and their boxes: (k, 2) west, south and (k, 2) east, north."""
    lines, counts = _read(area)
    rings = iter(lines.lines())
    shapes = tuple(Polygon(next(rings), tuple(next(rings) for _ in range(n - 1))) for n in counts)
    low = np.array([shape.outer.min(axis=0) for shape in shapes], np.float32).reshape(-1, 2)
    high = np.array([shape.outer.max(axis=0) for shape in shapes], np.float32).reshape(-1, 2)
    return shapes, low, high
