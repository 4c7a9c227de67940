"""Whether a map's colours and levels fit a picture, whose palette has 256 places. Pure.

What colours the bins of a scale have is the renderer's to tell: it mixes them. How many there are
at most can be counted without it.
"""

from collections.abc import Iterator, Mapping
from itertools import chain

from render_farm.domain.bin_edges import MOST_COLOURS, MOST_LEVELS
from render_farm.domain.products import Product
from render_farm.domain.scales import Display
from twf_async.errors import BadConfiguration
from twf_async.settings.catalog import Catalog
from twf_async.settings.load import Settings

Colours = Mapping[str, tuple[str, ...]]  # scale -> the colour of each bin; "" is none


def displays(catalog: Catalog) -> dict[str, Display]:
    """Every scale as this site shows it."""
    return {key: scale.display(catalog.style) for key, scale in catalog.scales.items()}


def may_be_too_many(catalog: Catalog) -> bool:
    """Whether the colours of the bins have to be known to tell."""
    bins = {key: len(display.levels) + 1 for key, display in displays(catalog).items()}
    return any(
        sum(bins[scale] for scale in set(product.scales.values())) > MOST_COLOURS
        for _, product in _versions(catalog)
    )


def require_room(settings: Settings, colours: Colours) -> None:
    """BadConfiguration, one line a product, for maps that no picture can hold."""
    found = [
        f"{settings.config_dir / 'products.toml'}: {place}.scales: {told}; choose larger steps for"
        f" their levels in scales.toml ({', '.join(dict.fromkeys(product.scales.values()))})"
        for place, product in _versions(settings.catalog)
        for told in _faults(settings.catalog, product, colours)
    ]
    if found:
        raise BadConfiguration("\n".join(found))


def _versions(catalog: Catalog) -> Iterator[tuple[str, Product]]:
    """Every product, and as each model makes it that has other scales; with its key."""
    for key, product in catalog.products.items():
        yield key, product
        for model, variant in product.models.items():
            if variant.scales is not None:
                yield f"{key}.models.{model}", product.for_model(model)


def _faults(catalog: Catalog, product: Product, colours: Colours) -> Iterator[str]:
    scales = dict.fromkeys(product.scales.values())
    different = {*chain.from_iterable(colours.get(scale, ()) for scale in scales)} - {""}
    if len(different) > MOST_COLOURS:
        yield f"{len(different)} colours are too many for one map ({MOST_COLOURS} can be)"
    shown = [catalog.scales[scale].display(catalog.style) for scale in scales]
    levels = {(edge - each.offset) / each.factor for each in shown for edge in each.levels}
    if len(levels) > MOST_LEVELS:
        yield f"{len(levels)} levels are too many for one map ({MOST_LEVELS} can be)"
