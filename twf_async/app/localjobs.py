"""From local GRIB files to the jobs that draw them: what `render`, benchmark and gallery share."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from render_farm.domain import grib2
from render_farm.domain.fields import MessageKey
from render_farm.domain.jobs import HourFailed, HourRendered, ProductTask, RenderJob
from render_farm.domain.models import Model
from render_farm.domain.places import Region
from render_farm.domain.products import Product
from twf_async import SOFTWARE
from twf_async.errors import BadInput
from twf_async.plan.local import (
    LocalFile,
    LocalHour,
    is_of_other_grid,
    local_hours,
    model_of_name,
)
from twf_async.publish.manifest import hour_name
from twf_async.settings.load import Settings

LISTED = 4  # missing fields that are named; a total of a long run may lack hundreds


@dataclass(frozen=True, slots=True)
class LocalJob:
    """One hour that the files hold.

    job             None where none of the products can be drawn
    missing         one sentence for each product whose fields no file holds
    not_applicable  likewise for each that cannot exist at this hour
    """

    hour: int
    job: RenderJob | None
    missing: tuple[str, ...]
    not_applicable: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be drawn, and where it goes."""

    products: tuple[Product, ...]  # as the model makes them
    regions: tuple[Region, ...]
    staging: Path
    map_cache: Path


def local_jobs(
    settings: Settings, model: Model, files: tuple[LocalFile, ...], wanted: Wanted
) -> tuple[LocalJob, ...]:
    """One job per hour that the files hold, rising; BadInput for files of another model's grid."""
    for file in files:
        if is_of_other_grid(file, model):
            raise BadInput(
                f"{file.path}: its grid is not that of {model.key}; name its own model with --model"
            )
    by_hour: dict[int, list[tuple[Product, LocalHour]]] = {}
    for product in wanted.products:
        for found in local_hours(product, model, files):
            by_hour.setdefault(found.hour, []).append((product, found))
    return tuple(
        _local_job(settings, model, files[0].cycle, wanted, hour, by_hour[hour])
        for hour in sorted(by_hour)
    )


def _local_job(
    settings: Settings,
    model: Model,
    cycle: str,
    wanted: Wanted,
    hour: int,
    found: list[tuple[Product, LocalHour]],
) -> LocalJob:
    catalog = settings.catalog
    keys = tuple(region.key for region in wanted.regions)
    tasks = tuple(
        ProductTask(
            product,
            {role: catalog.scales[key] for role, key in product.scales.items()},
            dict(local.inputs),
            keys,
        )
        for product, local in found
        if local.inputs is not None
    )
    job = RenderJob(
        model=model.key,
        model_title=model.title,
        cycle=cycle,
        hour=hour,
        tasks=tasks,
        regions=wanted.regions,
        stations=catalog.stations,
        style=catalog.style,
        staging_dir=str(wanted.staging),
        map_cache_dir=str(wanted.map_cache),
        notice=settings.service.notice,
        log_level=settings.service.logs.level,
        software=SOFTWARE,
    )
    at = hour_name(hour)
    missing = tuple(
        f"{product.key} at {at}: field missing: {_listed(local.missing)}"
        for product, local in found
        if local.missing
    )
    refused = tuple(
        f"{product.key} at {at}: not applicable: {local.not_applicable}"
        for product, local in found
        if local.not_applicable
    )
    return LocalJob(hour, job if tasks else None, missing, refused)


def faults(outcome: HourRendered | HourFailed) -> list[str]:
    """One sentence for each frame that a job did not bring."""
    at = hour_name(outcome.hour)
    if isinstance(outcome, HourFailed):
        return [f"{at}: {outcome.reason}: {outcome.detail}"]
    return [
        f"{failure.product} of {failure.region} at {at}: {failure.reason}: {failure.detail}"
        for failure in outcome.failures
    ]


def read_files(paths: Iterable[Path]) -> tuple[LocalFile, ...]:
    """The headers of every message; BadInput for what is not whole GRIB2, or of several cycles."""
    files = []
    for path in paths:
        try:
            with path.open("rb") as stream:
                heads = tuple(grib2.walk(stream))
        except OSError as error:
            raise BadInput(f"{path}: cannot be read: {error.strerror}") from error
        except grib2.GribError as error:
            raise BadInput(f"{path}: not a whole GRIB2 file: {error}") from error
        cycles = {head.cycle for head in heads}
        if len(cycles) != 1:
            raise BadInput(f"{path}: its messages are of several cycles: {sorted(cycles)}")
        keys = frozenset(head.key for head in heads if head.key is not None)
        grids = frozenset(head.grid.template for head in heads)
        files.append(LocalFile(str(path), cycles.pop(), keys, grids))
    if len({file.cycle for file in files}) > 1:
        named = ", ".join(f"{file.path} ({file.cycle})" for file in files)
        raise BadInput(f"the files are of several cycles, draw them one by one: {named}")
    return tuple(files)


def model_of(settings: Settings, file: LocalFile, named: str | None = None) -> Model:
    """The model whose file names that of *file* fits, else the one that is *named*.

    raises  BadInput where nothing tells it, with the models that its grid leaves: what generated a
            file is no help, as one model's files name several processes (nomads.md 4.3)
    """
    models = settings.catalog.models
    found = model_of_name(file.path, models.values())
    if found is not None:
        return found
    if named is not None:
        return models[named]
    left = [model.key for model in models.values() if not is_of_other_grid(file, model)]
    options = " or ".join(f"--model {key}" for key in left)
    match left:
        case []:
            mend = f"and its grid is that of none there is ({', '.join(models)})"
        case [one]:
            mend = f"add {options} if it is of {one}, the only one that is on such a grid"
        case _:
            mend = f"add {options}, whichever it is of"
    raise BadInput(f"{file.path}: its name does not tell the model; {mend}")


def resized(regions: Iterable[Region], size: tuple[int, int] | None) -> tuple[Region, ...]:
    """The regions with pictures of another size; as they are for None."""
    if size is None:
        return tuple(regions)
    changes = {"width_px": size[0], "height_px": size[1]}
    return tuple(region.model_copy(update=changes) for region in regions)


def _listed(missing: Sequence[MessageKey]) -> str:
    named = ", ".join(map(str, missing[:LISTED]))
    return named if len(missing) <= LISTED else f"{named} and {len(missing) - LISTED} more"
