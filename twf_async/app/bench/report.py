"""The benchmark's figures as JSON and as a table for people, beside the bars to be kept."""

import os
import platform
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from statistics import median
from typing import Any

import psutil

from twf_async import SOFTWARE
from twf_async.app.bench.bars import BAR_SIZE, MOST_KB, Line, frame_line, summary
from twf_async.app.bench.figures import Figures, FrameFigures, HourFigures, MemoryFigures

LIBRARIES = ("numpy", "opencv-python-headless", "eccodes", "pyproj", "contourpy", "deflate")
ABOVE = "  ABOVE"


def document(figures: Figures, memory: MemoryFigures | None) -> dict[str, Any]:
    """The figures as JSON holds them."""
    sizes = [frame.bytes for frame in figures.frames]
    lines = (*map(frame_line, figures.frames), *summary(figures, memory))
    found: dict[str, Any] = {
        "results": [_result(frame) for frame in figures.frames],
        "decode_cpu_ms": round(sum(hour.decode_cpu_ms for hour in figures.hours), 1),
        "peak_rss_mb": round(figures.peak_rss_mb, 1),
        "rss_mb": round(figures.rss_mb, 1),
        "hours": [_hour(hour) for hour in figures.hours],
        "png_bytes": {"median": round(median(sizes)), "max": max(sizes)},
        "bars": [bar_document(line) for line in lines if line.bar is not None],
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


def bar_document(line: Line) -> dict[str, Any]:
    """One figure and its bar, as JSON holds them."""
    return {
        "what": line.what,
        "value": round(line.value, 1),
        "unit": line.unit,
        "bar": line.bar,
        "kept": line.kept,
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
        "anew_cpu_ms": round(hour.anew_cpu_ms, 1),
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


def table(figures: Figures, memory: MemoryFigures | None) -> Iterator[str]:
    """The figures as lines of text; what misses its bar is marked."""
    yield f"{SOFTWARE} on {machine()}"
    yield ""
    yield (
        f"{'warm frame':32} {'size':>9} {'CPU ms':>7} {'bar':>5} {'wall ms':>8} {'kB':>5}"
        f" {'grid ms':>8} {'kB':>6}"
    )
    yield from map(_row, figures.frames)
    yield ""
    yield from map(line_text, summary(figures, memory))
    if any((f.width_px, f.height_px) != BAR_SIZE for f in figures.frames):
        yield f"the bars are meant for pictures of {BAR_SIZE[0]}x{BAR_SIZE[1]}"
    yield from (f"not drawn: {failure}" for failure in figures.failures)


def _row(frame: FrameFigures) -> str:
    line, kilobytes = frame_line(frame), frame.bytes / 1000
    size = f"{frame.width_px}x{frame.height_px}"
    mark = "" if line.kept and kilobytes <= MOST_KB else ABOVE
    return (
        f"{line.what:32} {size:>9} {line.value:7.1f} {line.bar:5.0f} {frame.wall_ms:8.1f}"
        f" {kilobytes:5.0f} {frame.grid_cpu_ms:8.1f} {frame.grid_bytes / 1000:6.1f}{mark}"
    )


def line_text(line: Line) -> str:
    """One figure beside its bar, as a line of a table."""
    limit = "" if line.bar is None else f"  (bar {line.bar:,.0f})"
    return f"{line.what:48} {line.value:9,.1f} {line.unit}{limit}{'' if line.kept else ABOVE}"
