"""Names for places: which ones a region's map writes values at, and what lies near a point.

The curated list of the configuration comes first; cities by population fill what it leaves empty,
so a region on the other side of the world has labels without a line of configuration.
"""

import math
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from render_farm.basedata.loader import cities
from render_farm.domain.places import Box, Station

WANTED = 70  # places on one map; collisions leave about three quarters of them
CURATED_SPACING, CITY_SPACING = 0.35, 0.6  # of the mean distance that WANTED places would have
CITY_RANK = 1000  # cities come after whatever the configuration ranks
NEAR_KM = 60.0
EARTH_KM = 6371.0
KM_PER_DEG = math.pi * EARTH_KM / 180


class Place(Protocol):
    """What is needed of a city."""

    @property
    def name(self) -> str:
        """Its name."""

    @property
    def latitude(self) -> float:
        """Degrees."""

    @property
    def longitude(self) -> float:
        """Degrees, -180..180."""

    @property
    def population(self) -> int:
        """Inhabitants."""


def contains(box: Box, latitude: float, longitude: float) -> bool:
    """Whether a place lies in *box*, which crosses the date line where east < west."""
    if not box.south <= latitude <= box.north:
        return False
    if box.west <= box.east:
        return box.west <= longitude <= box.east
    return longitude >= box.west or longitude <= box.east


def stations_for(
    box: Box, curated: Sequence[Station], others: Iterable[Place], wanted: int = WANTED
) -> tuple[Station, ...]:
    """At most *wanted* places of *box*: curated ones by rank, then cities by population.

    Both keep a distance that follows from the box's area, so the labels of a large map are spread
    over it instead of crowding where the list is long. Deterministic.
    """
    width = (box.east - box.west) % 360 or 360.0
    middle = math.radians((box.south + box.north) / 2)
    area = width * math.cos(middle) * (box.north - box.south) * KM_PER_DEG**2
    mean_km = math.sqrt(area / max(wanted, 1))
    chosen = _Spread()
    ranked = sorted(curated, key=lambda s: (s.rank, s.name, s.latitude, s.longitude))
    inside = [s for s in ranked if contains(box, s.latitude, s.longitude)]
    for station in inside:
        if len(chosen.stations) < wanted:
            chosen.add(station, CURATED_SPACING * mean_km)
    known = {station.name for station in inside}
    towns = [c for c in others if contains(box, c.latitude, c.longitude)]
    towns.sort(key=lambda c: (-c.population, c.name, c.latitude, c.longitude))
    for index, town in enumerate(towns):
        if len(chosen.stations) >= wanted:
            break
        if town.name in known:
            continue  # its airport is on the list
        station = Station(
            name=town.name,
            latitude=town.latitude,
            longitude=town.longitude,
            rank=CITY_RANK + index,
        )
        chosen.add(station, CITY_SPACING * mean_km)
    return tuple(chosen.stations)


class _Spread:
    """Stations that keep their distance."""

    def __init__(self) -> None:
        self.stations: list[Station] = []
        self._vectors = np.empty((0, 3))

    def add(self, station: Station, distance_km: float) -> None:
        """Take *station* unless one already taken is nearer than *distance_km*."""
        vector = _unit(np.array([station.latitude]), np.array([station.longitude]))
        chord = 2 * math.sin(min(distance_km / EARTH_KM, math.pi) / 2)
        if self.stations and np.linalg.norm(self._vectors - vector, axis=1).min() < chord:
            return
        self.stations.append(station)
        self._vectors = np.vstack([self._vectors, vector])


@lru_cache(maxsize=256)
def map_stations(box: Box, curated: tuple[Station, ...]) -> tuple[Station, ...]:
    """`stations_for` with the cities of the base data; kept, for it is asked for every frame."""
    return stations_for(box, curated, cities())


def near_text(latitude: float, longitude: float) -> str:
    """Where a point lies: "near Butte, MT" with a city within 60 km, else "at 43.5°N 116.2°W"."""
    towns, vectors = _directory()
    if towns:
        here = _unit(np.array([latitude]), np.array([longitude]))[0]
        cosines = vectors @ here
        nearest = int(cosines.argmax())
        if math.acos(min(1.0, float(cosines[nearest]))) * EARTH_KM <= NEAR_KM:
            return f"near {towns[nearest]}"
    north, east = ("N" if latitude >= 0 else "S"), ("E" if longitude >= 0 else "W")
    return f"at {abs(latitude):.1f}°{north} {abs(longitude):.1f}°{east}"


@lru_cache(maxsize=1)
def _directory() -> tuple[tuple[str, ...], NDArray[np.float64]]:
    found = cities()
    names = tuple(
        f"{c.name}, {c.admin1}" if c.country in {"US", "CA"} and c.admin1 else c.name for c in found
    )
    latitudes = np.array([c.latitude for c in found], np.float64)
    return names, _unit(latitudes, np.array([c.longitude for c in found], np.float64))


def _unit(latitude: NDArray[np.float64], longitude: NDArray[np.float64]) -> NDArray[np.float64]:
    """Degrees, shape (n,) -> unit vectors (n, 3)."""
    phi, lam = np.radians(latitude), np.radians(longitude)
    return np.stack([np.cos(phi) * np.cos(lam), np.cos(phi) * np.sin(lam), np.sin(phi)], axis=1)
