"""What a benchmark of the drawing finds."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FrameFigures:
    """One frame, warm: from sampling to the written picture, and its value grid apart."""

    model: str
    product: str
    region: str
    width_px: int
    height_px: int
    cpu_ms: float
    wall_ms: float
    bytes: int
    grid_cpu_ms: float
    grid_bytes: int


@dataclass(frozen=True, slots=True)
class HourFigures:
    """One whole hour of a model: all its products, decoding included.

    first_frame_ms  wall time from the job's arrival in a fresh worker, disk caches warm
    caches_ms       wall time that the first region's caches take when there are none
    anew_cpu_ms     of the first region, with nothing kept of the totals of earlier hours
    """

    model: str
    cycle: str
    hour: int
    frames: int
    cpu_ms: float
    wall_ms: float
    decode_cpu_ms: float
    first_frame_ms: float
    caches_ms: float
    anew_cpu_ms: float


@dataclass(frozen=True, slots=True)
class MemoryFigures:
    """What a worker's memory did over many frames: (frames, resident MB), and its slope.

    slope_mb  per 1,000 frames, least squares over the second half
    """

    checkpoints: tuple[tuple[int, float], ...]
    slope_mb: float


@dataclass(frozen=True, slots=True)
class Figures:
    """All that a benchmark found.

    peak_rss_mb, rss_mb  of the worker that drew all runs: the most it ever had, and in the end
    failures             one sentence per frame that could not be drawn
    """

    frames: tuple[FrameFigures, ...]
    hours: tuple[HourFigures, ...]
    peak_rss_mb: float
    rss_mb: float
    failures: tuple[str, ...]
