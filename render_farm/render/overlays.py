"""Lines, marks, barbs and station values of a scene, as coverage to be laid on its fill."""

import cv2
import numpy as np

from render_farm.domain.layers import HatchLayer, LineLayer
from render_farm.draw import (
    barbs,
    contours,
    extrema,
    hatching,
    linelabels,
    streamlets,
    strokes,
)
from render_farm.draw.colours import RGB, rgb
from render_farm.draw.compose import Overlay
from render_farm.draw.linelabels import Occupied
from render_farm.draw.sampling import Sampled, sample
from render_farm.render.canvases import Canvases
from render_farm.render.scene import Scene
from render_farm.render.stationvalues import station_values

INK: RGB = (12, 14, 18)


class Overlays:
    """Collects the overlays of one scene.

    Station values claim their ground first, for they stand still in a loop; then the labels of
    lines, first come, first served; wind symbols take what is left.
    """

    def __init__(self, scene: Scene, sampled: Sampled) -> None:
        self._scene, self._sampled = scene, sampled
        self._canvases = Canvases(*scene.rect, on_dark=scene.job.style.base == "dark")
        self._occupied = Occupied()
        self._labels: list[linelabels.Label] = []

    def collect(self) -> list[Overlay]:
        """Draw everything that the product asks for; ValueError for what cannot be drawn."""
        product = self._scene.product
        values = None
        if product.stations is not None:
            values = station_values(self._scene, product.stations)
            values.claim(self._occupied)
        # Pressure before thickness: the later layer is the lesser one where labels compete.
        layers = [layer for layer in reversed(product.lines) if self._has_grid(layer)]
        fields = [None if self._is_rugged(layer) else self._lattice(layer) for layer in layers]
        for layer, field in zip(layers, fields, strict=True):
            if layer.extrema and field is not None:
                self._draw_centres(layer, field)
        for layer, field in zip(layers, fields, strict=True):
            self._draw_layer(layer, field)
        for label in self._labels:
            for canvas in self._canvases.of_lines():
                linelabels.cut_gap(canvas, label, self._scene.viewport.scale)
        if product.wind is not None:
            self._draw_wind()
        if values is not None:
            values.draw(self._canvases.ink(INK), self._canvases.halo())
        areas = [area for layer in product.hatching for area in self._hatched(layer)]
        return self._canvases.overlays(areas)

    def _has_grid(self, layer: LineLayer | HatchLayer) -> bool:
        """Whether a layer can be drawn; ValueError where one that must be cannot."""
        if layer.field in self._scene.derived.arrays:
            return True
        if layer.optional:
            return False
        raise ValueError(f"the recipe makes no grid {layer.field!r} to draw")

    def _hatched(self, layer: HatchLayer) -> list[Overlay]:
        if not self._has_grid(layer):
            return []
        scene, field = self._scene, self._sampled
        if layer.field != "fill":
            how = "linear" if scene.product.sampling == "nearest" else scene.product.sampling
            grid, maps = scene.derived.grid, scene.caches.maps
            pixels = maps.get(grid, scene.viewport, refined=True)  # as the fill
            found = sample(scene.derived.arrays[layer.field], pixels, how)
            if found is None:
                return []
            field = found
        area = hatching.hatch_coverage(field, layer, scene.viewport.scale)
        return [] if area is None else [Overlay(area, rgb(layer.colour))]

    def _draw_centres(self, layer: LineLayer, field: contours.LatticeField) -> None:
        scale = self._scene.viewport.scale
        found = extrema.centres(field, layer, self._scene.rect, scale)
        extrema.claim(found, self._occupied, scale)
        for centre in found:
            ink = self._canvases.ink(rgb(centre.colour))
            extrema.draw_centre(ink, self._canvases.halo(), centre, scale)

    def _draw_layer(self, layer: LineLayer, field: contours.LatticeField | None) -> None:
        if field is None:
            if self._is_rugged(layer):
                self._draw_edges(layer)
            return
        scene, scale = self._scene, self._scene.viewport.scale
        lines = contours.isolines(field, layer)
        by_colour: dict[RGB, list[strokes.Points]] = {}
        for line in lines:
            colour = rgb(contours.colour_of(layer, line.level))
            by_colour.setdefault(colour, []).append(line.points)
        for colour, points in by_colour.items():
            canvas = self._canvases.lines(colour, dashed=layer.dashed)
            strokes.draw_lines(canvas, points, layer.width_px, dashed=layer.dashed, scale=scale)
        if layer.labels:
            for line, label in linelabels.place_labels(lines, scene.rect, self._occupied, scale):
                ink = self._canvases.ink(rgb(contours.colour_of(layer, line.level)))
                linelabels.draw_label(ink, self._canvases.halo(), label, scale)
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
                canvas = self._canvases.lines(rgb(contours.colour_of(layer, level)))
                edges = strokes.edge_coverage(above)
                if self._sampled.missing is not None:  # the rim of what is known is no isoline
                    rim = self._sampled.missing.view(np.uint8)
                    edges[cv2.dilate(rim, np.ones((9, 9), np.uint8)) > 0] = 0
                np.maximum(canvas, edges, out=canvas)

    def _lattice(self, layer: LineLayer) -> contours.LatticeField | None:
        scene = self._scene
        if layer.field == "fill" and layer.smooth_km == 0:
            step = contours.sharp_step(self._sampled.cells_per_px)
            values = self._sampled.values(step)
            gone = self._sampled.missing
            missing = None if gone is None else gone[::step, ::step]
            return contours.LatticeField(values, values, 0, step, missing)
        return contours.lattice_field(
            scene.derived.arrays[layer.field],
            scene.derived.grid,
            scene.viewport,
            scene.caches.maps,
            layer.smooth_km,
        )

    def _draw_wind(self) -> None:
        scene, layer = self._scene, self._scene.product.wind
        arrays = scene.derived.arrays
        if layer is None or "u" not in arrays or "v" not in arrays:
            raise ValueError("the recipe makes no u and v to draw wind of")
        drawn = np.zeros_like(self._canvases.halo())
        draw = streamlets.draw_streamlets if layer.style == "streamlets" else barbs.draw_barbs
        draw(
            drawn,
            (arrays["u"], arrays["v"]),
            scene.derived.grid,
            scene.viewport,
            layer.spacing_px,
            self._occupied,
        )
        colour = rgb(layer.colour)
        if layer.style == "streamlets":  # without a halo: their ink turns with the fill
            canvas = self._canvases.lines(colour)
            np.maximum(canvas, drawn, out=canvas)
            return
        halo, ink = self._canvases.halo(), self._canvases.ink(colour)
        np.maximum(halo, cv2.dilate(drawn, np.ones((3, 3), np.uint8)), out=halo)
        np.maximum(ink, drawn, out=ink)
