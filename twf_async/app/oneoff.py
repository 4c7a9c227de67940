"""Draws maps straight from local GRIB files, through the same worker as the service."""

from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing.context import BaseContext
from pathlib import Path

from render_farm.domain.jobs import HourFailed, HourRendered, RenderJob
from render_farm.domain.models import Model
from render_farm.worker import entry
from render_farm.worker.scratch import scratch
from twf_async.app.localjobs import Wanted, faults, local_jobs, model_of, read_files, resized
from twf_async.errors import BadInput, TwfError
from twf_async.farm.boot import OneWorker
from twf_async.plan.local import LocalFile, model_of_name
from twf_async.publish.manifest import VALUES_SUFFIX, hour_name
from twf_async.settings.load import Settings


@dataclass(frozen=True, slots=True)
class OneOff:
    """What was asked for."""

    files: tuple[Path, ...]
    products: tuple[str, ...]
    regions: tuple[str, ...]
    out: Path
    model: str | None = None
    size: tuple[int, int] | None = None
    values: bool = False  # the value grids beside the pictures


@dataclass(frozen=True, slots=True)
class Outcome:
    """Pictures written, and one sentence for each that is missing or cannot exist."""

    written: tuple[Path, ...]
    missing: tuple[str, ...]
    not_applicable: tuple[str, ...]


def draw(settings: Settings, order: OneOff, context: BaseContext) -> Outcome:
    """Draw the products for every hour that the files hold; BadInput when they cannot be used."""
    files = read_files(order.files)
    catalog, model = settings.catalog, _model(settings, files, order.model)
    written: list[Path] = []
    missing: list[str] = []
    not_applicable: list[str] = []
    order.out.mkdir(parents=True, exist_ok=True)
    with (
        scratch(order.out, ".staging-") as staging,
        worker(settings, context) as executor,
    ):
        wanted = Wanted(
            tuple(catalog.products[key].for_model(model.key) for key in order.products),
            resized((catalog.regions[key] for key in order.regions), order.size),
            staging,
            settings.service.cache_dir / "pixelmaps",
        )
        for hour in local_jobs(settings, model, files, wanted):
            missing += hour.missing
            not_applicable += hour.not_applicable
            if hour.job is not None:
                outcome = rendered(executor, hour.job)
                missing += faults(outcome)
                written += _collected(hour.job, outcome, order)
    return Outcome(tuple(written), tuple(missing), tuple(not_applicable))


def _model(settings: Settings, files: tuple[LocalFile, ...], named: str | None) -> Model:
    """The model of all files; BadInput for one of which that is not told: its map would lie."""
    models = settings.catalog.models
    if named is None:
        model, *_ = [model_of(settings, file) for file in files]
    else:
        model = models[named]
    for file in files:
        own = model_of_name(file.path, models.values())
        if own is not None and model_of_name(file.path, (model,)) is None:
            mend = "draw it by itself" if named is None else f"leave --model {named} out"
            raise BadInput(
                f"{file.path}: by its name it is of {own.key}, not of {model.key}; {mend}"
            )
    return model


def rendered(executor: ProcessPoolExecutor, job: RenderJob) -> HourRendered | HourFailed:
    """What a worker makes of a job; TwfError where it does not survive it."""
    try:
        return executor.submit(entry.render, job).result()
    except BrokenProcessPool as error:
        raise TwfError(f"the worker died over {job.model} {hour_name(job.hour)}") from error


def worker(settings: Settings, context: BaseContext) -> ProcessPoolExecutor:
    """One worker as the service has them."""
    return OneWorker(1, context, entry.initialise, (0, settings.service.logs.level, False))


def _collected(job: RenderJob, outcome: HourRendered | HourFailed, order: OneOff) -> list[Path]:
    """Move a job's files to where they were wanted."""
    if isinstance(outcome, HourFailed):
        return []
    targets = []
    for frame in outcome.frames:
        name = f"{job.model}_{job.cycle}_{frame.region}_{frame.product}_{hour_name(job.hour)}"
        targets.append(Path(frame.path).replace(order.out / f"{name}.png"))
        if order.values and frame.values is not None:
            target = order.out / f"{name}{VALUES_SUFFIX}"
            targets.append(Path(frame.values.path).replace(target))
    return targets
