"""What of the configuration shapes a picture, as a short digest. Pure.

Two pictures of the same frame with the same digest are drawn alike from the same data; another
digest says that the picture online is of an earlier configuration. What only sorts menus is left
out, and so is the software's version: an update is no reason to draw everything again.
"""

import hashlib
from collections.abc import Iterable, Mapping

import orjson
from pydantic import BaseModel

from render_farm.domain.catalog import Product
from render_farm.domain.models import Model
from render_farm.domain.places import Region
from twf_async.settings.catalog import Catalog

Styles = Mapping[tuple[str, str], str]  # region, product -> digest

_DIGITS = 12
_OF_MENUS = {"group", "order", "models"}  # a variant has been put into its product already


def styles_of(
    catalog: Catalog,
    model: Model,
    products: Iterable[Product],
    regions: Iterable[Region],
    *,
    notice: str = "",
) -> dict[tuple[str, str], str]:
    """The digest of every region and product as the configuration has them now.

    products  as the model makes them
    notice    what stands in every title
    """
    stations = _digest([_plain(station) for station in catalog.stations])
    site = [_plain(catalog.style), notice, model.key, model.title, model.bucket_h, model.aliases]
    drawn = {
        product.key: [
            product.model_dump(mode="json", exclude=_OF_MENUS),
            {role: _scale(catalog, key) for role, key in product.scales.items()},
            stations if product.stations is not None else "",
        ]
        for product in products
    }
    return {
        (region.key, key): _digest([site, _plain(region), kind])
        for region in regions
        for key, kind in drawn.items()
    }


def _scale(catalog: Catalog, key: str) -> list[object]:
    """A scale in the units and the palette that are shown; the other ones shape nothing."""
    scale = catalog.scales[key]
    shown = scale.display(catalog.style)
    return [scale.model_dump(mode="json", exclude={"imperial", "metric"}), _plain(shown)]


def _plain(described: BaseModel) -> object:
    return described.model_dump(mode="json")


def _digest(plain: object) -> str:
    text = orjson.dumps(plain, option=orjson.OPT_SORT_KEYS)
    return hashlib.sha256(text).hexdigest()[:_DIGITS]
