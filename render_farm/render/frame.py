"""Draws one frame: a scene in, a picture and its texts out."""

import numpy as np
from numpy.typing import NDArray

from render_farm.draw.captions import Captions, captions
from render_farm.draw.colours import levels_si
from render_farm.draw.compose import Picture, compose
from render_farm.draw.fill import classify, spread
from render_farm.draw.furniture import furniture
from render_farm.draw.mapkey import map_key
from render_farm.draw.sampling import Sampled, sample, sample_classes
from render_farm.render.extremes import extremes
from render_farm.render.overlays import Overlays
from render_farm.render.scene import Scene


class NothingToShow(ValueError):
    """The field has no value anywhere in the map."""


def draw_frame(scene: Scene) -> tuple[Picture, Captions]:
    """Sample, classify, overlay and compose. NothingToShow, ValueError with one sentence."""
    sampled = _sampled(scene)
    classified = classify(sampled, scene.classes, _category(scene))
    overlays = Overlays(scene, sampled).collect()
    texts = _captions(scene, sampled)
    base = scene.caches.bases.get(
        scene.viewport, counties=scene.job.counties and scene.region.counties
    )
    picture = compose(
        scene.layout,
        classified,
        scene.classes,
        base,
        overlays,
        furniture(scene.layout, texts, scene.legends),
        scene.ground,
        scene.caches.palettes,
    )
    return picture, texts


def _sampled(scene: Scene) -> Sampled:
    product, derived = scene.product, scene.derived
    pixels = scene.caches.maps.get(derived.grid, scene.viewport, refined=True)
    sampled = sample(derived.arrays["fill"], pixels, product.sampling)
    if sampled is None or (sampled.missing is not None and sampled.missing.all()):
        raise NothingToShow(f"the field has no value in the map of {scene.region.key}")
    return sampled


def _category(scene: Scene) -> NDArray[np.uint8] | None:
    """Number of the scale at every pixel: 0 the fill's, else by the type of precipitation."""
    category = scene.derived.category
    if category is None or len(scene.roles) == 1:
        return None
    pixels = scene.caches.maps.get(scene.derived.grid, scene.viewport, refined=True)
    fill = pixels.window(scene.derived.arrays["fill"])
    lowest = min(float(levels_si(display)[0]) for display in scene.classes.scales)
    with np.errstate(invalid="ignore"):
        dry = fill < lowest
    numbers = np.zeros(256, np.uint8)
    for k, role in enumerate(scene.derived.roles, start=1):
        numbers[k] = scene.roles.index(role) if role in scene.roles else 0
    return sample_classes(spread(numbers[pixels.window(category)], dry), pixels)


def _captions(scene: Scene, sampled: Sampled) -> Captions:
    job, product = scene.job, scene.product
    lowest, highest = extremes(scene, sampled)
    return captions(
        model_title=job.model_title,
        product_title=product.title,
        unit=scene.display.unit,
        region_title=scene.region.title,
        cycle=job.cycle,
        hour=job.hour,
        timezone=scene.region.timezone,
        style=job.style,
        notice=job.notice,
        note=product.note,
        key=map_key(product, scene.derived.arrays),
        lowest=lowest,
        highest=highest,
    )
