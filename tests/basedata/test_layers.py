"""The committed data: is it all there, in range, in place, and drawn once?"""

import subprocess
import sys
from itertools import combinations
from typing import get_args

import numpy as np
import pytest

from render_farm.basedata import loader
from render_farm.basedata.polylines import QUANTUM_DEG
from render_farm.domain.places import Box

LAYERS = get_args(loader.Outline)
KM_PER_DEG = 111.2


def distance_km(layer, latitude, longitude):
    """From a place to the nearest segment of a layer."""
    box = Box(west=longitude - 1, east=longitude + 1, south=latitude - 1, north=latitude + 1)
    nearest = np.inf
    scale = np.array([KM_PER_DEG * np.cos(np.radians(latitude)), KM_PER_DEG])
    for line in loader.outlines(layer, box):
        points = (line.astype(float) - [longitude, latitude]) * scale
        a, step = points[:-1], np.diff(points, axis=0)
        share = np.clip(-(a * step).sum(1) / np.maximum((step**2).sum(1), 1e-12), 0, 1)
        nearest = min(nearest, np.hypot(*(a + share[:, None] * step).T).min())
    return nearest


def is_inside(area, latitude, longitude):
    here = Box(
        west=longitude - 1e-6,
        east=longitude + 1e-6,
        south=latitude - 1e-6,
        north=latitude + 1e-6,
    )
    crossings = 0
    for shape in loader.polygons(area, here):
        for ring in (shape.outer, *shape.holes):
            (x0, y0), (x1, y1) = ring[:-1].T.astype(float), ring[1:].T.astype(float)
            spans = (y0 > latitude) != (y1 > latitude)
            at = x0 + (latitude - y0) * (x1 - x0) / np.where(spans, y1 - y0, 1)
            crossings += int((spans & (at > longitude)).sum())
    return crossings % 2 == 1


@pytest.mark.parametrize("layer", LAYERS)
def test_every_layer_holds_lines_of_degrees_that_nobody_can_change(layer):
    lines = loader.outlines(layer)
    assert len(lines) > 100
    assert all(line.dtype == np.float32 and line.ndim == 2 and len(line) >= 2 for line in lines)
    every = np.concatenate(lines)
    assert np.isfinite(every).all()
    assert np.abs(every[:, 0]).max() <= 180
    assert np.abs(every[:, 1]).max() <= 90
    with pytest.raises(ValueError, match="read-only"):
        lines[0][0, 0] = 0


@pytest.mark.parametrize("layer", LAYERS)
def test_no_line_jumps_and_none_crosses_the_date_line(layer):
    steps = [np.abs(np.diff(line, axis=0)).max() for line in loader.outlines(layer)]
    assert max(steps) < 0.2501
    assert min(np.abs(np.diff(line, axis=0)).sum(1).min() for line in loader.outlines(layer)) > 0


def test_no_stretch_of_any_layer_is_drawn_twice():
    seen = {}
    for layer in LAYERS:
        lines = [np.rint(line / QUANTUM_DEG).astype(np.int64) for line in loader.outlines(layer)]
        places = [line @ [4_000_000, 1] for line in lines]
        ends = np.sort(np.concatenate([np.stack([p[:-1], p[1:]], 1) for p in places]), axis=1)
        mixed = ends.view(np.uint64) @ np.array([0x9E3779B97F4A7C15, 1], np.uint64)
        seen[layer] = np.unique(mixed, return_counts=True)
    for layer, (_, times) in seen.items():
        assert (times > 1).mean() < 0.0005, layer
    for one, other in combinations(("counties", "states", "countries", "coast"), 2):
        shared = np.isin(seen[one][0], seen[other][0])
        assert shared.sum() <= 2, (one, other)


def test_the_coast_has_no_edges_along_the_date_line_or_at_the_pole():
    for line in loader.outlines("coast"):
        on_edge = (np.abs(line[:, 0]) >= 180) | (line[:, 1] <= -90)
        assert not (on_edge[:-1] & on_edge[1:]).any()


@pytest.mark.parametrize(
    ("place", "layer", "latitude", "longitude", "within_km"),
    [
        ("Cape Flattery", "coast", 48.383, -124.725, 3),
        ("Alki Point, Seattle", "coast", 47.5763, -122.4207, 0.5),
        ("Cape Hatteras", "coast", 35.2225, -75.53, 2),
        ("Point Atkinson, British Columbia", "coast", 49.3304, -123.2646, 3),
        ("Lands End, Cornwall", "coast", 50.066, -5.715, 3),
        ("Columbia River at Interstate 5", "states", 45.618, -122.675, 1),
        ("Columbia River at The Dalles", "states", 45.608, -121.14, 1.5),
        ("Columbia River at Longview", "states", 46.105, -122.95, 1.5),
        ("Four Corners", "states", 36.999, -109.0452, 0.2),
        ("Alberta and Saskatchewan", "states", 54.0, -110.0, 0.5),
        ("Baja California and Baja California Sur", "states", 28.0, -113.5, 1),
        ("King and Pierce counties", "counties", 47.2577, -122.33, 1),
        ("Rio Grande at Laredo", "countries", 27.5, -99.507, 1),
        ("France and Spain at Le Perthus", "countries", 42.463, 2.863, 3),
        ("Chicago", "lakes", 41.888, -87.611, 1),
        ("Emerald Bay, Lake Tahoe", "lakes", 38.955, -120.085, 3),
    ],
)
def test_a_known_place_lies_on_its_line(place, layer, latitude, longitude, within_km):
    assert distance_km(layer, latitude, longitude) < within_km, place


