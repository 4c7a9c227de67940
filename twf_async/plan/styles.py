"""How every frame of a model would be drawn by the configuration of now. Pure."""

from collections.abc import Iterable, Mapping

from render_farm.domain.confighash import ConfigHashes
from render_farm.domain.models import Model
from render_farm.domain.places import Region
from render_farm.domain.products import Product
from twf_async.settings.catalog import Catalog

Styles = Mapping[tuple[str, str], str]  # region, product -> config hash


def styles_of(
    catalog: Catalog,
    model: Model,
    products: Iterable[Product],
    regions: Iterable[Region],
    *,
    notice: str = "",
) -> dict[tuple[str, str], str]:
    """The config hash of every region and product.

    products  as the model makes them
    notice    what stands in every title
    """
    hashes = ConfigHashes(
        (model.key, model.title), stations=catalog.stations, style=catalog.style, notice=notice
    )
    regions = tuple(regions)
    found: dict[tuple[str, str], str] = {}
    for product in products:
        scales = {role: catalog.scales[key] for role, key in product.scales.items()}
        found |= {(r.key, product.key): hashes.of(product, scales, r) for r in regions}
    return found
