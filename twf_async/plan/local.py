"""From GRIB files that lie here to the products that can be drawn from them. Pure.

For `twf-async render`: nobody knows which run the files are from, so it is read from what their
messages say; only the model is told by the file's name.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import PurePath

from render_farm.domain.fields import MessageKey
from render_farm.domain.jobs import MessageSource
from render_farm.domain.models import Model
from render_farm.domain.products import Product
from twf_async.plan.orders import NotApplicable, product_order

# Grid definition templates (code table 3.1) whose points lie in steps of degrees, or of kilometres
_BY_DEGREES = {0, 1, 2, 3, 40, 41, 42, 43}
_BY_KM = {10, 12, 20, 30, 31, 140}


@dataclass(frozen=True, slots=True)
class LocalFile:
    """One file: the cycle its messages name ("2026012912") and what it holds.

    grids  the grid definition templates of its messages
    """

    path: str
    cycle: str
    keys: frozenset[MessageKey]
    grids: frozenset[int] = frozenset()

    @property
    def hour(self) -> int:
        """The forecast hour it belongs to: the latest that any of its messages reaches."""
        return max((key.end_h for key in self.keys), default=0)


@dataclass(frozen=True, slots=True)
class LocalHour:
    """One product at one hour: its inputs, or why there is no picture of it.

    missing         messages that no file holds; then there are no inputs
    not_applicable  reason why the product cannot exist at this hour
    """

    hour: int
    inputs: Mapping[str, tuple[MessageSource, ...]] | None
    missing: tuple[MessageKey, ...] = ()
    not_applicable: str = ""


def model_of_name(path: str, models: Iterable[Model]) -> Model | None:
    """The model whose name for a file is in that of *path*; None if there is none.

    More may stand around it, as others add it: `gfs.t12z.pgrb2.0p25.f006.grib2`, `old-gfs.t12z..`.
    """
    name = PurePath(path).name
    for model in models:
        for file in model.files:
            template = re.escape(PurePath(file.path).name)
            pattern = re.sub(r"\\\{\w+(:\w+)?\\\}", r"\\d+", template)
            if re.search(rf"(?<![A-Za-z0-9]){pattern}(?![A-Za-z0-9])", name):
                return model
    return None


def is_of_other_grid(file: LocalFile, model: Model) -> bool:
    """Whether a file cannot be of *model*, for one of them has a projected grid and one has not.

    How fine a grid is tells nothing: a model's files come in several resolutions.
    """
    if model.grid is None:
        return False
    return not file.grids.isdisjoint(_BY_DEGREES if model.grid.step_km else _BY_KM)


def local_hours(
    product: Product, model: Model, files: Iterable[LocalFile]
) -> tuple[LocalHour, ...]:
    """What of *product* (as the model makes it) the files give, hour by hour, rising."""
    files = tuple(files)
    lies_in = {key: file.path for file in files for key in file.keys}
    return tuple(
        _local_hour(product, model, hour, lies_in) for hour in sorted({f.hour for f in files})
    )


def _local_hour(
    product: Product, model: Model, hour: int, lies_in: Mapping[MessageKey, str]
) -> LocalHour:
    order = product_order(product, model, hour)
    if isinstance(order, NotApplicable):
        return LocalHour(hour, None, not_applicable=order.reason)
    inputs: dict[str, tuple[MessageSource, ...]] = {}
    missing: list[MessageKey] = []
    for role, needs in order.inputs.items():
        absent = [key for _, key in needs if key not in lies_in]
        if not absent:
            inputs[role] = tuple(MessageSource(lies_in[key], key) for _, key in needs)
        elif role not in product.optional:
            missing += absent
    return LocalHour(hour, None if missing else inputs, tuple(missing))
