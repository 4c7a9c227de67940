"""What is known of a download, as it is written beside it."""

import builtins
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Self

import orjson

from render_farm.domain.fields import MessageKey, Statistic
from render_farm.domain.places import Box
from twf_async.plan.urls import span_deg

_VERSION = 1
_TOLERANCE_DEG = 1e-9


class BadRecord(ValueError):
    """A side-car that cannot be read, or is of another version."""


@dataclass(frozen=True, slots=True)
class Record:
    """One verified file of the cache.

    path    where it lies now; not written down, the cache may be moved
    origin  the file it was taken from, below a source's root
    box     None: the fields cover the model's whole grid
    keys    the fields in it, in file order
    """

    path: str
    model: str
    cycle: str
    hour: int
    source: str
    origin: str
    method: Literal["FILTERED", "RANGES", "FULL"]
    box: Box | None
    keys: tuple[MessageKey, ...]
    bytes: int
    sha256: str
    last_modified: datetime | None

    def to_json(self) -> builtins.bytes:
        """The side-car's content."""
        document = {
            "version": _VERSION,
            "model": self.model,
            "cycle": self.cycle,
            "hour": self.hour,
            "source": self.source,
            "origin": self.origin,
            "method": self.method,
            "box": self.box.model_dump() if self.box else None,
            "bytes": self.bytes,
            "sha256": self.sha256,
            "last_modified": self.last_modified,
            "keys": [
                [key.parameter, key.level, key.start_h, key.end_h, key.statistic]
                for key in self.keys
            ],
        }
        return orjson.dumps(document, option=orjson.OPT_INDENT_2)

    @classmethod
    def from_json(cls, content: builtins.bytes) -> Self:
        """Read a side-car; `path` stays empty. BadRecord for what `to_json` did not make."""
        try:
            document = orjson.loads(content)
            if document["version"] != _VERSION:
                raise BadRecord(f"a record of version {document['version']}")
            written = document["last_modified"]
            record = cls(
                path="",
                model=document["model"],
                cycle=document["cycle"],
                hour=document["hour"],
                source=document["source"],
                origin=document["origin"],
                method=document["method"],
                box=Box(**document["box"]) if document["box"] else None,
                keys=tuple(
                    MessageKey(parameter, level, start_h, end_h, Statistic(statistic))
                    for parameter, level, start_h, end_h, statistic in document["keys"]
                ),
                bytes=document["bytes"],
                sha256=document["sha256"],
                last_modified=datetime.fromisoformat(written) if written else None,
            )
            hash(record)  # a list where a name should be would only fail where it is looked for
        except (TypeError, KeyError, ValueError) as error:
            raise BadRecord(f"unreadable record: {error!r}") from error
        return record


def covers(held: Box | None, wanted: Box) -> bool:
    """Whether fields cut to *held* (None: not cut) show all of *wanted*."""
    if held is None:
        return True
    if held.south > wanted.south + _TOLERANCE_DEG or held.north < wanted.north - _TOLERANCE_DEG:
        return False
    width = span_deg(held.west, held.east)
    if width >= 360.0 - _TOLERANCE_DEG:
        return True
    inset = (wanted.west - held.west + _TOLERANCE_DEG) % 360.0 - _TOLERANCE_DEG
    return inset + span_deg(wanted.west, wanted.east) <= width + _TOLERANCE_DEG
