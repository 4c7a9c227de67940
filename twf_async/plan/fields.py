"""What fields of a model take at an hour: messages, and the files that these lie in.

Pure. Products share most of their fields, and a window over a run grows by a bucket at a time, so
each field is worked out once and hands out the same objects; a run of GFS has 50,000 messages else.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from render_farm.domain.fields import FieldSpec, MessageKey, Statistic, Window, bucket_start
from render_farm.domain.models import Model
from render_farm.domain.products import Product

Need = tuple[int, MessageKey]  # the hour of the file, and the message in it
Needs = tuple[Need, ...]
_WORDS = {
    Statistic.ACCUMULATION: "accumulation",
    Statistic.AVERAGE: "average",
    Statistic.MAXIMUM: "maximum",
    Statistic.MINIMUM: "minimum",
}


@dataclass(frozen=True, slots=True)
class Taken:
    """What one field takes at an hour, of which files; or why it cannot exist there."""

    needs: Needs = ()
    files: frozenset[int] = frozenset()
    absent: str = ""


class Fields:
    """The fields of one model, each of them once however many products take it."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self._have = frozenset({*model.hours, *model.long_hours})
        self._known: dict[FieldSpec, Field] = {}

    def of(self, product: Product) -> dict[str, "Field"]:
        """What a product takes, by role."""
        return {role: self._field(spec) for role, spec in product.fields.items()}

    def _field(self, asked: FieldSpec) -> "Field":
        if (known := self._known.get(asked)) is None:
            spec = _aliased(asked, self._model.aliases)
            known = self._known[asked] = Field(spec, self._model.bucket_h, self._have)
        return known


class Field:
    """One field, hour by hour; of each hour always the same objects."""

    def __init__(self, spec: FieldSpec, bucket_h: int, have: frozenset[int]) -> None:
        self._spec, self._bucket_h, self._have = spec, bucket_h, have
        self._known: dict[int, Taken] = {}

    def at(self, hour: int) -> Taken:
        """What it takes at *hour*."""
        if (known := self._known.get(hour)) is None:
            known = self._known[hour] = self._look(hour)
        return known

    def _look(self, hour: int) -> Taken:
        spec, earlier = self._spec, bucket_start(hour, self._bucket_h)
        if spec.window is Window.BUCKETS and earlier > 0:
            # One bucket more than at the end of the one before.
            before = self.at(earlier)
            needs = (*before.needs, spec.bucket(hour, self._bucket_h))
            return self._checked(needs, before.files | {hour})
        found = spec.messages(hour, self._bucket_h)
        if found is not None:
            return self._checked(found, frozenset(file_hour for file_hour, _ in found))
        if hour == 0:
            return Taken(absent=f"no {_WORDS.get(spec.statistic, 'value')} at hour 0")
        return Taken(absent=f"needs an hour {spec.back_h} h before hour {hour}")

    def _checked(self, needs: Needs, files: frozenset[int]) -> Taken:
        lacking = files - self._have
        return Taken(needs, files, f"the model has no hour {min(lacking)}" if lacking else "")


def _aliased(spec: FieldSpec, aliases: Mapping[str, str]) -> FieldSpec:
    own = aliases.get(f"{spec.parameter}:{spec.level}")
    if own is None:
        return spec
    parameter, _, level = own.partition(":")
    return replace(spec, parameter=parameter, level=level)
