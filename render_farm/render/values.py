"""Writes the value grid of a frame: the cells that its map takes its values from."""

import hashlib
import time
from datetime import timedelta
from pathlib import Path

from render_farm.decode.grid import Grid
from render_farm.decode.window import Window
from render_farm.domain.jobs import ProductTask, ValueGridFile
from render_farm.draw.captions import cycle_time
from render_farm.draw.pixelmap import PixelMap
from render_farm.encode import png
from render_farm.render.scene import Scene
from render_farm.values.grid import About, ValueGrid, encode
from render_farm.values.steps import step_of


def write_values(scene: Scene, task: ProductTask) -> ValueGridFile:
    """Write `{region}.{product}.vgrid` into the staging directory, complete and flushed.

    OSError as for the picture: a frame is both of its files, or fails.
    """
    cpu = time.process_time()
    data = encode(value_grid(scene, task))
    name = f"{scene.region.key}.{scene.product.key}.vgrid"
    path = Path(scene.job.staging_dir) / name
    png.write(path, data)
    digest = hashlib.sha256(data).hexdigest()
    return ValueGridFile(str(path), len(data), digest, time.process_time() - cpu)


def value_grid(scene: Scene, task: ProductTask) -> ValueGrid:
    """The fill of a scene, and its categories, cropped to what the map needs (a few cells more)."""
    job, product, derived = scene.job, scene.product, scene.derived
    pixels = scene.caches.maps.get(derived.grid, scene.viewport, refined=True)
    scale = task.scales["fill"]
    valid = cycle_time(job.cycle) + timedelta(hours=job.hour)
    about = About(
        model=job.model,
        cycle=job.cycle,
        hour=job.hour,
        valid_time=f"{valid:%Y-%m-%dT%H:%MZ}",
        region=scene.region.key,
        product=product.key,
        unit=scale.si_unit,
        title=product.title,
        quantity=scale.key,
        notice=job.notice,
    )
    category = None if derived.category is None else pixels.window(derived.category)
    return ValueGrid(
        about=about,
        grid=_cells(derived.grid, pixels),
        values=pixels.window(derived.arrays["fill"]),
        step=step_of(scale),
        category=category,
        labels=() if category is None else ("", *derived.roles),
    )


def _cells(grid: Grid, pixels: PixelMap) -> Grid:
    """The grid of the cells that the map needs, counted from the whole grid.

    So the same cells have the same numbers, whatever part of their grid a job decoded.
    """
    left, top = pixels.left, pixels.top
    while grid.part is not None:
        left, top = left + grid.part.left, top + grid.part.top
        grid = grid.part.whole
    if grid.cyclic:
        left %= grid.nx
    return Window(left, top, pixels.width, pixels.height).cut_grid(grid)