def test_the_border_of_the_49th_parallel_is_whole_and_on_the_parallel():
    box = Box(west=-122, east=-115, south=48.8, north=49.2)
    points = np.concatenate(loader.outlines("countries", box))
    points = points[(points[:, 0] > -122) & (points[:, 0] < -115)]
    assert np.abs(points[:, 1] - 49).max() < 0.01
    assert np.diff(np.sort(points[:, 0])).max() < 0.26


@pytest.mark.parametrize(
    ("place", "latitude", "longitude", "land", "lake"),
    [
        ("Lake Tahoe", 39.1, -120.04, True, True),
        ("Great Salt Lake", 41.1, -112.45, True, True),
        ("Lake Superior", 47.7, -87.5, True, True),
        ("Lake Huron and Georgian Bay", 45.2, -81.7, True, True),
        ("Isle Royale, an island in Lake Superior", 48.0, -88.85, True, False),
        ("Seattle", 47.61, -122.33, True, False),
        ("Whidbey Island", 48.22, -122.68, True, False),
        ("San Juan Island", 48.53, -123.08, True, False),
        ("Puget Sound", 47.6, -122.45, False, False),
        ("Strait of Juan de Fuca", 48.25, -123.5, False, False),
        ("Caspian Sea", 42.0, 50.5, False, False),
        ("The South Pole", -89.9, 10.0, True, False),
        ("Chukotka, beyond the date line", 67.0, -178.0, True, False),
    ],
)
def test_a_known_place_is_land_sea_or_lake(place, latitude, longitude, land, lake):
    assert is_inside("land", latitude, longitude) is land, place
    assert is_inside("lakes", latitude, longitude) is lake, place


def test_rings_of_polygons_are_closed():
    for area in get_args(loader.Area):
        for shape in loader.polygons(area):
            for ring in (shape.outer, *shape.holes):
                assert len(ring) > 3
                assert (ring[0] == ring[-1]).all()


def test_a_box_across_the_date_line_shows_both_sides():
    aleutians = Box(west=175, east=-175, south=51, north=53)
    points = np.concatenate(loader.outlines("coast", aleutians))
    assert (points[:, 0] > 175).any()
    assert (points[:, 0] < -175).any()
    assert len(points) < 20_000
    assert loader.polygons("land", aleutians)


def test_a_region_gets_only_a_small_part_of_the_world():
    pnw = Box(west=-125, east=-110, south=42, north=49)
    assert 1000 < sum(map(len, loader.outlines("coast", pnw))) < 20_000
    assert loader.outlines("counties", Box(west=0, east=10, south=45, north=50)) == []


@pytest.mark.parametrize(
    ("name", "country", "admin1", "latitude", "longitude", "people"),
    [
        ("Seattle", "US", "WA", 47.606, -122.332, 600_000),
        ("Portland", "US", "OR", 45.523, -122.676, 500_000),
        ("Spokane", "US", "WA", 47.659, -117.429, 200_000),
        ("Vancouver", "CA", "BC", 49.25, -123.12, 500_000),
        ("Forks", "US", "WA", 47.95, -124.39, None),
        ("Tijuana", "MX", "02", 32.5, -117.0, 1_000_000),
        ("Montréal", "CA", "QC", 45.51, -73.59, 1_500_000),
    ],
)
def test_a_known_city_is_where_it_should_be(name, country, admin1, latitude, longitude, people):
    found = [c for c in loader.cities() if (c.name, c.country, c.admin1) == (name, country, admin1)]
    if people is None:
        assert found == [], "too small to be listed"
        return
    assert found[0].latitude == pytest.approx(latitude, abs=0.1)
    assert found[0].longitude == pytest.approx(longitude, abs=0.1)
    assert found[0].population > people


def test_cities_come_largest_first_and_small_ones_only_near_home():
    people = [city.population for city in loader.cities()]
    assert people == sorted(people, reverse=True)
    assert min(people) >= 5000
    assert {c.country for c in loader.cities() if c.population < 50_000} == {"US", "CA", "MX"}
    assert all(abs(c.latitude) <= 90 and abs(c.longitude) <= 180 for c in loader.cities())


def test_the_data_set_is_small():
    sizes = [path.stat().st_size for path in loader.DATA.iterdir()]
    assert sum(sizes) < 5_000_000
    assert max(sizes) < 2_000_000


def test_loading_everything_needs_no_network_and_no_library_that_could_use_one():
    code = """
import sys
def deny(event, arguments):
    if event.startswith("socket."):
        raise SystemExit(f"{event} {arguments}")
sys.addaudithook(deny)
from render_farm.basedata import loader
for layer in ("coast", "countries", "states", "counties", "lakes"):
    loader.outlines(layer)
loader.polygons("land"), loader.polygons("lakes"), loader.cities()
print(sorted({"cartopy", "shapely", "shapefile", "matplotlib", "aiohttp"} & set(sys.modules)))
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stdout.strip()) == (0, "[]"), done.stderr
