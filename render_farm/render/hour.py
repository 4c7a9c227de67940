"""Renders one forecast hour: decode once, derive once per product, draw once per region.

A plain function of its job, callable in any process. Whatever goes wrong with a message, a
derivation or a frame becomes that frame's failure with its reason; the rest of the hour goes on.
"""

import hashlib
import os
import time
from collections.abc import Iterator
from pathlib import Path

import cv2
import structlog
from pyproj.exceptions import ProjError

from render_farm.derive.derived import Derived
from render_farm.derive.increments import INCREMENTS
from render_farm.derive.recipes import RECIPES
from render_farm.derive.shapes import DeriveError
from render_farm.derive.smoothing import smoothed
from render_farm.domain.jobs import (
    TAKES_NOTHING,
    Frame,
    FrameFailure,
    HourFailed,
    HourRendered,
    ProductTask,
    Reason,
    RenderJob,
)
from render_farm.domain.places import Region
from render_farm.encode import png
from render_farm.render.caches import caches_of
from render_farm.render.frame import NothingToShow, draw_frame
from render_farm.render.increments import RunningTotals
from render_farm.render.inputs import JobFields, Offsets, Unusable
from render_farm.render.journal import Journal, Kept, kept
from render_farm.render.order import thrifty
from render_farm.render.peak import peak_rss_mb
from render_farm.render.provenance import config_hash, texts_of
from render_farm.render.scene import scene
from render_farm.render.values import write_values
from render_farm.render.views import boxes_of

_log = structlog.get_logger(component="render")

# What deriving and drawing raise for data or a definition that they cannot draw. Anything else is
# a bug of the program and goes to the worker's job loop.
DRAW_ERRORS = (ValueError, ArithmeticError, LookupError, OSError, cv2.error, ProjError)


def render_hour(job: RenderJob, *, go_on: bool = False) -> HourRendered | HourFailed:
    """Draw every frame of *job* into its staging directory.

    go_on  keep the frames that an earlier attempt finished there, and draw the others

    Frames and failures of the result cover every (region, product) of the job. HourFailed only
    where nothing could be tried: the staging directory cannot be made.
    """
    start, cpu = time.perf_counter(), time.process_time()
    try:
        Path(job.staging_dir).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        detail = f"the staging directory cannot be made: {error}"
        return HourFailed(job.model, job.cycle, job.hour, _reason(error), detail)
    before = kept(job.staging_dir) if go_on else Kept()
    tasks = before.left(thrifty(job.tasks))
    if go_on:
        _log.info("render.frames_kept", frames=len(before.frames), suspect=before.suspect)
    fields = JobFields(tasks, job.cycle, boxes_of(job))
    totals = RunningTotals(job, fields)
    found: dict[tuple[str, str], Frame | FrameFailure] = {**before.frames}
    with Journal(job.staging_dir, go_on=go_on) as journal:
        for task in tasks:
            journal.started(task.product.key)
            for outcome in _task(job, task, fields, totals):
                found[outcome.region, outcome.product] = outcome
                if isinstance(outcome, Frame):
                    journal.finished(outcome)
    names = dict.fromkeys(
        (region, task.product.key) for task in job.tasks for region in task.regions
    )
    outcomes = [found[name] for name in names]
    return HourRendered(
        model=job.model,
        cycle=job.cycle,
        hour=job.hour,
        frames=tuple(each for each in outcomes if isinstance(each, Frame)),
        failures=tuple(each for each in outcomes if isinstance(each, FrameFailure)),
        decode_s=fields.decode_s,
        took_s=time.perf_counter() - start,
        peak_rss_mb=peak_rss_mb(),
        pid=os.getpid(),
        decode_cpu_s=fields.decode_cpu_s,
        cpu_s=time.process_time() - cpu,
    )


