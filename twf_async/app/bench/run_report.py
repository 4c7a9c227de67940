"""A whole run's figures as JSON and as a table for people, beside the bars to be kept."""

from collections.abc import Iterator
from dataclasses import asdict
from statistics import median
from typing import Any

from twf_async import SOFTWARE
from twf_async.app.bench.bars import Line
from twf_async.app.bench.report import bar_document, line_text, machine, versions
from twf_async.app.bench.tree import Role
from twf_async.app.bench.whole_run import Held, RunFigures

PSS_MB, IOWAIT_PCT = 700.0, 10.0
# A run in five minutes: 85 hours of GFS, 21 products, three regions, on two cores.
WALL_S, BAR_FRAMES, BAR_CORES = 300.0, 85 * 21 * 3, 2
PNG_KB = 250.0


def run_lines(figures: RunFigures) -> Iterator[Line]:
    """Everything that was measured, with its bar where it has one."""
    yield Line("all processes, PSS at most", figures.peak_mb, "MB", PSS_MB)
    for held in figures.held:
        yield from _held(held)
    yield Line("all processes, PSS, median of the run", figures.median_mb, "MB")
    yield Line("worker, peak resident (RSS)", figures.worker_rss_mb, "MB")
    yield Line("run, from found to ended", figures.wall_s, "s", _wall_bar(figures))
    busy_s = figures.workers_s + figures.service_s
    yield Line("the same if nothing else had run: CPU over cores", busy_s / figures.cores, "s")
    yield Line("service, from its start until ready", figures.ready_s, "s")
    yield Line("workers", figures.workers_s, "s CPU")
    yield Line("service", figures.service_s, "s CPU")
    yield Line("forkserver", figures.forkserver_s, "s CPU")
    yield Line("everything else on the machine meanwhile", figures.others_s, "s CPU")
    if figures.published:
        each = 1000 / figures.published
        yield Line("a frame, decoding and all else included", figures.workers_s * each, "ms CPU")
        yield Line("the service's work for a frame", figures.service_s * each, "ms CPU")
        kilobytes = median(figures.png_bytes) / 1000
        yield Line("PNG, median of the frames", kilobytes, "kB", PNG_KB)
    yield Line("all pictures", sum(figures.png_bytes) / 1e6, "MB")
    yield Line("all value grids", figures.grid_bytes / 1e6, "MB")
    yield Line("read from disks", figures.read_mb, "MB")
    yield Line("written to disks", figures.written_mb, "MB")
    if figures.iowait_pct is not None:
        yield Line("I/O wait of the machine", figures.iowait_pct, "%", IOWAIT_PCT)
    if figures.some_pct is not None and figures.full_pct is not None:
        yield Line("some process waited for disks (PSI)", figures.some_pct, "%")
        yield Line("all processes waited for disks (PSI)", figures.full_pct, "%")


def _held(held: Held) -> Iterator[Line]:
    many = f"{held.processes} {held.role.value}s" if held.processes > 1 else held.role.value
    yield Line(f"  of it {many}", held.pss_mb, f"MB, {held.anon_mb:.0f} of it anonymous")
    if held.role is Role.WORKER:
        yield Line("  a worker at most, at any time", held.most_mb, "MB")


def _wall_bar(figures: RunFigures) -> float | None:
    comparable = figures.whole and figures.cores == BAR_CORES and figures.model == "gfs"
    drawn = figures.hours * figures.products * len(figures.regions)
    return WALL_S if comparable and drawn >= BAR_FRAMES else None


def run_table(figures: RunFigures) -> Iterator[str]:
    """The figures as lines of text; what misses its bar is marked."""
    yield f"{SOFTWARE} on {machine()}"
    yield (
        f"{figures.model} {figures.cycle}: {figures.hours} hours, {figures.products} products,"
        f" {', '.join(figures.regions)}; {figures.workers} workers on {figures.cores} cores"
    )
    yield (
        f"{figures.published} of {figures.frames} frames published; the GRIB of"
        f" {figures.from_cache} hours from the cache ({figures.grib_mb:.0f} MB)"
    )
    yield ""
    yield from map(line_text, run_lines(figures))
    for event, count in figures.told:
        yield f"in the log: {event} {count}x"


def run_document(figures: RunFigures) -> dict[str, Any]:
    """The figures as JSON holds them."""
    found = asdict(figures)
    sizes = found.pop("png_bytes")
    return found | {
        "png_bytes": {"median": round(median(sizes)), "max": max(sizes), "sum": sum(sizes)},
        "told": dict(figures.told),
        "bars": [bar_document(line) for line in run_lines(figures) if line.bar is not None],
        "machine": machine(),
        "versions": versions(),
    }
