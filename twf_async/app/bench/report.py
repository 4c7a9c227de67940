"""The benchmark's figures as JSON and as a table for people, beside the bars to be kept."""

import os
import platform
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from statistics import median
from typing import Any

import psutil

from twf_async import SOFTWARE
from twf_async.app.bench.measure import Figures, FrameFigures, HourFigures, MemoryFigures
from twf_async.publish.manifest import hour_name

LIBRARIES = ("numpy", "opencv-python-headless", "eccodes", "pyproj", "contourpy", "deflate")
BAR_SIZE = (1700, 1300)  # the bars on frames hold for pictures of this size
QUICK = ("t2m", "precip_total", "refc")
BUSY = ("wind10m", "t850", "mslp_ptype")
QUICK_MS, BUSY_MS, OTHER_MS = 30.0, 90.0, 100.0
HOUR_MS = {"gfs": 1500.0, "hrrr": 3000.0}
MEDIAN_BYTES, MOST_BYTES = 250_000, 500_000
RSS_MB, FIRST_FRAME_MS, CACHES_MS, GRID_MS = 250.0, 1500.0, 5000.0, 3.0


def document(figures: Figures, memory: MemoryFigures | None) -> dict[str, Any]:
    """The figures as JSON holds them."""
    sizes = [frame.bytes for frame in figures.frames]
    found: dict[str, Any] = {
        "results": [_result(frame) for frame in figures.frames],
        "decode_cpu_ms": round(sum(hour.decode_cpu_ms for hour in figures.hours), 1),
        "peak_rss_mb": round(figures.peak_rss_mb, 1),
        "rss_mb": round(figures.rss_mb, 1),
        "hours": [_hour(hour) for hour in figures.hours],
        "png_bytes": {"median": round(median(sizes)), "max": max(sizes)},
        "failures": list(figures.failures),
        "machine": machine(),
        "versions": versions(),
    }
    if memory is not None:
        found["memory"] = {
            "rss_mb": {str(at): round(mb, 1) for at, mb in memory.checkpoints},
            "slope_mb_per_1000_frames": round(memory.slope_mb, 2),
        }
    return found


def _result(frame: FrameFigures) -> dict[str, Any]:
    return {
        "model": frame.model,
        "product": frame.product,
        "region": frame.region,
        "size": f"{frame.width_px}x{frame.height_px}",
        "cpu_ms": round(frame.cpu_ms, 2),
        "wall_ms": round(frame.wall_ms, 2),
        "bytes": frame.bytes,
        "grid_cpu_ms": round(frame.grid_cpu_ms, 2),
        "grid_bytes": frame.grid_bytes,
    }


def _hour(hour: HourFigures) -> dict[str, Any]:
    return {
        "model": hour.model,
        "cycle": hour.cycle,
        "hour": hour.hour,
        "frames": hour.frames,
        "cpu_ms": round(hour.cpu_ms, 1),
        "wall_ms": round(hour.wall_ms, 1),
        "decode_cpu_ms": round(hour.decode_cpu_ms, 1),
        "first_frame_ms": round(hour.first_frame_ms, 1),
        "caches_ms": round(hour.caches_ms, 1),
    }


def machine() -> str:
    """What it was measured on, in a few words."""
    cores = len(os.sched_getaffinity(0))
    memory = psutil.virtual_memory().total / (1 << 30)
    return (
        f"{platform.machine()}, {cores} cores, {memory:.0f} GB,"
        f" {platform.system()}, Python {platform.python_version()}"
    )


def versions() -> dict[str, str]:
    """Versions of our own software and of the libraries that draw."""
    found = {"twf_async": SOFTWARE.partition(" ")[2]}
    for name in LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:  # opencv comes under several names
            continue
    return found


def frame_bar_ms(product: str) -> float:
    """The most CPU a warm frame of *product* should take, ms."""
    return QUICK_MS if product in QUICK else BUSY_MS if product in BUSY else OTHER_MS


def table(figures: Figures, memory: MemoryFigures | None) -> Iterator[str]:
    """The figures as lines of text; what misses its bar is marked."""
    yield f"{SOFTWARE} on {machine()}"
    yield ""
    yield (
        f"{'warm frame':32} {'size':>9} {'CPU ms':>7} {'bar':>5} {'wall ms':>8} {'kB':>5}"
        f" {'grid ms':>8} {'kB':>6}"
    )
    yield from map(_frame_line, figures.frames)
    yield ""
    for hour in figures.hours:
        yield from _hour_lines(hour)
    sizes = [frame.bytes for frame in figures.frames]
    yield _line("PNG, median of the frames", median(sizes) / 1000, MEDIAN_BYTES / 1000, "kB")
    yield _line("PNG, largest", max(sizes) / 1000, MOST_BYTES / 1000, "kB")
    grids = [frame.grid_cpu_ms for frame in figures.frames if frame.model == "gfs"]
    if grids:
        yield _line("value grid, median of GFS", median(grids), GRID_MS, "ms CPU")
    yield _line("worker, resident when warm", figures.rss_mb, RSS_MB, "MB")
    yield _line("worker, peak resident", figures.peak_rss_mb, RSS_MB, "MB")
    if memory is not None:
        yield from _memory_lines(memory)
    if any((f.width_px, f.height_px) != BAR_SIZE for f in figures.frames):
        yield f"the bars are meant for pictures of {BAR_SIZE[0]}x{BAR_SIZE[1]}"
    yield from (f"not drawn: {failure}" for failure in figures.failures)


def _frame_line(frame: FrameFigures) -> str:
    name = f"{frame.model} {frame.product} {frame.region}"
    size = f"{frame.width_px}x{frame.height_px}"
    bar = frame_bar_ms(frame.product)
    return (
        f"{name:32} {size:>9} {frame.cpu_ms:7.1f} {bar:5.0f} {frame.wall_ms:8.1f}"
        f" {frame.bytes / 1000:5.0f} {frame.grid_cpu_ms:8.1f} {frame.grid_bytes / 1000:6.1f}"
        f"{_mark(frame.cpu_ms, bar)}{_mark(frame.bytes, MOST_BYTES)}"
    )


def _hour_lines(hour: HourFigures) -> Iterator[str]:
    name = f"{hour.model} {hour_name(hour.hour)}"
    bar = HOUR_MS.get(hour.model)
    yield _line(f"{name}, {hour.frames} frames, decoding included", hour.cpu_ms, bar, "ms CPU")
    yield _line(f"{name}, decoding", hour.decode_cpu_ms, None, "ms CPU")
    yield _line(f"{name}, first frame of a fresh worker", hour.first_frame_ms, FIRST_FRAME_MS, "ms")
    yield _line(f"{name}, a region's caches from nothing", hour.caches_ms, CACHES_MS, "ms")


def _memory_lines(memory: MemoryFigures) -> Iterator[str]:
    for frames, resident in memory.checkpoints:
        yield _line(f"worker after {frames} frames, resident", resident, RSS_MB, "MB")
    yield _line("slope over the second half", memory.slope_mb, None, "MB per 1,000 frames")


def _line(what: str, value: float, bar: float | None, unit: str) -> str:
    limit = "" if bar is None else f"  (bar {bar:,.0f}){_mark(value, bar)}"
    return f"{what:48} {value:9,.1f} {unit}{limit}"


def _mark(value: float, bar: float) -> str:
    return "  ABOVE" if value > bar else ""
