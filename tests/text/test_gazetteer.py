import math
from dataclasses import dataclass
from itertools import combinations, pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from render_farm.basedata.loader import cities
from render_farm.domain.places import Box, Station
from render_farm.draw.gazetteer import CITY_RANK, contains, map_stations, near_text, stations_for


@dataclass(frozen=True)
class Town:
    name: str
    latitude: float
    longitude: float
    population: int


def box(west, east, south, north):
    return Box(west=west, east=east, south=south, north=north)


PNW = box(-125, -110, 42, 49)
TOWNS = st.lists(
    st.builds(
        Town,
        name=st.text("xyz", min_size=1, max_size=4),
        latitude=st.floats(30, 55),
        longitude=st.floats(-130, -100),
        population=st.integers(1, 10**6),
    ),
    max_size=60,
)


@given(towns=TOWNS, wanted=st.integers(1, 40))
@settings(deadline=None)
def test_chosen_places_lie_inside_are_few_enough_and_keep_their_distance(towns, wanted):
    chosen = stations_for(PNW, [], towns, wanted)
    least = 0.6 * math.sqrt(15 * math.cos(math.radians(45.5)) * 7 / wanted)  # degrees, on average

    assert len(chosen) <= wanted
    assert all(contains(PNW, s.latitude, s.longitude) for s in chosen)
    for a, b in combinations(chosen, 2):
        middle = math.cos(math.radians((a.latitude + b.latitude) / 2))
        apart = math.hypot(a.latitude - b.latitude, (a.longitude - b.longitude) * middle)
        assert apart >= 0.99 * least


@given(TOWNS)
@settings(deadline=None)
def test_the_largest_city_is_always_among_them(towns):
    inside = [t for t in towns if contains(PNW, t.latitude, t.longitude)]
    if inside:
        assert (
            stations_for(PNW, [], towns)[0].name
            == min(inside, key=lambda t: (-t.population, t.name)).name
        )


def test_curated_places_come_before_any_city(curated):
    chosen = stations_for(PNW, curated, cities())
    ranks = [station.rank for station in chosen]

    assert ranks == sorted(ranks)
    assert [s.name for s in chosen[:4]] == ["Boise", "Portland", "Seattle", "Spokane"]
    assert sum(rank < CITY_RANK for rank in ranks) > 50


def test_a_city_that_is_on_the_list_is_not_named_twice(curated):
    for region in (PNW, box(-123.5, -121, 47, 49), box(-123.5, -122, 43.5, 45.8)):
        names = [station.name for station in map_stations(region, curated)]

        assert len(set(names)) == len(names)


def test_a_region_without_curated_places_gets_its_large_cities(curated):
    names = {station.name for station in map_stations(box(-10, 30, 36, 60), curated)}

    assert {"London", "Paris", "Berlin", "Madrid"} <= names


def test_a_box_across_the_date_line_holds_both_sides():
    region = box(170, -170, -25, -10)

    assert contains(region, -18, 178.4)
    assert contains(region, -14.3, -170.7)
    assert not contains(region, -18, 0)
    assert not contains(region, 0, 178.4)


def test_an_empty_ocean_has_no_places():
    assert stations_for(box(-150, -140, 30, 35), [], cities()) == ()


@pytest.mark.parametrize(
    ("latitude", "longitude", "text"),
    [
        (46.0, -112.5, "near Butte, MT"),
        (43.6, -116.2, "near Boise, ID"),
        (0.0, -150.0, "at 0.0°N 150.0°W"),
        (-45.25, 120.0, "at 45.2°S 120.0°E"),
    ],
)
def test_a_point_is_named_by_its_city_or_its_position(latitude, longitude, text):
    assert near_text(latitude, longitude) == text


def test_the_shipped_list_is_sound(curated):
    """Every place is named once, lies in the north-west, and near a city of the same name."""
    known = {}
    for city in cities():
        known.setdefault(city.name, []).append(city)

    assert 45 <= len(curated) <= 100
    assert len({station.name for station in curated}) == len(curated)
    assert all(a.rank <= b.rank for a, b in pairwise(curated))
    checked = 0
    for station in curated:
        assert contains(box(-126, -109, 41.5, 51), station.latitude, station.longitude)
        distances = [
            math.hypot(c.latitude - station.latitude, 0.7 * (c.longitude - station.longitude))
            for c in known.get(station.name, [])
            if c.country in {"US", "CA"}
        ]
        if distances and min(distances) < 3:  # farther is another town of that name
            assert min(distances) < 0.4, station.name
            checked += 1
    assert checked > 40
    assert isinstance(curated[0], Station)
