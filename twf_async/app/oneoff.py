"""Draws maps straight from local GRIB files, through the same worker as the service."""

import tempfile
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing.context import BaseContext
from pathlib import Path

from render_farm.domain import grib2
from render_farm.domain.catalog import Product
from render_farm.domain.jobs import HourFailed, HourRendered, ProductTask, RenderJob
from render_farm.domain.models import Model
from render_farm.domain.places import Region
from render_farm.worker import entry
from twf_async.errors import BadInput
from twf_async.plan.local import LocalFile, LocalHour, local_hours, model_of_name
from twf_async.publish.manifest import hour_name
from twf_async.settings.load import Settings


@dataclass(frozen=True, slots=True)
class OneOff:
    """What was asked for."""

    files: tuple[Path, ...]
    product: str
    region: str
    out: Path
    model: str | None = None
    size: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """Pictures written, and one sentence for each that is missing or cannot exist."""

    written: tuple[Path, ...]
    missing: tuple[str, ...]
    not_applicable: tuple[str, ...]


def draw(settings: Settings, order: OneOff, context: BaseContext) -> Outcome:
    """Draw the product for every hour that the files hold; BadInput when they cannot be used."""
    files = read_files(order.files)
    model = _model(settings, order)
    product = settings.catalog.products[order.product].for_model(model.key)
    region = settings.catalog.regions[order.region]
    if order.size is not None:
        width, height = order.size
        region = region.model_copy(update={"width_px": width, "height_px": height})
    hours = local_hours(product, model, files)
    written: list[Path] = []
    missing: list[str] = []
    order.out.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory(dir=order.out, prefix=".staging-") as staging,
        ProcessPoolExecutor(
            1,
            mp_context=context,
            initializer=entry.initialise,
            initargs=(0, settings.service.logs.level, False),
        ) as worker,
    ):
        for hour in hours:
            where = f"{product.key} at {hour_name(hour.hour)}"
            if hour.missing:
                names = ", ".join(str(key) for key in hour.missing)
                missing.append(f"{where}: field missing: {names}")
            if hour.inputs is None:
                continue
            job = _job(settings, model, product, region, hour, files[0].cycle, staging)
            outcome = worker.submit(entry.render, job).result()
            missing += [f"{where}: {fault}" for fault in _faults(outcome)]
            if isinstance(outcome, HourRendered):
                for frame in outcome.frames:
                    name = f"{model.key}_{files[0].cycle}_{region.key}_{product.key}"
                    target = order.out / f"{name}_{hour_name(hour.hour)}.png"
                    Path(frame.path).replace(target)
                    written.append(target)
    refused = [
        f"{product.key} at {hour_name(hour.hour)}: not applicable: {hour.not_applicable}"
        for hour in hours
        if hour.not_applicable
    ]
    return Outcome(tuple(written), tuple(missing), tuple(refused))


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
        files.append(LocalFile(str(path), cycles.pop(), keys))
    if len({file.cycle for file in files}) > 1:
        named = ", ".join(f"{file.path} ({file.cycle})" for file in files)
        raise BadInput(f"the files are of several cycles, draw them one by one: {named}")
    return tuple(files)


def _model(settings: Settings, order: OneOff) -> Model:
    models = settings.catalog.models
    if order.model is not None:
        return models[order.model]
    found = model_of_name(str(order.files[0]), models.values())
    if found is None:
        raise BadInput(
            f"{order.files[0]}: its name does not tell the model;"
            f" name it with --model ({', '.join(models)})"
        )
    return found


def _job(
    settings: Settings,
    model: Model,
    product: Product,
    region: Region,
    hour: LocalHour,
    cycle: str,
    staging: str,
) -> RenderJob:
    catalog = settings.catalog
    scales = {role: catalog.scales[key] for role, key in product.scales.items()}
    task = ProductTask(product, scales, dict(hour.inputs or {}), (region.key,))
    return RenderJob(
        model=model.key,
        model_title=model.title,
        cycle=cycle,
        hour=hour.hour,
        tasks=(task,),
        regions=(region,),
        stations=catalog.stations,
        style=catalog.style,
        staging_dir=staging,
        map_cache_dir=str(settings.service.cache_dir / "pixelmaps"),
        notice=settings.service.notice,
        log_level=settings.service.logs.level,
    )


def _faults(outcome: HourRendered | HourFailed) -> list[str]:
    if isinstance(outcome, HourFailed):
        return [f"{outcome.reason}: {outcome.detail}"]
    return [f"{failure.reason}: {failure.detail}" for failure in outcome.failures]
