"""Parts of a manifest: one region, one product, or both. Cut once for each version of it.

Every reader asks for the part that he looks at, again whenever something has come online, and there
are some sixty parts of a run. Parsing a large manifest takes twenty milliseconds, in which nobody
else is served; putting a part together from pieces that are text already takes none.
"""

from dataclasses import dataclass
from typing import Any

import orjson

MOST_RUNS = 24  # more than are online; a large one's pieces take as much as its manifest, 1.2 MB


@dataclass(frozen=True, slots=True)
class Pieces:
    """A manifest in pieces: all but its frames, and the frames by region and product."""

    text: bytes
    head: dict[str, Any]
    frames: dict[str, dict[str, orjson.Fragment]]

    @classmethod
    def of(cls, text: bytes) -> "Pieces":
        """Cut a manifest."""
        head = orjson.loads(text)
        frames = {
            region: {
                product: orjson.Fragment(orjson.dumps(hours)) for product, hours in products.items()
            }
            for region, products in head.pop("frames").items()
        }
        return cls(text, head, frames)

    def part(self, region: str | None, product: str | None) -> bytes:
        """The manifest with the frames of one region, one product, or both."""
        frames = {
            place: {kind: hours for kind, hours in products.items() if product in {None, kind}}
            for place, products in self.frames.items()
            if region in {None, place}
        }
        return orjson.dumps(self.head | {"frames": frames})


class SlicedManifests:
    """Keeps the pieces of the newest version of each run."""

    def __init__(self) -> None:
        self._pieces: dict[tuple[str, str], Pieces] = {}

    def part(
        self, run: tuple[str, str], text: bytes, region: str | None, product: str | None
    ) -> bytes:
        """A part of a run's manifest, which is *text* now."""
        pieces = self._pieces.pop(run, None)
        if pieces is None or pieces.text is not text:
            pieces = Pieces.of(text)
        self._pieces[run] = pieces  # the last one asked for is the last to go
        while len(self._pieces) > MOST_RUNS:
            del self._pieces[next(iter(self._pieces))]
        return pieces.part(region, product)
