"""Lines, marks, barbs and station values of a scene, as coverage to be laid on its fill."""

import cv2
import numpy as np
from numpy.typing import NDArray

from render_farm.domain.catalog import LineLayer
from render_farm.draw import barbs, contours, extrema, linelabels, streamlets
from render_farm.draw.colours import RGB, rgb
from render_farm.draw.compose import Overlay
from render_farm.draw.gazetteer import map_stations
from render_farm.draw.linelabels import Occupied
from render_farm.draw.sampling import Sampled, sample_at
from render_farm.draw.stations import draw_stations, label_style, place, station_text, widest_text
from render_farm.render.scene import Scene

Coverage = NDArray[np.uint8]
HALO: RGB = (255, 255, 255)
INK: RGB = (12, 14, 18)


class Overlays:
    """Collects the overlays of one scene.

    From the bottom: lines by colour, one white halo for all that is written, the writing by
    colour. Labels of lines claim their ground first come, first served.
    """

    def __init__(self, scene: Scene, sampled: Sampled) -> None:
        self._scene, self._sampled = scene, sampled
        self._lines: dict[RGB, Coverage] = {}
        self._inks: dict[RGB, Coverage] = {}
        self._halo: Coverage | None = None
        self._occupied = Occupied()
        self._labels: list[linelabels.Label] = []

    def collect(self) -> list[Overlay]:
        """Draw everything that the product asks for; ValueError for what cannot be drawn."""
        product = self._scene.product
        # Pressure before thickness: the later layer is the lesser one where labels compete.
        for layer in reversed(product.lines):
            self._draw_layer(layer)
        for label in self._labels:
            for canvas in self._lines.values():
                linelabels.cut_gap(canvas, label, self._scene.viewport.scale)
        if product.stations is not None:
            self._draw_stations()
        if product.wind is not None:
            self._draw_wind()
        halo = [] if self._halo is None else [Overlay(self._halo, HALO)]
        lines = [Overlay(canvas, colour) for colour, canvas in reversed(self._lines.items())]
        inks = [Overlay(canvas, colour) for colour, canvas in self._inks.items()]
        return [*lines, *halo, *inks]

    def _canvas(self, canvases: dict[RGB, Coverage], colour: RGB) -> Coverage:
        if colour not in canvases:
            width, height = self._scene.rect
            canvases[colour] = np.zeros((height, width), np.uint8)
        return canvases[colour]

    def _halo_canvas(self) -> Coverage:
        if self._halo is None:
            width, height = self._scene.rect
            self._halo = np.zeros((height, width), np.uint8)
        return self._halo

    def _draw_layer(self, layer: LineLayer) -> None:
        scene, scale = self._scene, self._scene.viewport.scale
        if self._is_rugged(layer):
            self._draw_edges(layer)
            return
        field = self._lattice(layer)
        if field is None:
            return
        lines = contours.isolines(field, layer)
        by_colour: dict[RGB, list[contours.Points]] = {}
        for line in lines:
            colour = rgb(contours.colour_of(layer, line.level))
            by_colour.setdefault(colour, []).append(line.points)
        for colour, points in by_colour.items():
            canvas = self._canvas(self._lines, colour)
            contours.draw_lines(canvas, points, layer.width_px, dashed=layer.dashed, scale=scale)
        if layer.extrema:
            found = extrema.centres(field, layer, scene.rect, scale)
            extrema.claim(found, self._occupied, scale)
            for centre in found:
                ink = self._canvas(self._inks, rgb(centre.colour))
                extrema.draw_centre(ink, self._halo_canvas(), centre, scale)
        if layer.labels:
            for line, label in linelabels.place_labels(lines, scene.rect, self._occupied, scale):
                ink = self._canvas(self._inks, rgb(contours.colour_of(layer, line.level)))
                linelabels.draw_label(ink, self._halo_canvas(), label, scale)
                self._labels.append(label)

    def _is_rugged(self, layer: LineLayer) -> bool:
        """Whether the layer's lines follow every hill of a fine grid: then they are drawn thin."""
        plain = not (layer.labels or layer.dashed or layer.extrema or layer.smooth_km)
        fine = contours.sharp_step(self._sampled.cells_per_px) == contours.SHARP_STEP_PX[0]
        return layer.field == "fill" and plain and fine and bool(layer.levels)

    def _draw_edges(self, layer: LineLayer) -> None:
        for level in layer.levels:
            above = self._sampled.at_least((level - layer.offset) / layer.factor)
            if above.any() and not above.all():
                canvas = self._canvas(self._lines, rgb(contours.colour_of(layer, level)))
                edges = contours.edge_coverage(above)
                if self._sampled.missing is not None:  # the rim of what is known is no isoline
                    rim = self._sampled.missing.view(np.uint8)
                    edges[cv2.dilate(rim, np.ones((9, 9), np.uint8)) > 0] = 0
                np.maximum(canvas, edges, out=canvas)

    def _lattice(self, layer: LineLayer) -> contours.LatticeField | None:
        scene = self._scene
        if layer.field == "fill" and layer.smooth_km == 0:
            step = contours.sharp_step(self._sampled.cells_per_px)
            values = self._sampled.values(step)
            return contours.LatticeField(values, values, 0, step)
        grid_values = scene.derived.arrays.get(layer.field)
        if grid_values is None:
            raise ValueError(f"the recipe makes no grid {layer.field!r} to draw lines of")
        return contours.lattice_field(
            grid_values, scene.derived.grid, scene.viewport, scene.caches.maps, layer.smooth_km
        )

    def _draw_wind(self) -> None:
        scene, layer = self._scene, self._scene.product.wind
        arrays = scene.derived.arrays
        if layer is None or "u" not in arrays or "v" not in arrays:
            raise ValueError("the recipe makes no u and v to draw wind of")
        drawn = np.zeros_like(self._halo_canvas())
        draw = streamlets.draw_streamlets if layer.style == "streamlets" else barbs.draw_barbs
        draw(
            drawn,
            (arrays["u"], arrays["v"]),
            scene.derived.grid,
            scene.viewport,
            layer.spacing_px,
            self._occupied,
        )
        halo, ink = self._halo_canvas(), self._canvas(self._inks, rgb(layer.colour))
        if layer.style == "barbs":  # feathers run into each other on a fill that is not calm
            np.maximum(halo, cv2.dilate(drawn, np.ones((3, 3), np.uint8)), out=halo)
        np.maximum(ink, drawn, out=ink)

    def _draw_stations(self) -> None:
        scene, spec = self._scene, self._scene.product.stations
        if spec is None:
            return
        viewport, display = scene.viewport, scene.display
        style = label_style(viewport.scale)

        def pixels_of(
            longitude: NDArray[np.float64], latitude: NDArray[np.float64]
        ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
            column, row = viewport.pixels_of(longitude, latitude)
            return column + 0.5, row + 0.5  # text counts from the pixel's edge

        widest = widest_text(display, spec, style)
        places = map_stations(viewport.box(), scene.job.stations)
        spots = place(places, pixels_of, viewport.rect, widest, style)
        if not spots:
            return
        longitude = np.array([spot.station.longitude for spot in spots])
        latitude = np.array([spot.station.latitude for spot in spots])
        grid = scene.derived.grid
        values = sample_at(
            scene.derived.arrays["fill"], *grid.index(longitude, latitude), cyclic=grid.cyclic
        )
        shown = values.astype(np.float64) * display.factor + display.offset
        texts = [station_text(float(value), spec) for value in shown]
        for spot, text in zip(spots, texts, strict=True):
            if text:
                box = spot.box
                middle = (box.left + box.right) / 2, (box.top + box.bottom) / 2
                self._occupied.take(*middle, 0.4 * box.width)
        draw_stations(self._canvas(self._inks, INK), self._halo_canvas(), spots, texts, style)
