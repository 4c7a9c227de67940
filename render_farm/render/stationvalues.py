"""The values that a scene writes at places: where, and what."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from render_farm.domain.layers import StationValues
from render_farm.draw.gazetteer import map_stations
from render_farm.draw.linelabels import Occupied
from render_farm.draw.sampling import sample_at
from render_farm.draw.stations import (
    LabelStyle,
    Spot,
    draw_stations,
    label_style,
    place,
    station_text,
    widest_text,
)
from render_farm.draw.viewbox import shown_box
from render_farm.render.scene import Scene


@dataclass(frozen=True, slots=True)
class Values:
    """Spots with their texts ("" where nothing is to be written), in one style."""

    spots: tuple[Spot, ...]
    texts: tuple[str, ...]
    style: LabelStyle

    def claim(self, occupied: Occupied) -> None:
        """Keep the ground of what will be written free of everything else."""
        for spot, text in zip(self.spots, self.texts, strict=True):
            if text:
                box = spot.box
                occupied.take_box(box.left, box.top, box.right, box.bottom)

    def draw(self, ink: NDArray[np.uint8], halo: NDArray[np.uint8]) -> None:
        """Write them on two coverage canvases of the map, in place."""
        draw_stations(ink, halo, self.spots, self.texts, self.style)


def station_values(scene: Scene, spec: StationValues) -> Values:
    """Bilinear values of the fill at the map's stations; the spots are the same in every hour."""
    viewport, display = scene.viewport, scene.display
    style = label_style(viewport.scale)

    def pixels_of(
        longitude: NDArray[np.float64], latitude: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        column, row = viewport.pixels_of(longitude, latitude)
        return column + 0.5, row + 0.5  # text counts from the pixel's edge

    widest = widest_text(display, spec, style)
    places = map_stations(shown_box(viewport), scene.job.stations)
    spots = place(places, pixels_of, viewport.rect, widest, style)
    longitude = np.array([spot.station.longitude for spot in spots], np.float64)
    latitude = np.array([spot.station.latitude for spot in spots], np.float64)
    grid = scene.derived.grid
    fill = scene.derived.arrays["fill"]
    values = sample_at(fill, *grid.index(longitude, latitude), cyclic=grid.cyclic)
    shown = values.astype(np.float64) * display.factor + display.offset
    return Values(spots, tuple(station_text(float(value), spec) for value in shown), style)
