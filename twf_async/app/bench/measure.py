"""Runs jobs in workers of their own and takes the figures. Medians: machines are noisy."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from itertools import cycle
from multiprocessing.context import BaseContext
from statistics import linear_regression, median

import psutil

from render_farm.domain.jobs import Frame, HourFailed, HourRendered, RenderJob
from twf_async.app.bench.figures import Figures, FrameFigures, HourFigures, MemoryFigures
from twf_async.app.localjobs import faults
from twf_async.app.oneoff import rendered, worker
from twf_async.app.showcase import RunJobs, only
from twf_async.errors import BadInput, TwfError
from twf_async.settings.load import Settings

MB = 1 << 20
CHECKPOINTS = 4


class Bench:
    """Measures with the service's own workers."""

    def __init__(self, settings: Settings, context: BaseContext, repeat: int) -> None:
        self._settings, self._context, self._repeat = settings, context, repeat
        self._failures: dict[str, None] = {}

    def measure(self, runs: tuple[RunJobs, ...], say: Callable[[str], None]) -> Figures:
        """Every run's figures; the warm ones in one long-lived worker.

        say     told what is being measured
        raises  BadInput where no frame can be drawn
        """
        frames: list[FrameFigures] = []
        hours: list[HourFigures] = []
        peaks: list[float] = []
        resident = 0.0
        with worker(self._settings, self._context) as warm:
            for run in runs:
                say(f"{run.model}: {sum(len(job.tasks) for job in run.jobs)} products")
                cold_ms = self._cold_ms(run)
                results = {}
                for job in run.jobs:
                    results[job.hour] = self._repeated(warm, job)
                    frames += _frame_figures(job, results[job.hour])
                peaks += [result.peak_rss_mb for found in results.values() for result in found]
                hours.append(self._hour_figures(run, results[run.hour.hour], cold_ms))
                resident = _resident_mb(results[run.hour.hour][-1])
        if not frames:
            raise BadInput(f"no frame could be drawn: {'; '.join(self._failures)}")
        return Figures(tuple(frames), tuple(hours), max(peaks), resident, tuple(self._failures))

    def soak(self, runs: tuple[RunJobs, ...], frames: int) -> MemoryFigures:
        """Draw *frames* frames of all runs in turns in one worker, and watch its memory."""
        samples: list[tuple[int, float]] = []
        jobs = cycle([job for run in runs for job in run.jobs])
        done = 0
        with worker(self._settings, self._context) as executor:
            while done < frames:
                result = self._render(executor, next(jobs))
                if not result.frames:
                    raise BadInput(f"no frame could be drawn: {'; '.join(faults(result))}")
                done += len(result.frames)
                samples.append((done, _resident_mb(result)))
        marks = [frames * (k + 1) // CHECKPOINTS for k in range(CHECKPOINTS)]
        checkpoints = tuple(next(s for s in samples if s[0] >= mark) for mark in marks)
        half = [s for s in samples if s[0] >= frames / 2]
        flat = len(half) < 2
        slope = 0.0 if flat else linear_regression(*zip(*half, strict=True)).slope * 1000
        return MemoryFigures(checkpoints, slope)

    def _cold_ms(self, run: RunJobs) -> float:
        """Wall time of the first region's hour in a fresh worker that finds no cache."""
        with worker(self._settings, self._context) as executor:
            return self._render(executor, _anew(run.hour)).took_s * 1000

    def _hour_figures(
        self, run: RunJobs, results: list[HourRendered], cold_ms: float
    ) -> HourFigures:
        job = run.hour
        with worker(self._settings, self._context) as executor:
            start = time.perf_counter()
            self._render(executor, only(job, products=1, regions=1))
            first_ms = (time.perf_counter() - start) * 1000
            anew = min((self._render(executor, _anew(job)) for _ in range(2)), key=_took)
        return HourFigures(
            run.model,
            job.cycle,
            job.hour,
            frames=len(results[0].frames),
            cpu_ms=median(result.cpu_s for result in results) * 1000,
            wall_ms=median(result.took_s for result in results) * 1000,
            decode_cpu_ms=median(result.decode_cpu_s for result in results) * 1000,
            first_frame_ms=first_ms,
            caches_ms=cold_ms - anew.took_s * 1000,
            anew_cpu_ms=anew.cpu_s * 1000,
        )

    def _repeated(self, executor: ProcessPoolExecutor, job: RenderJob) -> list[HourRendered]:
        """The results of a job, the first, which warms the caches, left out."""
        results = [self._render(executor, job) for _ in range(self._repeat + 1)]
        self._failures |= dict.fromkeys(f"{job.model}: {fault}" for fault in faults(results[0]))
        return results[1:]

    def _render(self, executor: ProcessPoolExecutor, job: RenderJob) -> HourRendered:
        silent = replace(job, log_level="critical")  # what fails is told once, with the figures
        result = rendered(executor, silent)
        if isinstance(result, HourFailed):
            raise TwfError(f"{job.model}: {'; '.join(faults(result))}")
        return result


def _took(result: HourRendered) -> float:
    return result.took_s


def _anew(job: RenderJob) -> RenderJob:
    """The job's first region, adding up all totals anew: with and without caches the same work."""
    return replace(only(job, regions=1), increment_dir="")


def _resident_mb(result: HourRendered) -> float:
    return float(psutil.Process(result.pid).memory_info().rss / MB)


def _frame_figures(job: RenderJob, results: list[HourRendered]) -> Iterator[FrameFigures]:
    found: dict[tuple[str, str], list[Frame]] = {}
    for result in results:
        for frame in result.frames:
            found.setdefault((frame.product, frame.region), []).append(frame)
    for (product, region), frames in found.items():
        grids = [frame.values for frame in frames if frame.values is not None]
        yield FrameFigures(
            job.model,
            product,
            region,
            frames[0].width_px,
            frames[0].height_px,
            cpu_ms=median(frame.cpu_s for frame in frames) * 1000,
            wall_ms=median(frame.took_s for frame in frames) * 1000,
            bytes=frames[0].bytes,
            grid_cpu_ms=median(grid.cpu_s for grid in grids) * 1000 if grids else 0.0,
            grid_bytes=grids[0].bytes if grids else 0,
        )
