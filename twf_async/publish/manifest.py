"""What of a run is published, and why the rest is not: the document that viewers read.

A frame is published when the manifest says so. Written as JSON beside the frames, replaced
atomically, and served unchanged at /api/v1/runs/{model}/{cycle}.
"""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Self

from pydantic import Field, StringConstraints, field_validator, model_validator

from render_farm.domain.entries import KEY, Frozen

SCHEMA = 1
VALUES_SUFFIX = ".vgrid"
HASH_DIGITS = 16  # of a SHA-256, in records and addresses
_Key = Annotated[str, StringConstraints(pattern=KEY)]
_HourName = Annotated[str, StringConstraints(pattern=r"^f[0-9]{3}$")]
FrameName = tuple[str, str, int]  # region, product, hour


class FrameState(StrEnum):
    """Where a frame is on its way."""

    EXPECTED = "expected"
    FETCHING = "fetching"
    RENDERING = "rendering"
    PUBLISHED = "published"
    NOT_APPLICABLE = "not_applicable"
    FAILED = "failed"


class RunState(StrEnum):
    """Where a run is: coming in, everything there, or ended with frames missing."""

    RUNNING = "running"
    COMPLETE = "complete"
    PARTIAL = "partial"


class ValuesRecord(Frozen):
    """The value grid that lies beside a frame."""

    hash: str  # first 16 hex digits of the SHA-256 of the file
    bytes: int


class FrameRecord(Frozen):
    """One frame of a run."""

    state: FrameState
    reason: str = ""  # of failed and not_applicable: "field missing", ...
    detail: str = ""
    hash: str = ""  # first 16 hex digits of the SHA-256 of the PNG
    bytes: int = 0
    width_px: int = 0
    height_px: int = 0
    values: ValuesRecord | None = None  # none beside frames of versions before there were any
    config_hash: str = ""  # of the configuration it was drawn by; "" where that is not known
    old_style: bool = False  # it would be drawn otherwise now, and has not been drawn again
    published_at: datetime | None = None
    eta: datetime | None = None

    @model_validator(mode="after")
    def _says_what_is_online(self) -> Self:
        if self.state is FrameState.PUBLISHED and not (
            self.hash and self.bytes and self.published_at
        ):
            raise ValueError("published without its hash, bytes or published_at")
        return self


class Manifest(Frozen):
    """One run. frames: region -> product -> "f006" -> record.

    held   why nothing new comes in for now ("disk nearly full"); "" while it does
    """

    schema_version: int = Field(default=SCHEMA, alias="schema")
    model: str
    cycle: str
    state: RunState
    created_at: datetime
    updated_at: datetime
    hours: tuple[int, ...]
    regions: tuple[str, ...]
    products: tuple[str, ...]
    notice: str = ""
    held: str = ""
    frames: dict[_Key, dict[_Key, dict[_HourName, FrameRecord]]]

    @field_validator("schema_version")
    @classmethod
    def _is_known(cls, value: int) -> int:
        if value != SCHEMA:
            raise ValueError(f"written by another version: {value} where this one knows {SCHEMA}")
        return value


def hour_name(hour: int) -> str:
    """`f006`: the hour in URLs, file names and the manifest."""
    return f"f{hour:03d}"
