"""What a worker keeps from frame to frame: pixel maps, base layers, palettes."""

from dataclasses import dataclass
from functools import lru_cache

from render_farm.draw.baselines import BaseLayers
from render_farm.draw.mapstore import PixelMaps
from render_farm.draw.palette import Palettes


@dataclass(frozen=True, slots=True)
class Caches:
    """The stores of one cache directory."""

    maps: PixelMaps
    bases: BaseLayers
    palettes: Palettes


@lru_cache(maxsize=4)
def caches_of(directory: str) -> Caches:
    """The stores of *directory*, the same objects each time."""
    return Caches(PixelMaps(directory), BaseLayers(directory), Palettes())
