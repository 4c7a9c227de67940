"""The figures that have a bar to keep, or stand beside one: what the renderer is held to."""

from collections.abc import Iterator
from dataclasses import dataclass
from statistics import median

from twf_async.app.bench.figures import Figures, FrameFigures, HourFigures, MemoryFigures
from twf_async.publish.manifest import hour_name

BAR_SIZE = (1700, 1300)  # the bars on frames hold for pictures of this size
_QUICK = ("t2m", "precip_total", "refc")
_BUSY = ("wind10m", "t850", "mslp_ptype")
_QUICK_MS, _BUSY_MS, _OTHER_MS = 30.0, 90.0, 100.0
_HOUR_MS = {"gfs": 1500.0, "hrrr": 3000.0}
_MEDIAN_KB, MOST_KB = 250.0, 500.0
_RSS_MB, _FIRST_FRAME_MS, _CACHES_MS, _GRID_MS = 250.0, 1500.0, 5000.0, 3.0


@dataclass(frozen=True, slots=True)
class Line:
    """One figure. bar: the most it should be; None where it only explains another."""

    what: str
    value: float
    unit: str
    bar: float | None = None

    @property
    def kept(self) -> bool:
        """Whether the bar is kept; true where there is none."""
        return self.bar is None or self.value <= self.bar


def frame_line(frame: FrameFigures) -> Line:
    """The CPU of one warm frame beside its bar."""
    name = f"{frame.model} {frame.product} {frame.region}"
    quick, busy = frame.product in _QUICK, frame.product in _BUSY
    bar = _QUICK_MS if quick else _BUSY_MS if busy else _OTHER_MS
    return Line(name, frame.cpu_ms, "ms CPU", bar)


def summary(figures: Figures, memory: MemoryFigures | None) -> Iterator[Line]:
    """Everything that is not of one frame: hours, sizes, memory."""
    for hour in figures.hours:
        yield from _hour_lines(hour)
    kilobytes = [frame.bytes / 1000 for frame in figures.frames]
    yield Line("PNG, median of the frames", median(kilobytes), "kB", _MEDIAN_KB)
    yield Line("PNG, largest", max(kilobytes), "kB", MOST_KB)
    grids = [frame.grid_cpu_ms for frame in figures.frames if frame.model == "gfs"]
    if grids:
        yield Line("value grid, median of GFS", median(grids), "ms CPU", _GRID_MS)
    yield Line("worker, resident when warm", figures.rss_mb, "MB", _RSS_MB)
    yield Line("worker, peak resident", figures.peak_rss_mb, "MB", _RSS_MB)
    if memory is not None:
        for frames, resident in memory.checkpoints:
            yield Line(f"worker after {frames} frames, resident", resident, "MB", _RSS_MB)
        yield Line("slope over the second half", memory.slope_mb, "MB per 1,000 frames")


def _hour_lines(hour: HourFigures) -> Iterator[Line]:
    name = f"{hour.model} {hour_name(hour.hour)}"
    whole = f"{name}, {hour.frames} frames, decoding included"
    yield Line(whole, hour.cpu_ms, "ms CPU", _HOUR_MS.get(hour.model))
    yield Line(f"{name}, decoding", hour.decode_cpu_ms, "ms CPU")
    yield Line(f"{name}, with all totals added up anew", hour.anew_cpu_ms, "ms CPU")
    first, caches = hour.first_frame_ms, hour.caches_ms
    yield Line(f"{name}, first frame of a fresh worker", first, "ms", _FIRST_FRAME_MS)
    yield Line(f"{name}, a region's caches from nothing", caches, "ms", _CACHES_MS)
