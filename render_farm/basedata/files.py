"""Writes the files that `polylines.read` and `loader.cities` read. Not used at run time."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import shapely

from render_farm.basedata.mesh import Units, units
from render_farm.basedata.sources import Shapes

LONGEST = 2500  # units, 0.25 degrees: a straight line on a map curves by less than 10 m
HOME = {"US", "CA", "MX"}
ABROAD_PEOPLE = 50_000
PROVINCES = dict(
    zip(
        ("01", "02", "03", "04", "05", "07", "08", "09", "10", "11", "12", "13", "14"),
        ("AB", "BC", "MB", "NB", "NL", "NS", "ON", "PE", "QC", "SK", "YT", "NT", "NU"),
        strict=True,
    )
)  # GeoNames numbers Canada's


def write_lines(path: Path, lines: list[Units]) -> None:
    """A file of lines."""
    _write(path, [d for line in lines if len(d := _stepped(line)) > 1], [])


def write_polygons(path: Path, polygons: Shapes) -> None:
    """A file of polygons, each its outer ring followed by its holes."""
    rings: list[Units] = []
    counts = []
    for polygon in polygons:
        outlines = [_stepped(units(shapely.get_coordinates(r))) for r in shapely.get_rings(polygon)]
        if len(outlines[0]) < 4:
            continue
        solid = [outlines[0], *(o for o in outlines[1:] if len(o) > 3)]
        rings += solid
        counts.append(len(solid))
    _write(path, rings, counts)


def write_cities(path: Path, places: Iterable[dict[str, Any]]) -> None:
    """A table without a head: name, latitude, longitude, people, country, division; by people."""
    rows = []
    for place in places:
        country, people = place["countrycode"], int(place["population"])
        if people < (5000 if country in HOME else ABROAD_PEOPLE):
            continue
        admin1 = place["admin1code"]
        if country == "CA":
            admin1 = PROVINCES[admin1]
        position = f"{place['latitude']:.4f}\t{place['longitude']:.4f}"
        rows.append(
            (
                -people,
                place["geonameid"],
                f"{place['name']}\t{position}\t{people}\t{country}\t{admin1}\n",
            )
        )
    path.write_text("".join(row[2] for row in sorted(rows)), encoding="utf-8", newline="\n")


def _stepped(line: Units) -> Units:
    """Without repeated points, and with points added so that no step is longer than LONGEST."""
    line = line[np.concatenate(([True], (np.diff(line, axis=0) != 0).any(axis=1)))]
    if len(line) < 2:
        return line
    pieces = -(-np.abs(np.diff(line, axis=0)).max(axis=1) // LONGEST)
    at = np.repeat(np.arange(len(pieces)), pieces)
    share = (np.arange(len(at)) - np.repeat(np.cumsum(pieces) - pieces, pieces)) / pieces[at]
    points = line[at] + (line[at + 1] - line[at]) * share[:, None]
    return np.concatenate([np.round(points).astype(np.int64), line[-1:]])


def _write(path: Path, lines: list[Units], rings: list[int]) -> None:
    np.savez_compressed(
        path,
        begin=np.array([line[0] for line in lines], np.int32).reshape(-1, 2),
        counts=np.array([len(line) for line in lines], np.int32),
        steps=np.concatenate([np.diff(line, axis=0) for line in lines]).astype(np.int16),
        rings=np.array(rings, np.int32),
    )
