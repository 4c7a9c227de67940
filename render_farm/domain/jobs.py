"""What crosses the process boundary: one forecast hour as a job, and what became of it.

Plain, frozen, picklable. A job carries everything it needs (definitions included), so a worker
that was started before a reload still draws by the new configuration.
"""

import errno
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from render_farm.domain.fields import MessageKey
from render_farm.domain.places import Box, Region, Station
from render_farm.domain.products import Product
from render_farm.domain.scales import Scale
from render_farm.domain.style import Style


@dataclass(frozen=True, slots=True)
class MessageSource:
    """Where one message lies: a local GRIB file, found by exact key."""

    path: str
    key: MessageKey


@dataclass(frozen=True, slots=True)
class ProductTask:
    """One product of a job: its definition as this model makes it, and its inputs by role.

    A role may be absent only if it is optional. An empty tuple is an empty window: zero.
    """

    product: Product
    scales: dict[str, Scale]  # role -> scale
    inputs: dict[str, tuple[MessageSource, ...]]
    regions: tuple[str, ...]  # keys of the regions to draw


@dataclass(frozen=True, slots=True)
class RenderJob:
    """One hour of one run, all its products and regions: decoded once, drawn many times."""

    model: str
    model_title: str
    cycle: str  # "2026012912"
    hour: int
    tasks: tuple[ProductTask, ...]
    regions: tuple[Region, ...]
    stations: tuple[Station, ...]
    style: Style
    staging_dir: str  # {region}.{product}.png and .vgrid
    map_cache_dir: str  # pixel maps, shared by all workers
    counties: bool = True
    notice: str = ""  # goes into the title ("synthetic demo data")
    log_level: str = "info"
    increment_dir: str = ""  # sums that later hours go on with; "": none are kept
    software: str = "twf_async"  # name and version, for the texts in a picture


# What a disk says that takes nothing for now, full or read-only; it may be mended.
TAKES_NOTHING = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS})


class Reason(StrEnum):
    """Why a frame failed; the words that manifest, log and API use."""

    FIELD_MISSING = "field missing"
    BAD_DATA = "bad data"
    RENDER_ERROR = "render error"
    WORKER_DIED = "worker died"
    TIMED_OUT = "timed out"
    OUT_OF_MEMORY = "out of memory"
    NO_SPACE = "no disk space"


@dataclass(frozen=True, slots=True)
class ValueGridFile:
    """The field behind a frame in the staging directory, complete and flushed."""

    path: str
    bytes: int
    sha256: str
    cpu_s: float = 0.0  # of the process, cropping to written file


@dataclass(frozen=True, slots=True)
class Frame:
    """One image in the staging directory, complete and flushed.

    values  its value grid; None only of frames that were drawn before there were any
    config_hash  of the configuration it was drawn by; "" where that is not known
    """

    region: str
    product: str
    path: str
    bytes: int
    sha256: str
    width_px: int
    height_px: int
    took_s: float  # sampling to written picture
    cpu_s: float = 0.0  # of the process, likewise
    values: ValueGridFile | None = None
    config_hash: str = ""


@dataclass(frozen=True, slots=True)
class FrameFailure:
    """One image that could not be drawn; the rest of the hour is not touched by it.

    bad  the messages whose bytes are why, where it is theirs: taken anew they may be good
    """

    region: str
    product: str
    reason: Reason
    detail: str
    bad: tuple[MessageSource, ...] = ()


@dataclass(frozen=True, slots=True)
class HourRendered:
    """What a worker made of a job. frames + failures cover every (region, task) of it."""

    model: str
    cycle: str
    hour: int
    frames: tuple[Frame, ...]
    failures: tuple[FrameFailure, ...]
    decode_s: float
    took_s: float
    peak_rss_mb: float
    pid: int
    kind: Literal["rendered"] = "rendered"
    decode_cpu_s: float = 0.0
    cpu_s: float = 0.0  # of the process, the whole job


@dataclass(frozen=True, slots=True)
class HourFailed:
    """Nothing of the hour could be drawn."""

    model: str
    cycle: str
    hour: int
    reason: Reason
    detail: str
    kind: Literal["failed"] = "failed"


@dataclass(frozen=True, slots=True)
class RegionView:
    """What the frame of a region really shows: at least its box (see `Region`)."""

    region: str
    box: Box
