"""A digest of everything configured that determines a frame; both sides of the boundary take it.

It is written into the picture and into the manifest. Where the configuration of now gives another
one, the picture would be drawn otherwise.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping

from render_farm.domain.entries import Frozen
from render_farm.domain.places import Region, Station
from render_farm.domain.products import Product
from render_farm.domain.scales import Scale
from render_farm.domain.style import Style

HASH_DIGITS = 16
_NO_INFLUENCE = {"models", "order", "group"}  # of a product: other models', and the menu's
_UNITS = {"imperial", "metric"}


class ConfigHashes:
    """Takes the digests of frames of one model under one configuration.

    model   key and title
    notice  what stands in every title
    """

    def __init__(
        self,
        model: tuple[str, str],
        *,
        stations: Iterable[Station],
        style: Style,
        counties: bool = True,
        notice: str = "",
    ) -> None:
        self._style = style
        self._stations = [_plain(station) for station in stations]
        self._site = {
            "model": model,
            "style": _plain(style),
            "counties": counties,
            "notice": notice,
        }

    def of(self, product: Product, scales: Mapping[str, Scale], region: Region) -> str:
        """The digest of a frame, 16 hex digits. product: as the model makes it."""
        parts = self._site | {
            "product": product.model_dump(mode="json", exclude=_NO_INFLUENCE),
            "scales": {role: self._shown(scale) for role, scale in scales.items()},
            "region": _plain(region),
            "stations": self._stations if product.stations is not None else [],
        }
        text = json.dumps(parts, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()[:HASH_DIGITS]

    def _shown(self, scale: Scale) -> list[object]:
        """A scale in the units and colours that are shown; the others determine nothing."""
        about = scale.model_dump(mode="json", exclude=_UNITS)
        return [about, _plain(scale.display(self._style))]


def _plain(described: Frozen) -> object:
    return described.model_dump(mode="json")