def _task(
    job: RenderJob, task: ProductTask, fields: JobFields, totals: RunningTotals
) -> Iterator[Frame | FrameFailure]:
    derived = _derived(task, fields, totals)
    for key in task.regions:
        yield _frame(job, task, derived, key, fields.offsets)


def _derived(task: ProductTask, fields: JobFields, totals: RunningTotals) -> Derived | Unusable:
    """The grids of a task, or why there are none."""
    try:
        derived = _by_recipe(task, fields, totals)
    except DeriveError as error:
        return Unusable(Reason.BAD_DATA, str(error))
    except DRAW_ERRORS as error:
        _log.error("render.derivation_failed", product=task.product.key, exc_info=error)
        return Unusable(_reason(error), _sentence(error))
    if isinstance(derived, Derived) and "fill" not in derived.arrays:
        return Unusable(Reason.RENDER_ERROR, f"recipe {task.product.recipe!r} made no fill")
    return derived


def _by_recipe(task: ProductTask, fields: JobFields, totals: RunningTotals) -> Derived | Unusable:
    recipe = RECIPES.get(task.product.recipe)
    if recipe is None:
        return Unusable(Reason.RENDER_ERROR, f"there is no recipe {task.product.recipe!r}")
    if task.product.recipe in INCREMENTS:
        return totals.derived(task)
    inputs = fields.inputs(task)
    if isinstance(inputs, Unusable):
        return inputs
    fields_in_use = smoothed(inputs, task.product.smooth_km)
    del inputs  # what they were before they were smoothed: 30 MB of HRRR
    return recipe(fields_in_use)


def _frame(
    job: RenderJob,
    task: ProductTask,
    derived: Derived | Unusable,
    region_key: str,
    offsets: Offsets,
) -> Frame | FrameFailure:
    product = task.product.key
    if isinstance(derived, Unusable):
        return FrameFailure(region_key, product, derived.reason, derived.detail, derived.bad)
    region = next((r for r in job.regions if r.key == region_key), None)
    if region is None:
        detail = f"the job does not define the region {region_key!r}"
        return FrameFailure(region_key, product, Reason.RENDER_ERROR, detail)
    try:
        return _drawn(job, task, derived, region, offsets)
    except NothingToShow as error:
        return FrameFailure(region_key, product, Reason.BAD_DATA, str(error))
    except DRAW_ERRORS as error:
        _log.error("render.frame_failed", product=product, region=region_key, exc_info=error)
        return FrameFailure(region_key, product, _reason(error), _sentence(error))


def _drawn(
    job: RenderJob, task: ProductTask, derived: Derived, region: Region, offsets: Offsets
) -> Frame:
    start, cpu = time.perf_counter(), time.process_time()
    what = scene(job, task, derived, region, caches_of(job.map_cache_dir))
    picture, texts = draw_frame(what)
    data = png.encode(picture.indices, picture.colours, texts_of(what, task, texts, offsets))
    path = Path(job.staging_dir) / f"{region.key}.{task.product.key}.png"
    png.write(path, data)
    took_s, cpu_s = time.perf_counter() - start, time.process_time() - cpu
    return Frame(
        region=region.key,
        product=task.product.key,
        path=str(path),
        bytes=len(data),
        sha256=hashlib.sha256(data).hexdigest(),
        width_px=picture.indices.shape[1],
        height_px=picture.indices.shape[0],
        values=write_values(what, task),
        took_s=took_s,
        cpu_s=cpu_s,
        config_hash=config_hash(job, task, region),
    )


def _reason(error: Exception) -> Reason:
    """A disk that takes nothing is nobody's fault here, and can be tried again."""
    refused = isinstance(error, OSError) and error.errno in TAKES_NOTHING
    return Reason.NO_SPACE if refused else Reason.RENDER_ERROR


def _sentence(error: BaseException) -> str:
    """What an error says, on one line, with its kind where it says nothing by itself."""
    text = " ".join(str(error).split())
    return text if isinstance(error, ValueError) and text else f"{type(error).__name__}: {text}"
